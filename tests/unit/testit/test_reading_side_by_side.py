"""Several results are read at once, but not too many, and a failure is one of ours."""

import asyncio

import pytest

from syncsvc.adapters.testit.shown import side_by_side
from syncsvc.errors import Unavailable


async def test_answers_keep_their_order_and_no_more_than_so_many_are_under_way():
    under_way: list[int] = []
    most = 0

    async def reader(number: int) -> int:
        nonlocal most
        under_way.append(number)
        most = max(most, len(under_way))
        await asyncio.sleep(0)
        under_way.remove(number)
        return number * 2

    assert await side_by_side(reader, range(10), 3) == [n * 2 for n in range(10)]
    assert most == 3


async def test_the_first_failure_is_raised_as_it_is():
    async def reader(number: int) -> int:
        if number == 2:
            raise Unavailable("503")
        await asyncio.Event().wait()
        return number

    with pytest.raises(Unavailable, match="503"):
        await side_by_side(reader, range(5), 3)
