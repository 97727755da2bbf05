"""Listens to one container's log from its start to its end, over as many streams as that takes.

A stream that ends by itself, when the container is known to have ended, was the last: the log is
whole. One that ends or breaks off before is followed by another.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.errors import SyncsvcError
from syncsvc.loadtests.clusters import Cluster, NoLog
from syncsvc.loadtests.hearing import Heard
from syncsvc.loadtests.waking import news_or

SOONEST, LATEST = 0.2, 5.0  # seconds before the next stream

CUT_OFF = "{why}; it was followed, but not to its end"
ENDLESS = "{why}; it was followed, and the stream has not ended"
NO_ROOM = "{why}; it was followed, and {lost} bytes had no room before a cycle could keep them"
GAP = "{why}; it was followed, and lines between two streams may be missing"


@dataclass(frozen=True, slots=True)
class Fate:
    """How a container stands, as far as its pod told; and whether that is gone."""

    has_ended: bool
    is_gone: bool


@dataclass(frozen=True, slots=True)
class LogName:
    """Which log of a cluster."""

    namespace: str
    pod: str
    container: str


@dataclass
class Listening:
    """One log. `fate` tells how its container stands; whoever changes that has to `stir`.

    `taken` is called after each line, and `patience` is for the end of a stream whose pod is gone.
    """

    cluster: Cluster
    name: LogName
    heard: Heard
    fate: Callable[[], Fate]
    taken: Callable[[], None]
    pause: Callable[[float], Awaitable[None]]
    patience: timedelta
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _over: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _is_whole: bool = field(default=False, init=False)

    def stir(self) -> None:
        self._changed.set()

    async def listen(self) -> None:
        """Listen until there is nothing more to hear."""
        seconds, ended_by_itself = SOONEST, False
        while True:
            self._changed.clear()
            size = self.heard.fresh
            try:
                await self._hear()
                ended_by_itself = True
            except NoLog:
                pass  # what came before may be all of it
            except SyncsvcError:
                ended_by_itself = False
            if self._is_over(ended_by_itself=ended_by_itself):
                self._over.set()
                return
            seconds = SOONEST if self.heard.fresh != size else min(seconds * 2, LATEST)
            await news_or(self._changed, self.pause(seconds))

    async def log(self, since: datetime | None, limit: int | None, why: str) -> bytes:
        """Give the log as its cluster did, which says why it does not any more.

        Raises NoLog for one that ought to be whole and is not.
        """
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                await self._over.wait()
        except TimeoutError as error:
            raise NoLog(ENDLESS.format(why=why)) from error
        if self.heard.lost:
            raise NoLog(NO_ROOM.format(why=why, lost=self.heard.lost))
        if self.heard.gap:
            raise NoLog(GAP.format(why=why))
        if not self._is_whole and self.fate().has_ended:
            raise NoLog(CUT_OFF.format(why=why))
        return self.heard.text(since, limit)

    async def _hear(self) -> None:
        since = self.heard.begin()
        lines = self.cluster.follow(
            self.name.namespace, self.name.pod, self.name.container, since=since
        )
        async with aclosing(lines) as stream:
            await self._take(stream)

    async def _take(self, stream: AsyncGenerator[bytes]) -> None:
        async for line in stream:
            self.heard.take(line)
            self.taken()

    def _is_over(self, *, ended_by_itself: bool) -> bool:
        fate = self.fate()
        self._is_whole = fate.has_ended and ended_by_itself
        return self._is_whole or fate.is_gone
