"""Pieces of work are claimed as others end, so many side by side and no more in one process.

One caller at a time claims for all: whoever asks meanwhile makes it look again, and is done.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from syncsvc.errors import SyncsvcError

Work = TypeVar("Work")

BUDGET = timedelta(seconds=30)  # then nothing more is claimed: the next tick goes on


@dataclass
class SideBySide(Generic[Work]):
    """Claims work and does it; `do` gives a count, and raises nothing.

    `room` says how much of `at_once` there is room for at this moment; one piece always is done.
    """

    claim: Callable[[], Awaitable[Work | None]]
    do: Callable[[Work], Awaitable[int]]
    at_once: int
    clock: Callable[[], datetime]
    budget: timedelta = BUDGET
    room: Callable[[], int] | None = None
    _out: int = field(default=0, init=False)
    _is_led: bool = field(default=False, init=False)
    _stirred: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def until_done(self) -> int:
        """Do what there is, or as much as the budget allows, and sum up the counts.

        Raises what claiming raises, once what is under way has ended.
        """
        self._stirred.set()
        if self._is_led:
            return 0
        failure: SyncsvcError | None = None
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[int]] = []
            try:
                await self._lead(group, tasks)
            except SyncsvcError as error:  # inside the group it would end what is under way
                failure = error
        if failure is not None:
            raise failure
        return sum(task.result() for task in tasks)

    def look_again(self) -> None:
        """See at once whether there is more to claim, if somebody claims now."""
        self._stirred.set()

    async def _lead(self, group: asyncio.TaskGroup, tasks: list[asyncio.Task[int]]) -> None:
        self._is_led, until = True, self.clock() + self.budget
        try:
            while self.clock() < until:
                self._stirred.clear()
                await self._fill(group, tasks, until)
                if not self._out:
                    return
                await self._stirred.wait()
        finally:
            self._is_led = False

    async def _fill(
        self, group: asyncio.TaskGroup, tasks: list[asyncio.Task[int]], until: datetime
    ) -> None:
        while self._out < self._most() and self.clock() < until:
            work = await self.claim()
            if work is None:
                return
            self._out += 1
            tasks.append(group.create_task(self._done(work)))

    def _most(self) -> int:
        return self.at_once if self.room is None else max(1, min(self.at_once, self.room()))

    async def _done(self, work: Work) -> int:
        try:
            return await self.do(work)
        finally:
            self._out -= 1
            self._stirred.set()
