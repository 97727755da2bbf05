"""Logs are followed while they are written: what is kept first, then what comes, each line once."""

from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsvc.errors import Unavailable, Unknown
from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.cycle import CycleTerms
from syncsvc.loadtests.model import LogsState
from syncsvc.loadtests.seen import ContainerState
from syncsvc.loadtests.showing import WhichLines, WhichLogs
from syncsvc.patterns import Pattern
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.clusters import a_k6, a_runner, stamped
from tests.support.load_tests import LARGE
from tests.unit.loadtests.watch import Watch

ANY, ALL = WhichLogs(), WhichLines()
LONG = NOON + 60 * MINUTE


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def begun(watch: Watch, runners: int = 1, emitted: int = 0):
    """Watch a TestRun that has written so many lines."""
    watch.main.launch("checkout", runners=runners)
    step = await watch.watched()
    emit(watch, *range(emitted))
    await watch.cycle()
    return step


def emit(watch: Watch, *numbers: int, index: int = 1) -> None:
    watch.main.emit("checkout", b"".join(stamped(number) for number in numbers), index=index)


async def followed(watch, step, *meanwhile, which=ANY, wanted=ALL, until=LONG) -> list:
    """Follow to the end; each of these happens while the reader waits for news."""
    reader = watch.following()
    reader.meanwhile += meanwhile
    return [each async for each in reader.following.lines(step, which, wanted, until)]


def numbers(told) -> list[int]:
    return [int(each.line.text.removeprefix("line ")) for each in told]


def happens(act, *args, **more):
    async def it() -> None:
        act(*args, **more)

    return it


def ended(watch):
    """See the TestRun end, in two cycles."""

    async def it() -> None:
        watch.main.end("checkout", *[0] * watch.main.runs["load", "checkout"].parallelism)
        await watch.cycle()
        await watch.cycle()

    return it


async def test_what_is_kept_comes_first_and_then_what_is_new(watch):
    step = await begun(watch, emitted=3)
    emit(watch, 3, 4)

    told = await followed(watch, step, happens(emit, watch, 5), ended(watch))

    assert numbers(told) == [0, 1, 2, 3, 4, 5]


async def test_lines_come_before_a_cycle_has_kept_them(watch):
    step = await begun(watch)
    reader = watch.following()
    lines = reader.following.lines(step, ANY, ALL, LONG)
    reader.meanwhile += [happens(emit, watch, 0, 1)]

    async with aclosing(lines) as coming:
        told = [await anext(coming) for _ in range(2)]

    assert numbers(told) == [0, 1]
    assert (await watch.log()).cursor.lines == 0


async def test_a_cycle_that_keeps_lines_meanwhile_repeats_and_loses_none(watch):
    step = await begun(watch, emitted=2)

    async def cycle() -> None:
        emit(watch, 2, 3)
        await watch.cycle(after=SECOND)
        emit(watch, 4)

    told = await followed(watch, step, cycle, ended(watch))

    assert numbers(told) == [0, 1, 2, 3, 4]


async def test_a_cycle_that_keeps_lines_while_what_is_kept_is_read_repeats_and_loses_none(watch):
    step = await begun(watch, emitted=2)
    reader = watch.following()
    reader.meanwhile += [ended(watch)]
    told = []

    async for each in reader.following.lines(step, ANY, ALL, LONG):
        if not told:
            emit(watch, 2, 3)
            await watch.cycle()
        told.append(each)

    assert numbers(told) == [0, 1, 2, 3]


async def test_equal_lines_are_all_told(watch):
    step = await begun(watch)
    line = stamped(7)

    def repeat() -> None:
        watch.main.emit("checkout", line * 3)

    told = await followed(watch, step, happens(repeat), happens(repeat), ended(watch))

    assert [each.raw for each in told] == [line] * 6


async def test_every_runner_is_followed(watch):
    step = await begun(watch, runners=2)

    def both() -> None:
        emit(watch, 1)
        emit(watch, 2, index=2)

    told = await followed(watch, step, happens(both), ended(watch))

    assert [(each.source.index, *numbers([each])) for each in told] == [(1, 1), (2, 2)]


async def test_one_runner_may_be_followed_alone(watch):
    step = await begun(watch, runners=2)

    def both() -> None:
        emit(watch, 1)
        emit(watch, 2, index=2)

    told = await followed(watch, step, happens(both), ended(watch), which=WhichLogs(runner=2))

    assert numbers(told) == [2]


