"""What people read of load tests: found by the names they know, and logs line by line."""

import pytest

from syncsvc.errors import Rejected, Unknown
from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.ports import UNREAD, Addition, Which
from syncsvc.loadtests.registering import WishedStep
from syncsvc.loadtests.seam import joined
from syncsvc.loadtests.seen import Role
from syncsvc.loadtests.showing import WhichLines, WhichLogs
from syncsvc.patterns import Pattern
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.load_tests import LARGE, a_source, some_lines
from tests.unit.loadtests.watch import Watch

ALL = WhichLines()
SMALL = Cap(head=400, tail=400)


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def kept(watch, *reads: bytes, cap=LARGE, step_id: str | None = None, **source):
    """Keep reads of one log, one after the other; without a step one is watched."""
    step_id = step_id or (await watch.watched("step")).id
    of, cursor = a_source(step_id, **source), UNREAD
    for read in reads:
        fence = await watch.cycles.begin(NOON)
        news = joined(UNREAD, read).cursor
        added = Addition(of, cursor, news, "partial", read)
        await watch.logs.append(fence, [added], cap, NOON)
        cursor = news
    return await watch.logs.log(of.id)


async def told(watch, log, which=ALL) -> list[str]:
    return [each.line.text async for each in watch.showing.lines(log, which)]


def numbers(texts: list[str]) -> list[int]:
    return [int(text.removeprefix("line ")) for text in texts]


async def test_a_load_test_is_listed_with_its_own_steps_in_their_order(watch):
    await watch.registering.watch("first", [WishedStep("b"), WishedStep("a")])
    watch.clock.pass_(SECOND)
    await watch.watched("second")

    shown = await watch.showing.listed(Which())

    assert [(each.test.name, [step.name for step in each.steps]) for each in shown] == [
        ("second", ["second"]),
        ("first", ["b", "a"]),
    ]


async def test_a_load_test_is_found_by_its_id(watch):
    step = await watch.watched()

    assert (await watch.showing.test(step.test_id)).steps == [step]


async def test_of_load_tests_of_one_name_the_newest_is_meant(watch):
    for number in range(2):
        await watch.registering.watch("nightly", [WishedStep(f"run-{number}")])
        watch.clock.pass_(SECOND)

    shown = await watch.showing.test("nightly")

    assert [step.test_run for step in shown.steps] == ["run-1"]


async def test_a_name_is_found_behind_many_newer_ones_that_it_is_a_part_of(watch):
    await watch.watched("load")
    for number in range(60):
        watch.clock.pass_(SECOND)
        await watch.watched(f"load-{number}")

    assert (await watch.showing.test("load")).test.name == "load"
    assert (await watch.showing.step("load")).test_run == "load"


@pytest.mark.parametrize("named", ["", "chec", "CHECKOUT", "other"])
async def test_what_is_no_whole_name_names_nothing(watch, named):
    await watch.watched()

    with pytest.raises(Unknown, match="load test: expected the id of one that is recorded"):
        await watch.showing.test(named)
    with pytest.raises(Unknown):
        await watch.showing.step(named)


async def test_a_step_is_found_by_its_id_or_the_name_of_its_test_run(watch):
    wished = [WishedStep("run-a", "Warm up"), WishedStep("run-b", "Peak")]
    [_, peak] = (await watch.registering.watch("Checkout", wished)).steps

    assert await watch.showing.step(peak.id) == peak
    assert await watch.showing.step("run-b") == peak


@pytest.mark.parametrize("name", ["Peak", "run-b"])
async def test_a_step_is_found_by_its_load_test_and_a_name(watch, name):
    wished = [WishedStep("run-a", "Warm up"), WishedStep("run-b", "Peak")]
    [_, peak] = (await watch.registering.watch("Checkout", wished)).steps

    assert await watch.showing.step("Checkout", name) == peak


async def test_a_load_test_of_one_step_names_that(watch):
    registered = await watch.registering.watch("Checkout", [WishedStep("run-a")])

    assert await watch.showing.step("Checkout") == registered.steps[0]


async def test_of_several_steps_one_has_to_be_named(watch):
    await watch.registering.watch("Checkout", [WishedStep("a", "A"), WishedStep("b", "B")])

    with pytest.raises(Rejected, match="'Checkout' has several, name one of 'A', 'B'"):
        await watch.showing.step("Checkout")
    with pytest.raises(Unknown, match="step of 'Checkout': expected one of 'A', 'B', found 'C'"):
        await watch.showing.step("Checkout", "C")


async def test_logs_are_chosen_by_container_role_and_runner(watch):
    step = await watch.watched("step")
    await kept(watch, some_lines(0), step_id=step.id)
    await kept(watch, some_lines(0), step_id=step.id, index=2, pod_uid="p2")
    starter = {"role": Role.STARTER, "index": None, "pod_uid": "p3", "container": "k6-curl"}
    await kept(watch, some_lines(0), step_id=step.id, **starter)

    async def found(**asked):
        return [
            (log.source.role, log.source.index)
            for log in await watch.showing.kept(step, WhichLogs(**asked))
        ]

    starter, one, two = (Role.STARTER, None), (Role.RUNNER, 1), (Role.RUNNER, 2)
    assert await found() == [starter, one, two]
    assert await found(container="k6") == [one, two]
    assert await found(role=Role.STARTER) == [starter]
    assert await found(runner=2) == [two]
    with pytest.raises(Unknown, match=r"expected one of .*/k6-curl, .*/k6, .*found none that fits"):
        await found(container="k7")


