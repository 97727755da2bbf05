"""What every home of load tests promises of their logs and summaries."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from syncsvc.errors import Conflict, Unknown
from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.model import LogsState
from syncsvc.loadtests.ports import CHUNK, UNREAD, KeptLog
from syncsvc.loadtests.seen import ContainerKind, Role
from syncsvc.loadtests.stamps import BILLION, split
from syncsvc.loadtests.summary_rows import MS, RATE, Row
from tests.support.builders import MINUTE, NOON
from tests.support.load_tests import (
    LARGE,
    a_source,
    a_step,
    a_test,
    an_addition,
    an_ended_step,
    some_lines,
)

SMALL = Cap(head=400, tail=400)  # of lines of 37 bytes
LINE = len(some_lines(0))


@pytest.fixture
async def home(load_tests):
    """A home with one step, and a cycle that has begun."""
    await load_tests.tests.register(a_test(), [a_step()])
    await load_tests.cycles.begin(NOON)
    return load_tests


async def appended(home, *additions, cap=LARGE, at=NOON) -> None:
    [newest] = await home.cycles.latest(1)
    await home.logs.append(newest.fence, additions, cap, at)


async def grown(home, *counts: int, cap=LARGE) -> KeptLog:
    """Add so many lines, again and again."""
    first, cursor = 0, UNREAD
    for count in counts:
        addition = an_addition(some_lines(first, count), cursor)
        await appended(home, addition, cap=cap)
        first, cursor = first + count, addition.after
    return await home.logs.log(a_source().id)


async def text(home, source=None, **more) -> bytes:
    found, after = b"", 0
    while chunks := await home.logs.chunks((source or a_source()).id, after, **more):
        found += b"".join(chunk.log for chunk in chunks)
        after = chunks[-1].number
    return found


async def test_what_is_added_is_kept_with_its_cursor(home):
    addition = an_addition(some_lines(0, 3))

    await appended(home, addition, at=NOON + MINUTE)

    log = await home.logs.log(a_source().id)
    assert (log.source, log.cursor, log.state) == (a_source(), addition.after, LogsState.PARTIAL)
    assert (log.first, log.last, log.size, log.left_out) == (1, 1, 3 * LINE, None)
    assert log.updated_at == NOON + MINUTE
    assert await text(home) == some_lines(0, 3)


async def test_all_that_is_known_of_a_log_is_given_back(home):
    source = a_source(kind=ContainerKind.SIDECAR, role=Role.STARTER, index=None, container="ü")
    addition = replace(
        an_addition(some_lines(0), source=source, state=LogsState.LOST), detail="gone: ü"
    )

    await appended(home, addition)

    [log] = await home.logs.logs(["step"])
    assert (log.source, log.state, log.detail) == (source, LogsState.LOST, "gone: ü")


async def test_a_log_goes_on_where_it_was(home):
    log = await grown(home, 3, 2, 4)

    assert await text(home) == some_lines(0, 9)
    assert (log.cursor.lines, log.cursor.size, log.size) == (9, 9 * LINE, 9 * LINE)


async def test_a_log_without_lines_is_taken_up(home):
    await appended(home, an_addition())

    log = await home.logs.log(a_source().id)
    assert (log.cursor, log.last, log.size) == (UNREAD, 0, 0)
    assert await home.logs.chunks(log.source.id) == []


async def test_a_state_may_change_alone(home):
    kept = await grown(home, 3)
    told = an_addition(before=kept.cursor, state=LogsState.COMPLETE)

    await appended(home, replace(told, after=kept.cursor, detail="all of it"), at=NOON + MINUTE)

    log = await home.logs.log(a_source().id)
    assert (log.state, log.detail) == (LogsState.COMPLETE, "all of it")
    assert replace(log, state=kept.state, detail=None, updated_at=NOON) == kept


async def test_a_log_that_was_never_kept_is_unknown_and_has_no_chunks(home):
    with pytest.raises(Unknown, match="'other'"):
        await home.logs.log("other")

    assert await home.logs.chunks("other") == []


async def test_bytes_are_kept_as_they_are(home):
    odd = b"2026-01-01T12:00:00.5Z \0\xff\xfe\x1b[31m\r\r\n" + b"no moment at all\n" + b"\0\0\n"

    await appended(home, an_addition(odd))

    assert await text(home) == odd


async def test_many_lines_are_kept_in_chunks_that_know_their_moments(home):
    count = 3 * CHUNK // LINE

    log = await grown(home, count)

    chunks = await home.logs.chunks(log.source.id)
    assert [chunk.number for chunk in chunks] == list(range(1, log.last + 1))
    assert all(chunk.size <= CHUNK for chunk in chunks)
    assert sum(chunk.lines for chunk in chunks) == count
    ends = [(chunk.last_moment, later.first_moment) for chunk, later in pairwise(chunks)]
    assert all(later - last == BILLION for last, later in ends)
    assert log.packed_size < log.size


async def test_chunks_are_read_on_after_one_and_so_many_at_once(home):
    log = await grown(home, 1, 1, 1, 1)

    some = await home.logs.chunks(log.source.id, 1, limit=2)

    assert [chunk.number for chunk in some] == [2, 3]


async def test_chunks_that_end_before_a_moment_are_passed_over(home):
    log = await grown(home, 2, 2, 2)
    third = (await home.logs.chunks(log.source.id))[1].first_moment

    numbers = [
        [chunk.number for chunk in await home.logs.chunks(log.source.id, since=since)]
        for since in (third - 1, third + BILLION, third + BILLION + 1)
    ]

    assert numbers == [[2, 3], [2, 3], [3]]


async def test_a_chunk_without_a_moment_is_never_passed_over(home):
    await appended(home, an_addition(some_lines(0) + b"and no moment\n"))

    assert await home.logs.chunks(a_source().id, since=2**62)


async def test_the_middle_of_a_large_log_is_left_out_and_counted(home):
    log = await grown(home, *[5] * 20, cap=SMALL)

    kept, left = await text(home), log.left_out
    assert log.size == len(kept) <= SMALL.head + SMALL.tail + LINE
    head = b"".join(chunk.log for chunk in await chunks_until(home, left.after))
    assert some_lines(0, 100).startswith(head)
    assert some_lines(0, 100).endswith(kept[len(head) :])
    assert len(head) + left.size + len(kept[len(head) :]) == 100 * LINE
    assert left.lines * LINE == left.size
    assert log.cursor.lines == 100


async def chunks_until(home, number: int):
    chunks = await home.logs.chunks(a_source().id, limit=500)
    return [chunk for chunk in chunks if chunk.number <= number]


async def test_one_addition_that_is_too_large_by_itself_keeps_head_and_tail(home):
    log = await grown(home, 200, cap=SMALL)

    lines = split(await text(home))
    assert (lines[0], lines[-1]) == (some_lines(0), some_lines(199))
    assert len(lines) + log.left_out.lines == 200
    assert log.size == sum(map(len, lines))


async def test_a_line_that_is_larger_than_the_cap_is_kept_where_it_is_the_last(home):
    giant = some_lines(9)[:-1] + b"x" * 5_000 + b"\n"

    await appended(home, an_addition(some_lines(0, 3) + giant), cap=SMALL)

    assert (await text(home)).endswith(giant)


async def test_what_two_logs_weigh_is_counted_apart(home):
    other = a_source(pod_uid="pod-2", pod="step-2", index=2)
    await grown(home, 20, cap=SMALL)
    fresh = an_addition(some_lines(0, 100), source=other)
    kept = await home.logs.log(a_source().id)
    more = an_addition(some_lines(20, 100), kept.cursor)

    await appended(home, more, fresh, cap=SMALL)

    logs = await home.logs.logs(["step"])
    for log in logs:
        assert log.size == len(await text(home, log.source))
    assert [log.cursor.lines for log in logs] == [120, 100]


async def test_a_log_that_is_replaced_begins_anew_with_higher_numbers(home):
    before = await grown(home, 3, 3)

    whole = an_addition(some_lines(0, 9), before.cursor, state=LogsState.COMPLETE, replaces=True)
    await appended(home, whole)

    log = await home.logs.log(a_source().id)
    assert (log.first, log.last, log.size, log.left_out) == (3, 3, 9 * LINE, None)
    assert await text(home) == some_lines(0, 9)
    assert [chunk.number for chunk in await home.logs.chunks(log.source.id)] == [3]


async def test_a_large_log_that_is_replaced_forgets_what_was_left_out(home):
    before = await grown(home, *[10] * 10, cap=SMALL)

    whole = an_addition(some_lines(0, 10), before.cursor, replaces=True)
    await appended(home, whole, cap=SMALL)

    log = await home.logs.log(a_source().id)
    assert (log.left_out, log.size) == (None, 10 * LINE)
    assert await text(home) == some_lines(0, 10)


async def test_a_log_that_is_not_where_it_was_is_read_again_first(home):
    await grown(home, 3)

    with pytest.raises(Conflict, match="after 3 lines, found 0"):
        await appended(home, an_addition(some_lines(0, 4)))

    assert await text(home) == some_lines(0, 3)


async def test_additions_are_kept_all_or_none(home):
    await grown(home, 3)
    good = an_addition(some_lines(0), source=a_source(pod_uid="pod-2"))

    with pytest.raises(Conflict):
        await appended(home, good, an_addition(some_lines(0, 4)))

    assert len(await home.logs.logs(["step"])) == 1


async def test_of_two_who_add_the_same_at_once_one_does(home):
    [cycle] = await home.cycles.latest(1)
    addition = an_addition(some_lines(0, 3))
    calls = [home.logs.append(cycle.fence, [addition], LARGE, NOON) for _ in range(4)]

    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(each) for each in answers].count(Conflict) == 3
    assert await text(home) == some_lines(0, 3)


async def test_the_log_of_a_step_that_was_forgotten_is_left_out_and_harms_no_other(home):
    gone = an_addition(some_lines(0), source=a_source("gone"))

    await appended(home, gone, an_addition(some_lines(0)))

    assert [log.source.step_id for log in await home.logs.logs(["gone", "step"])] == ["step"]


async def test_logs_come_by_step_role_runner_pod_and_container(home):
    await home.tests.register(a_test(), [a_step("b", order=2)])
    sources = [
        a_source("b"),
        a_source(pod_uid="p3", pod="z", role=Role.INITIALIZER, index=None),
        a_source(pod_uid="p4", pod="a", role=Role.STARTER, index=None),
        a_source(pod_uid="p2", pod="a", index=2),
        a_source(pod_uid="p2", pod="a", index=2, container="proxy"),
        a_source(pod_uid="p9", pod="a", index=10),
        a_source(pod_uid="p5", pod="a", role=Role.OTHER, index=None),
    ]

    await appended(home, *(an_addition(some_lines(0), source=each) for each in sources[::-1]))

    found = [log.source for log in await home.logs.logs(["step", "b"])]
    assert found == sources
    assert [log.source for log in await home.logs.logs(["b"])] == sources[:1]
    assert await home.logs.logs([]) == []


ROWS = [
    Row("http_reqs", "count", 1234.5),
    Row("http_req_duration", "p(95)", 0.1, MS, "{expected_response:true}"),
    Row("checks", "rate", 1.0, RATE, "ü", "rate>0.9", ok=True),
    Row("checks", "rate", None, RATE, "", "all", ok=False),
]


async def summaries_kept(home, summaries, step_id="step") -> None:
    [newest] = await home.cycles.latest(1)
    await home.logs.keep_summaries(newest.fence, step_id, summaries)


async def test_summaries_are_given_back_by_runner_in_their_order(home):
    await summaries_kept(home, {2: ROWS[::-1], 1: ROWS})

    found = await home.logs.summaries("step")

    assert list(found.items()) == [(1, ROWS), (2, ROWS[::-1])]


async def test_a_summary_takes_the_place_of_the_same_runners(home):
    await summaries_kept(home, {1: ROWS, 2: ROWS, 3: ROWS})

    await summaries_kept(home, {2: ROWS[:1], 3: []})

    assert await home.logs.summaries("step") == {1: ROWS, 2: ROWS[:1]}


async def test_of_a_step_that_was_forgotten_no_summary_is_kept(home):
    await summaries_kept(home, {1: ROWS}, "gone")

    assert await home.logs.summaries("gone") == {}


async def test_what_belongs_to_a_test_is_forgotten_with_it(home):
    [cycle] = await home.cycles.latest(1)
    log = await grown(home, 3)
    await summaries_kept(home, {1: ROWS})
    await home.tests.save(cycle.fence, [an_ended_step()], NOON)

    await home.tests.forget(NOON + timedelta(days=1))

    assert await home.logs.logs(["step"]) == []
    assert await home.logs.chunks(log.source.id) == []
    assert await home.logs.summaries("step") == {}