async def test_what_is_not_looked_for_is_left_out_of_what_is_kept_and_of_what_comes(watch):
    step = await begun(watch, emitted=3)
    wanted = WhichLines(grep=Pattern("grep", "[24]$"))

    told = await followed(watch, step, happens(emit, watch, 3, 4), ended(watch), wanted=wanted)

    assert numbers(told) == [2, 4]


async def test_a_container_that_begins_later_is_followed_from_then_on(watch):
    step = await begun(watch, emitted=1)

    async def second() -> None:
        pod = a_runner("checkout", "load", 2)
        watch.main.pods["load", pod.name] = pod
        watch.main.logs["load", pod.name, "k6"] = stamped(9)
        run = watch.main.runs["load", "checkout"]
        watch.main.runs["load", "checkout"] = replace(run, parallelism=2)
        await watch.cycle()

    told = await followed(watch, step, second, ended(watch))

    assert numbers(told) == [0, 9]


async def test_a_runner_whose_log_is_not_there_yet_is_waited_for(watch):
    step = await begun(watch, emitted=1)

    async def second() -> None:
        pod = a_runner("checkout", "load", 2)
        watch.main.pods["load", pod.name] = pod
        watch.main.logs["load", pod.name, "k6"] = stamped(9)
        run = watch.main.runs["load", "checkout"]
        watch.main.runs["load", "checkout"] = replace(run, parallelism=2)
        await watch.cycle()

    told = await followed(watch, step, second, ended(watch), which=WhichLogs(runner=2))

    assert numbers(told) == [9]


@pytest.mark.parametrize("until", [LONG, NOON + MINUTE])
async def test_a_log_that_never_comes_is_unknown_in_the_end(watch, until):
    step = await begun(watch, emitted=1)
    meanwhile = [ended(watch)] if until == LONG else []

    with pytest.raises(Unknown, match="found none that fits"):
        await followed(watch, step, *meanwhile, which=WhichLogs(container="k7"), until=until)


async def test_following_ends_when_its_time_is_over(watch):
    step = await begun(watch, emitted=1)

    told = await followed(watch, step, until=watch.clock() + 3 * SECOND)

    assert numbers(told) == [0]
    assert watch.clock() == NOON + 23 * SECOND


async def test_a_step_that_is_settled_is_told_once_and_not_waited_for(watch):
    step = await begun(watch, emitted=2)
    await ended(watch)()
    before = watch.clock()

    told = await followed(watch, step)

    assert numbers(told) == [0, 1]
    assert watch.clock() == before


async def test_a_step_without_any_logs_ends_when_it_is_settled(watch):
    step = await watch.watched()
    fence = await watch.cycles.begin(NOON)
    over = replace(step, phase="GONE", logs=LogsState.LOST)

    async def end() -> None:
        await watch.tests.save(fence, [replace(over, phase=type(step.phase).GONE)], NOON)

    assert await followed(watch, step, end) == []


async def test_a_cluster_that_is_away_for_a_while_is_asked_again(watch):
    step = await begun(watch, emitted=1)

    def away() -> None:
        emit(watch, 1)
        watch.main.down = Unavailable("503")

    def back() -> None:
        watch.main.down = None

    told = await followed(watch, step, happens(away), happens(back), ended(watch))

    assert numbers(told) == [0, 1]


async def test_what_a_cycle_has_kept_comes_while_the_cluster_gives_nothing(watch):
    step = await begun(watch, emitted=1)
    reader = watch.following()

    async def kept() -> None:
        emit(watch, 1, 2)
        await watch.cycle()
        watch.main.down = Unavailable("503")

    reader.meanwhile += [kept]
    until = watch.clock() + 25 * SECOND
    told = [each async for each in reader.following.lines(step, ANY, ALL, until)]

    assert numbers(told) == [0, 1, 2]


async def test_a_cluster_that_is_not_configured_any_more_leaves_what_is_kept(watch):
    step = await begun(watch, emitted=2)
    until = watch.clock() + 2 * SECOND
    del watch.clusters["main"]

    told = await followed(watch, step, until=until)

    assert numbers(told) == [0, 1]


async def test_the_rest_of_a_log_whose_pod_is_gone_comes_from_what_is_kept(watch):
    step = await begun(watch, emitted=2)

    async def gone() -> None:
        emit(watch, 2, 3)
        await ended(watch)()
        watch.main.remove("checkout")

    told = await followed(watch, step, gone)

    assert numbers(told) == [0, 1, 2, 3]


async def test_a_last_line_that_was_never_ended_comes_as_it_is(watch):
    step = await begun(watch, emitted=1)

    def torn() -> None:
        watch.main.emit("checkout", stamped(1)[:-1])

    told = await followed(watch, step, happens(torn), ended(watch))

    assert numbers(told) == [0, 1]
    assert told[-1].raw == stamped(1)[:-1]


