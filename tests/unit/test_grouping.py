"""Calls that arrive together are carried out together, and each gets its own answer."""

import asyncio
from datetime import timedelta

import pytest

from syncsvc.errors import Rejected, Unavailable
from syncsvc.grouping import LARGEST, Grouped

PATIENCE = timedelta(seconds=5)


async def test_what_arrives_at_once_is_one_group_and_what_comes_meanwhile_the_next():
    groups: list[list[int]] = []
    gate = asyncio.Event()

    async def carry_out(calls):
        groups.append(list(calls))
        await gate.wait()
        return [call * 10 for call in calls]

    grouped = Grouped(carry_out, patience=PATIENCE)
    first = [asyncio.ensure_future(grouped(n)) for n in (1, 2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [asyncio.ensure_future(grouped(n)) for n in (3, 4)]
    await asyncio.sleep(0)
    gate.set()

    assert await asyncio.gather(*first, *later) == [10, 20, 30, 40]
    assert groups == [[1, 2], [3, 4]]


async def test_one_refusal_is_its_callers_alone():
    async def carry_out(calls):
        return [Rejected("odd") if call % 2 else call for call in calls]

    grouped = Grouped(carry_out, patience=PATIENCE)
    answers = await asyncio.gather(*(grouped(n) for n in range(4)), return_exceptions=True)

    assert [type(answer) for answer in answers] == [int, Rejected, int, Rejected]


async def test_a_failure_of_the_whole_group_is_told_to_all_and_ends_nothing():
    fails = True

    async def carry_out(calls):
        if fails:
            raise Unavailable("away")
        return calls

    grouped = Grouped(carry_out, patience=PATIENCE)
    answers = await asyncio.gather(grouped(1), grouped(2), return_exceptions=True)
    fails = False

    assert [str(answer) for answer in answers] == ["away", "away"]
    assert await grouped(3) == 3


async def test_a_group_that_takes_too_long_is_unavailable():
    async def carry_out(_calls):
        await asyncio.Event().wait()

    grouped = Grouped(carry_out, patience=timedelta(milliseconds=1))

    with pytest.raises(Unavailable, match="did not answer within"):
        await grouped(1)


async def test_a_caller_that_goes_takes_nobody_with_it():
    gate = asyncio.Event()

    async def carry_out(calls):
        await gate.wait()
        return calls

    grouped = Grouped(carry_out, patience=PATIENCE)
    gone, stays = asyncio.ensure_future(grouped(1)), asyncio.ensure_future(grouped(2))
    await asyncio.sleep(0)
    gone.cancel()
    gate.set()

    assert await stays == 2


async def test_a_group_has_a_largest_size():
    sizes = []

    async def carry_out(calls):
        sizes.append(len(calls))
        return calls

    grouped = Grouped(carry_out, patience=PATIENCE)
    await asyncio.gather(*(grouped(n) for n in range(LARGEST + 1)))

    assert sizes == [LARGEST, 1]
