"""The homes of leases: this process and a server, with time that a test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from syncsvc.coordination.leases.memory import MemoryLeases
from syncsvc.coordination.leases.model import ALL, Lease, LeaseKind, Outcome, View, Wish
from syncsvc.coordination.leases.ports import Leases
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.builders import SECOND, Clock
from tests.support.listening import listening

LOCK, RWLOCK, SEMAPHORE, LEADER = LeaseKind
TTL = 30 * SECOND
LIFE = timedelta(hours=12)


@dataclass
class World:
    """A home of leases, whose time and memory are a test's to move and to lose."""

    leases: Leases
    run: str
    pass_: Callable[[timedelta], None]
    lose: Callable[[], None]
    heard: "asyncio.Queue[tuple[str, str]]" = field(default_factory=asyncio.Queue)

    def lease(self, kind: LeaseKind = LOCK, name: str = "it") -> Lease:
        return Lease(self.run, kind, name)

    async def ask(self, worker: str, kind: LeaseKind = LOCK, **wish) -> View:
        """Ask for a lease and wait in line for it."""
        return (await self.answer(worker, kind, **wish)).view

    async def answer(self, worker: str, kind: LeaseKind = LOCK, *, queue: bool = True, **wish):
        wanted = Wish(worker, **{"ttl": TTL, "ticket": f"of {worker}", **wish})
        return await self.leases.acquire(self.lease(kind), wanted, queue=queue)

    async def read(self, worker: str) -> View:
        return await self.ask(worker, RWLOCK, limit=ALL)

    async def write(self, worker: str) -> View:
        return await self.ask(worker, RWLOCK, limit=ALL, weight=ALL)

    async def release(
        self, worker: str, kind: LeaseKind = LOCK, heir: str | None = None
    ) -> Outcome:
        """Give back what a worker holds."""
        lease = self.lease(kind)
        view = await self.leases.look(lease)
        (token,) = [each.token for each in view.holders if each.worker == worker]
        return (await self.leases.release(lease, worker, token, heir)).outcome

    async def holders(self, kind: LeaseKind = LOCK) -> set[str]:
        return {each.worker for each in (await self.leases.look(self.lease(kind))).holders}

    async def hear(self) -> tuple[str, str]:
        return await asyncio.wait_for(self.heard.get(), 10)

    def announced(self, subject: str, body: str) -> None:
        if subject.split("\n")[1] == self.run:
            self.heard.put_nowait((subject, body))

    def began(self, *, lost: bool) -> None:
        """Nothing was missed: it begins before the test."""


def in_memory(run_id: str) -> World:
    clock = Clock()
    home = MemoryLeases(clock)
    world = World(home, run_id, clock.pass_, home.lose)
    home.announce = world.announced
    return world


@asynccontextmanager
async def on_server(run_id: str, url: str) -> AsyncIterator[World]:
    scripts = Scripts(connect(url))
    stored = RedisLeases(scripts, LIFE)

    def pass_(time: timedelta) -> None:
        stored.clock_shift += time

    world = World(stored, run_id, pass_, lambda: None)
    async with listening(scripts, world):
        yield world
