"""Pieces of work are claimed as others end, and no more than there is room for."""

import asyncio
from dataclasses import dataclass, field

import pytest

from syncsvc.sidebyside import SideBySide
from tests.support.builders import NOON


@dataclass
class Desk:
    """Hands out pieces of work; each is under way until it is let go."""

    pieces: int
    room: int | None = None
    out: dict[int, asyncio.Event] = field(default_factory=dict)
    most: int = 0

    def __post_init__(self) -> None:
        room = None if self.room is None else lambda: self.room
        self.side_by_side = SideBySide(self.claim, self.do, 4, lambda: NOON, room=room)

    async def claim(self) -> int | None:
        if not self.pieces:
            return None
        self.pieces -= 1
        return self.pieces

    async def do(self, piece: int) -> int:
        self.out[piece] = asyncio.Event()
        self.most = max(self.most, len(self.out))
        await self.out[piece].wait()
        del self.out[piece]
        return 1

    async def settles(self) -> list[int]:
        for _ in range(20):
            await asyncio.sleep(0)
        return sorted(self.out, reverse=True)

    async def let_go(self) -> None:
        while await self.settles():
            for each in list(self.out.values()):
                each.set()


async def test_as_many_are_out_as_may_be():
    desk = Desk(pieces=10)

    async with asyncio.TaskGroup() as group:
        done = group.create_task(desk.side_by_side.until_done())
        assert await desk.settles() == [9, 8, 7, 6]
        await desk.let_go()

    assert (done.result(), desk.most) == (10, 4)


@pytest.mark.parametrize("room", [0, 1])
async def test_one_is_out_where_there_is_no_room_for_more(room):
    desk = Desk(pieces=3, room=room)

    async with asyncio.TaskGroup() as group:
        done = group.create_task(desk.side_by_side.until_done())
        await desk.let_go()

    assert (done.result(), desk.most) == (3, 1)


async def test_more_are_claimed_as_soon_as_there_is_room():
    desk = Desk(pieces=9, room=2)

    async with asyncio.TaskGroup() as group:
        group.create_task(desk.side_by_side.until_done())
        assert await desk.settles() == [8, 7]
        desk.room = 3
        desk.side_by_side.look_again()
        assert await desk.settles() == [8, 7, 6]
        desk.room = 9
        desk.side_by_side.look_again()
        assert await desk.settles() == [8, 7, 6, 5]
        await desk.let_go()
