"""Whatever workers of two gateways do, and however time passes, no two of them hold one lock."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random

import pytest

from syncsvc.coordination.leases.model import Lease, LeaseKind, Wish
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.signals import Signals
from syncsvc.errors import Conflict
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.builders import SECOND
from tests.support.listening import listening

TTL = 2 * SECOND
ROUNDS = 12


@dataclass
class Ear:
    """A gateway's way to hear."""

    signals: Signals

    def announced(self, subject: str, body: str) -> None:
        self.signals.announced(subject, body)

    def began(self, *, lost: bool) -> None:
        self.signals.all()


@dataclass
class Guarded:
    """What the lock guards: it takes note of who is in, and refuses older tokens."""

    inside: dict[str, float] = field(default_factory=dict)  # worker: when it must be out
    newest: int = 0
    entries: int = 0

    def enter(self, worker: str, until: float, now: float) -> None:
        others = [name for name, end in self.inside.items() if name != worker and end > now]
        assert others == []
        self.inside[worker] = until
        self.entries += 1

    def leave(self, worker: str) -> None:
        self.inside.pop(worker, None)

    def write(self, token: int) -> bool:
        """Accept a write unless a newer token has written."""
        self.newest = max(self.newest, token)
        return token == self.newest


@dataclass
class Field:
    """Two gateways on one server, whose time all see pass alike."""

    gateways: list[LeaseService]
    homes: list[RedisLeases]
    lease: Lease
    guarded: Guarded = field(default_factory=Guarded)
    shift: timedelta = timedelta()

    def now(self) -> float:
        return time.time() + self.shift.total_seconds()

    def pass_(self, passed: timedelta) -> None:
        self.shift += passed
        for home in self.homes:
            home.clock_shift = self.shift


@pytest.fixture
async def field_of_two(valkey_url, run_id) -> AsyncIterator[Field]:
    tickets = count()
    gateways, homes = [], []
    async with AsyncExitStack() as stack:
        for _ in range(2):
            scripts, signals = Scripts(connect(valkey_url)), Signals()
            await stack.enter_async_context(listening(scripts, Ear(signals)))
            homes.append(RedisLeases(scripts, timedelta(hours=1)))
            gateways.append(LeaseService(homes[-1], signals, lambda: str(next(tickets))))
        yield Field(gateways, homes, Lease(run_id, LeaseKind.LOCK, "it"))


async def live(world: Field, worker: str, chance: Random) -> None:
    """Ask, enter, write, and leave in order or not; now and then be paused meanwhile."""
    for _ in range(ROUNDS):
        service = chance.choice(world.gateways)
        token = await enter(world, service, worker, chance)
        if token is None:
            continue
        world.guarded.write(token)
        await go_on(world, service, worker, token, chance)


async def enter(world: Field, service: LeaseService, worker: str, chance: Random) -> int | None:
    asked_at = world.now()
    asking = asyncio.create_task(
        service.acquire(world.lease, Wish(worker, TTL), chance.choice([0, 0.02, 0.2]))
    )
    if chance.random() < 0.15:
        await world.homes[0].look(world.lease)
        asking.cancel()
    await asyncio.wait({asking})
    if asking.cancelled() or (mine := asking.result().mine) is None:
        return None
    world.guarded.enter(worker, asked_at + TTL.total_seconds(), world.now())
    return mine.token


async def go_on(
    world: Field, service: LeaseService, worker: str, token: int, chance: Random
) -> None:
    fate = chance.random()
    if fate < 0.2:  # it is paused: time passes, and it writes what it meant to
        world.pass_(chance.choice([1, 2, 3]) * SECOND)
        successor = await service.look(world.lease)
        for other in successor.holders:
            world.guarded.write(other.token)
        is_newest = all(other.token <= token for other in successor.holders)
        assert world.guarded.write(token) <= is_newest
    world.guarded.leave(worker)
    if fate < 0.9:
        try:
            await service.release(world.lease, worker, token)
        except Conflict:
            assert fate < 0.2 or world.shift


@pytest.mark.parametrize("seed", range(10))
async def test_no_two_workers_are_in_at_once_and_older_tokens_are_refused(field_of_two, seed):
    chances = [Random(seed * 100 + i) for i in range(8)]

    await asyncio.gather(*(live(field_of_two, f"w{i}", each) for i, each in enumerate(chances)))

    assert field_of_two.guarded.entries > ROUNDS
