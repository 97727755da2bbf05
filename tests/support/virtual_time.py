"""Time that passes when a test says so, for those who look at a clock and those who pause."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.support.builders import NOON

TURNS = 50  # of the loop: enough for all to come to their next wait


async def settle() -> None:
    """Let everybody go on until they wait for something."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class AtOnce(ThreadPoolExecutor):
    """Does what is meant for a thread at once: virtual time does not wait for threads."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **more: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **more))
        except Exception as error:  # noqa: BLE001 - it is raised again, in whoever asked
            future.set_exception(error)
        return future


@dataclass
class VirtualTime:
    now: datetime = NOON
    _sleepers: list[tuple[datetime, int, asyncio.Event]] = field(default_factory=list)
    _numbers: count = field(default_factory=count)

    def clock(self) -> datetime:
        return self.now

    async def pause(self, seconds: float) -> None:
        sleeper = (self.now + timedelta(seconds=seconds), next(self._numbers), asyncio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[2].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def pass_(self, time: timedelta) -> None:
        """Move on, waking up whoever pauses at its own moment."""
        until = self.now + time
        await settle()
        while (due := self._next()) is not None and due[0] <= until:
            self.now = max(self.now, due[0])
            due[2].set()
            await settle()
        self.now = until

    def _next(self) -> tuple[datetime, int, asyncio.Event] | None:
        asleep = [sleeper for sleeper in self._sleepers if not sleeper[2].is_set()]
        return min(asleep, default=None, key=lambda sleeper: sleeper[:2])
