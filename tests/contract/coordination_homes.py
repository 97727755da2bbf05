"""The homes of what a run keeps in step: this process and a server, with time that a test moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from syncsvc.coordination.board.memory import MemoryBoard
from syncsvc.coordination.board.model import MOST_ENTRIES
from syncsvc.coordination.board.redis import RedisBoard
from syncsvc.coordination.counters.memory import MemoryCounters
from syncsvc.coordination.counters.redis import RedisCounters
from syncsvc.coordination.presence.memory import MemoryAttendances
from syncsvc.coordination.presence.redis import RedisAttendances
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.topics.memory import MemoryTopics
from syncsvc.coordination.topics.redis import RedisTopics
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.announcements import Announcements
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.builders import NOON

LIFE = timedelta(hours=12)


class RunningClock:
    """A clock that runs, as a server's does, and jumps when a test says so."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.jumped = timedelta(0)

    def __call__(self) -> datetime:
        return NOON + self.jumped + timedelta(seconds=time.monotonic() - self.started)

    def pass_(self, time: timedelta) -> None:
        self.jumped += time


class Ears:
    """Passes what a server announces on to signals, as a gateway does."""

    def __init__(self, signals: Signals) -> None:
        self.signals = signals

    def announced(self, subject: str, body: str) -> None:
        self.signals.announced(subject, body)

    def began(self, *, lost: bool) -> None:
        self.signals.all()


@dataclass
class MemoryHome:
    """Everything in this process."""

    signals: Signals = field(default_factory=Signals)
    clock: RunningClock = field(default_factory=RunningClock)
    tokens: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def board(self, most_entries: int = MOST_ENTRIES) -> MemoryBoard:
        def newest(*lease: str) -> int:
            return self.tokens.get(lease, 0)

        return MemoryBoard(self.clock, self.signals.announced, newest, LIFE, most_entries)

    def counters(self) -> MemoryCounters:
        return MemoryCounters(self.signals.announced)

    def topics(self, most_entries: int = 100) -> MemoryTopics:
        return MemoryTopics(self.clock, self.signals.announced, most_entries)

    def attendances(self) -> MemoryAttendances:
        return MemoryAttendances(self.clock, self.signals.announced)

    def pass_(self, time: timedelta) -> None:
        self.clock.pass_(time)

    async def grant(self, run: str, kind: str, name: str, token: int) -> None:
        self.tokens[run, kind, name] = token


@dataclass
class RedisHome:
    """Everything in a server."""

    scripts: Scripts
    signals: Signals = field(default_factory=Signals)
    made: list[Any] = field(default_factory=list)

    def board(self, most_entries: int = MOST_ENTRIES) -> RedisBoard:
        return self._made(RedisBoard(self.scripts, LIFE, most_entries))

    def counters(self) -> RedisCounters:
        return RedisCounters(self.scripts, LIFE)

    def topics(self, most_entries: int = 100) -> RedisTopics:
        return self._made(RedisTopics(self.scripts, LIFE, most_entries))

    def attendances(self) -> RedisAttendances:
        return self._made(RedisAttendances(self.scripts, LIFE))

    def pass_(self, time: timedelta) -> None:
        for store in self.made:
            store.clock_shift += time

    async def grant(self, run: str, kind: str, name: str, token: int) -> None:
        await self.scripts.client.hset(keys.lease(run, kind, name).name, "token", str(token))

    def _made(self, store: Any) -> Any:
        self.made.append(store)
        return store


Home = MemoryHome | RedisHome


@asynccontextmanager
async def redis_home(url: str) -> AsyncIterator[RedisHome]:
    """Give a home in a server, listening to what it announces."""
    home = RedisHome(Scripts(connect(url)))
    announcements = Announcements(home.scripts, Ears(home.signals))
    listening = asyncio.create_task(announcements.run())
    await asyncio.wait_for(announcements.listening.wait(), 10)
    yield home
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await home.scripts.close()


@asynccontextmanager
async def open_home(kind: str, url: Callable[[], str]) -> AsyncIterator[Home]:
    """Give a home of a kind; the server is started only if it is asked for."""
    if kind == "memory":
        yield MemoryHome()
        return
    async with redis_home(url()) as home:
        yield home