async def test_lines_that_the_cap_leaves_out_meanwhile_are_marked_and_none_comes_twice():
    watch = Watch(terms=CycleTerms(cap=Cap(head=400, tail=400)))
    step = await begun(watch, emitted=2)

    async def flood() -> None:
        for first in range(2, 202, 20):
            emit(watch, *range(first, first + 20))
            await watch.cycle()
        await ended(watch)()
        watch.main.remove("checkout")

    told = await followed(watch, step, flood)

    marks = [each for each in told if each.is_cut]
    lines = numbers([each for each in told if not each.is_cut])
    assert len(marks) == 1
    assert lines == sorted(set(lines))
    assert (lines[:2], lines[-1]) == ([0, 1], 201)
    assert marks[0].lines == 202 - len(lines)


async def test_a_log_that_was_told_further_than_the_cap_keeps_is_told_once():
    watch = Watch(terms=CycleTerms(cap=Cap(head=400, tail=400)))
    step = await begun(watch, emitted=2)

    async def some_more() -> None:
        emit(watch, *range(2, 102))

    async def end() -> None:
        emit(watch, *range(102, 105))
        await ended(watch)()

    told = await followed(watch, step, some_more, end)

    assert numbers(told) == list(range(105))


ANEW = (
    "... this log is kept in another order than it was shown in, with {} more lines: "
    "read it again to see them ..."
)


def writes(watch, *moments: int):
    return happens(emit, watch, *moments)


async def test_a_log_that_is_read_anew_at_its_end_says_what_was_not_shown(watch):
    step = await begun(watch)
    late = [writes(watch, 9_000), watch.cycle, writes(watch, 1, 2), writes(watch, 9_001)]

    told = await followed(watch, step, *late, watch.cycle, ended(watch))

    assert (await watch.log()).first > 1
    assert numbers([each for each in told if not each.is_cut]) == [9_000, 9_001]
    assert [each.line.text for each in told if each.is_cut] == [ANEW.format(2)]


async def test_a_log_that_is_kept_in_another_order_than_it_was_shown_in_says_so_once(watch):
    step = await begun(watch)
    late = [writes(watch, 9_000), writes(watch, 1, 2), watch.cycle, writes(watch, 9_001)]

    told = await followed(watch, step, *late, ended(watch))

    assert numbers([each for each in told if not each.is_cut]) == [9_000, 9_001]
    assert [each.line.text for each in told if each.is_cut] == [ANEW.format(2)]


async def test_a_log_of_nul_bytes_is_followed(watch):
    step = await begun(watch)
    odd = b"2026-01-01T12:00:00.5Z \0\0\0\n" + b"\0" * 100 + b"\n"

    def nuls() -> None:
        watch.main.emit("checkout", odd)

    told = await followed(watch, step, happens(nuls), ended(watch))

    assert b"".join(each.raw for each in told) == odd


def test_a_container_of_a_runner_runs_until_it_has_an_exit_code():
    assert (a_k6().state, a_k6(0).state) == (ContainerState.RUNNING, ContainerState.TERMINATED)


@dataclass
class Story:
    """What happens while somebody reads; so many lines are written by then."""

    watch: Watch
    count: int

    def act(self, name: str):
        return {"emit": self.emit, "cycle": self.cycle, "down": self.down, "up": self.up}[name]

    async def emit(self) -> None:
        emit(self.watch, self.count, self.count + 1)
        self.count += 2

    async def cycle(self) -> None:
        await self.watch.cycle(after=SECOND)

    async def down(self) -> None:
        self.watch.main.down = Unavailable("503")

    async def up(self) -> None:
        self.watch.main.down = None


ACTS = st.lists(st.sampled_from(["emit", "cycle", "down", "up"]), max_size=12)


@given(ACTS, st.integers(0, 30), st.sampled_from([LARGE, Cap(head=400, tail=400)]))
@settings(max_examples=80, deadline=None)
async def test_whatever_happens_meanwhile_each_line_comes_once_and_in_its_order(acts, emitted, cap):
    watch = Watch(terms=CycleTerms(cap=cap))
    step = await begun(watch, emitted=emitted)
    story = Story(watch, emitted)

    told = await followed(watch, step, *map(story.act, acts), story.up, ended(watch))

    lines, marks = numbers(each for each in told if not each.is_cut), sum(t.is_cut for t in told)
    assert lines == sorted(set(lines))
    assert len(lines) == story.count or marks
    assert cap is not LARGE or not marks
    assert lines[-1:] == ([story.count - 1] if story.count else [])
