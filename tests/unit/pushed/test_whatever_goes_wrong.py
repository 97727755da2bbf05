"""Whatever goes wrong, and whoever dies when: each result is in Test IT exactly once, final."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsvc.errors import Unavailable
from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import TYPES
from tests.support.pushed import AFTER_CLAIM, Fate, Killed, PushHouse, pushed

MOST_TICKS = 400

fates = st.lists(
    st.one_of(st.just(Fate.WELL), st.just(Fate.WELL), st.sampled_from(Fate)), max_size=60
)
tests = st.sampled_from(["one", "two", "three", "four", "five"])
results = st.builds(
    pushed,
    tests,
    status=st.sampled_from(["passed", "failed", "skipped"]),
    duration_ms=st.sampled_from([None, 17]),
    started_at=st.none(),
)


@settings(max_examples=300, deadline=None)
@given(
    first=st.lists(results, min_size=1, max_size=8),
    second=st.lists(results, max_size=5),
    fates=st.tuples(fates, fates),
    planned=st.sets(st.sampled_from(["one", "three", "six"]), max_size=2),
    limit=st.integers(1, 5),
)
def test_each_result_is_there_once_and_the_run_closes_once(first, second, fates, planned, limit):
    house = PushHouse(limit=limit)
    for test in planned:
        house.board.add(test, is_bound=True)
    house.board.add("one", "Succeeded", mark=None)  # somebody else's
    house.board.add("two", "InProgress", mark=None)

    asyncio.run(_play(house, first, second, *fates))

    assert house.states() == Counter({EntryState.DELIVERED: len(first) + len(second)})
    shown = {row.id: row for row in house.board.rows()}
    targets = [entry.target_id for entry in house.outbox.rows.values()]
    assert len(set(targets)) == len(targets)
    assert {row.id for row in shown.values() if row.mark} <= set(targets)
    for entry in house.outbox.rows.values():
        row = shown[entry.target_id]
        assert row.is_bound or row.mark == entry.id
        assert row.result == entry.result
        assert row.status == TYPES[entry.result.status]
    assert house.board.runs["run"].closings == 1


@settings(max_examples=200, deadline=None)
@given(first=st.lists(results, min_size=1, max_size=8), board=fates, outbox=fates, limit=st.just(2))
def test_a_run_of_ours_alone_closes_when_the_last_result_is_there(first, board, outbox, limit):
    house = PushHouse(limit=limit)

    asyncio.run(_play(house, first, (), board, outbox))

    assert house.states() == Counter({EntryState.DELIVERED: len(first)})
    assert house.board.marks() == Counter(list(house.outbox.rows))
    assert house.board.runs["run"].closings == 1


async def _play(house, first, second, board, outbox) -> None:
    await house.accept(*first)
    house.board.fate = _one_by_one(board)
    house.fate = _one_by_one(outbox)
    if second:
        await _tick(house)
        await house.accept(*second)
    await house.complete()
    for _ in range(MOST_TICKS):
        if await _is_over(house):
            return
        await _tick(house)
    pytest.fail(f"not over after {MOST_TICKS} ticks: {house.states()}")


async def _tick(house: PushHouse) -> None:
    """Let a task worker try; if it dies, another begins when its claims have ended."""
    try:
        await house.tick()
    except* Killed:
        house.restart()
    except* Unavailable:  # the outbox: the next tick asks again
        await asyncio.sleep(0)
    house.clock.pass_(AFTER_CLAIM)


async def _is_over(house: PushHouse) -> bool:
    push = await house.outbox.push("run")
    return push is not None and push.completed_at is not None


def _one_by_one(fates: Sequence[Fate]):
    coming = chain(fates, repeat(Fate.WELL))
    return lambda _step: next(coming)