async def test_a_step_without_logs_has_none_whatever_is_asked_for(watch):
    step = await watch.watched("step")

    assert await watch.showing.kept(step, WhichLogs(container="k7")) == []


async def test_a_log_is_given_line_by_line(watch):
    log = await kept(watch, some_lines(0, 3), some_lines(3, 2))

    lines = [each async for each in watch.showing.lines(log, ALL)]

    assert b"".join(each.raw for each in lines) == some_lines(0, 5)
    assert numbers([each.line.text for each in lines]) == [0, 1, 2, 3, 4]
    assert {each.source for each in lines} == {log.source}


async def test_a_log_longer_than_one_read_of_the_store_is_given_whole(watch):
    log = await kept(watch, *(some_lines(number) for number in range(40)))

    assert numbers(await told(watch, log)) == list(range(40))


@pytest.mark.parametrize("since", [NOON + 4 * SECOND, NOON + 3.6 * SECOND])
async def test_lines_are_given_from_a_moment_on(watch, since):
    log = await kept(watch, some_lines(0, 3), some_lines(3, 3))

    assert numbers(await told(watch, log, WhichLines(since))) == [4, 5]


async def test_lines_that_a_pattern_is_found_in_are_given(watch):
    log = await kept(watch, some_lines(0, 30))

    assert numbers(await told(watch, log, WhichLines(grep=Pattern("grep", "1.$")))) == [
        *range(10, 20)
    ]


PROGRESS = b"2026-01-01T12:00:09.5Z running (0m05.0s), 10/10 VUs, 50 complete\n"


async def test_lines_of_progress_are_given_to_who_asks_for_them(watch):
    log = await kept(watch, some_lines(0) + PROGRESS)

    assert len(await told(watch, log)) == 1
    assert len(await told(watch, log, WhichLines(with_progress=True))) == 2


async def test_odd_bytes_are_shown_and_given_as_they_are(watch):
    odd = b"2026-01-01T12:00:00.5Z \0\0\0\n\0\0\n2026-01-01T12:00:01.5Z \xff\x1b[31mred\n"
    log = await kept(watch, odd)

    lines = [each async for each in watch.showing.lines(log, ALL)]

    assert b"".join(each.raw for each in lines) == odd
    assert [each.line.text for each in lines] == ["", "", "\ufffdred"]


async def a_cut_log(watch):
    return await kept(watch, *(some_lines(number * 5, 5) for number in range(20)), cap=SMALL)


def mark(log) -> str:
    left = log.left_out
    return (
        f"... {left.lines} lines ({left.size} bytes) were left out here: the log is too large ..."
    )


async def test_what_was_left_out_is_marked_at_its_place(watch):
    log = await a_cut_log(watch)

    texts = await told(watch, log)

    at = texts.index(mark(log))
    head, tail = numbers(texts[:at]), numbers(texts[at + 1 :])
    assert head == list(range(len(head)))
    assert tail == list(range(len(head) + log.left_out.lines, 100))
    assert tail


async def test_what_was_left_out_is_marked_whatever_is_looked_for(watch):
    log = await a_cut_log(watch)

    assert await told(watch, log, WhichLines(grep=Pattern("grep", "nothing"))) == [mark(log)]


async def test_what_was_left_out_is_marked_to_who_asks_for_lines_of_that_time(watch):
    log = await a_cut_log(watch)

    texts = await told(watch, log, WhichLines(NOON + 40 * SECOND))

    assert texts[0] == mark(log)
    assert numbers(texts[1:])[-1] == 99


async def test_what_was_left_out_before_the_time_that_is_asked_for_is_not_marked(watch):
    log = await a_cut_log(watch)

    for since in (93, 95, 97, 99):
        texts = await told(watch, log, WhichLines(NOON + since * SECOND))
        assert numbers(texts) == list(range(since, 100))


async def test_a_time_after_the_last_line_has_no_lines(watch):
    log = await a_cut_log(watch)

    assert await told(watch, log, WhichLines(NOON + 100 * MINUTE)) == []


async def more(watch, log, first: int, count: int, cap=LARGE) -> None:
    """Add to a log that was read before."""
    fence = await watch.cycles.begin(NOON)
    after = joined(UNREAD, some_lines(0, first + count)).cursor
    added = Addition(log.source, log.cursor, after, "partial", some_lines(first, count))
    await watch.logs.append(fence, [added], cap, NOON)


async def test_what_is_added_while_a_log_is_read_is_not_of_it(watch):
    log = await kept(watch, some_lines(0, 3))
    await more(watch, log, 3, 3)

    assert numbers(await told(watch, log)) == [0, 1, 2]


GONE = "... lines that were here are not kept any more: they went while they were read ..."


async def test_lines_that_go_while_a_log_is_read_are_marked(watch):
    log = await kept(watch, *(some_lines(number * 5, 5) for number in range(4)))
    await more(watch, log, 20, 20, SMALL)

    texts = await told(watch, log)

    assert texts[-1] == GONE
    assert numbers(texts[:-1]) == list(range(len(texts) - 1))


async def test_a_log_that_is_replaced_while_it_is_read_says_so(watch):
    log = await kept(watch, some_lines(0, 3))
    fence = await watch.cycles.begin(NOON)
    whole = joined(UNREAD, some_lines(0, 6)).cursor
    added = Addition(log.source, log.cursor, whole, "complete", some_lines(0, 6), replaces=True)
    await watch.logs.append(fence, [added], LARGE, NOON)

    assert await told(watch, log) == [GONE]
