"""Leases in Redis and in memory answer any calls alike, and never give more than there is."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from math import floor
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from syncsvc.coordination.leases.memory import MemoryLeases
from syncsvc.coordination.leases.model import ALL, Holder, Lease, LeaseKind, View, Wish
from syncsvc.coordination.leases.ports import Leases
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.builders import SECOND, Clock

WORKERS = ("a", "b", "c", "d")
LIMITS = {LeaseKind.LOCK: 1, LeaseKind.LEADER: 1, LeaseKind.SEMAPHORE: 3, LeaseKind.RWLOCK: ALL}
WEIGHTS = {
    LeaseKind.LOCK: (1,),
    LeaseKind.LEADER: (1,),
    LeaseKind.SEMAPHORE: (1, 2, 3),
    LeaseKind.RWLOCK: (1, ALL),
}

GATEWAYS = {"a": "one", "b": "one", "c": "another", "d": ""}
TOGETHER = 0.2  # seconds of a sequence: a server's clock runs meanwhile, and the other stands

worker = st.sampled_from(WORKERS)
seconds = st.integers(1, 12)
which = st.integers(0, 2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("acquire"), worker, which, seconds, st.booleans()),
        st.tuples(st.just("withdraw"), worker, which, st.booleans()),
        st.tuples(st.just("renew"), worker, which, seconds),
        st.tuples(st.just("release"), worker, which, st.none() | worker),
        st.tuples(st.just("look")),
        st.tuples(st.just("pass"), st.sampled_from([0.5, 1, 2, 5, 10])),
    ),
    min_size=5,
    max_size=30,
)


@dataclass
class Told:
    """What one home told the workers so far, and the promises that it must keep meanwhile."""

    limit: int
    runs: bool  # time passes by itself too
    now: timedelta = timedelta()
    tokens: dict[str, list[int]] = field(default_factory=dict)
    held: dict[str, tuple[int, timedelta]] = field(default_factory=dict)  # weight, ends
    known: list[int] = field(default_factory=list)

    def time(self) -> timedelta:
        return self.now + timedelta(seconds=monotonic() if self.runs else 0)

    def note(self, asked: str, asked_at: timedelta, view: View) -> None:
        for holder in sorted(view.holders, key=lambda each: each.token):
            self._note_token(holder)
        self.held.pop(asked, None)
        if view.mine is not None:
            self.held[asked] = view.mine.weight, asked_at + view.mine.ends_in
        now = self.time()  # whoever holds something after this moment held it in this view
        together = sum(weight for weight, ends in self.held.values() if ends > now + SECOND / 2)
        assert together <= self.limit
        assert view.used <= self.limit

    def number(self, token: int) -> int:
        """Give a token's place among all: those of two homes differ, their order does not."""
        return self.known.index(token)

    def token(self, worker: str, which: int) -> int:
        """Give the newest token of a worker, an older one, or one that never was."""
        of_worker = self.tokens.get(worker, [])
        return [1, 1, 1, *of_worker][-1 - which]

    def _note_token(self, holder: Holder) -> None:
        if holder.token not in self.known:
            assert holder.token > max(self.known, default=0)
            self.known.append(holder.token)
            self.tokens.setdefault(holder.worker, []).append(holder.token)


@dataclass
class Home:
    leases: Leases
    lease: Lease
    told: Told

    async def carry_out(self, step: tuple[Any, ...]) -> Any:
        """Carry out a step, and give its answer in words that both homes share."""
        kind, *terms = step
        if kind == "pass":
            self.told.now += terms[0] * SECOND
            return None
        name, asked_at = terms[0] if terms else "", self.told.time()
        outcome, view = await getattr(self, f"_{kind}")(*terms)
        self.told.note(name, asked_at, view)
        return outcome, self._plain(view)

    async def _acquire(self, name: str, which: int, ttl: int, queue: bool) -> Any:  # noqa: FBT001
        weights = WEIGHTS[self.lease.kind]
        weight = weights[which % len(weights)]
        terms = ttl * SECOND, weight, LIMITS[self.lease.kind]
        wish = Wish(name, *terms, f"{name}{which}", GATEWAYS[name])
        answer = await self.leases.acquire(self.lease, wish, queue=queue)
        return answer.outcome, answer.view

    async def _withdraw(self, name: str, which: int, release: bool) -> Any:  # noqa: FBT001
        ticket = f"{name}{which}"
        return "", await self.leases.withdraw(self.lease, name, ticket, release=release)

    async def _renew(self, name: str, which: int, ttl: int) -> Any:
        token = self.told.token(name, which)
        answer = await self.leases.renew(self.lease, name, token, ttl * SECOND)
        return answer.outcome, answer.view

    async def _release(self, name: str, which: int, heir: str | None) -> Any:
        token = self.told.token(name, which)
        answer = await self.leases.release(self.lease, name, token, heir)
        return answer.outcome, answer.view

    async def _look(self) -> Any:
        return "", await self.leases.look(self.lease)

    def _plain(self, view: View) -> Any:
        holders = {self._plain_holder(holder) for holder in view.holders}
        mine = self._plain_holder(view.mine) if view.mine else None
        return view.limit, view.used, view.waiters, holders, mine, view.place, view.bound

    def _plain_holder(self, holder: Holder) -> Any:
        ends_in = floor(holder.ends_in.total_seconds() - 0.01)
        return holder.worker, holder.weight, self.told.number(holder.token), ends_in


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def scripts(runner, valkey_url) -> Iterator[Scripts]:
    scripts = Scripts(connect(valkey_url))
    yield scripts
    runner.run(scripts.close())


@pytest.mark.parametrize("kind", LeaseKind)
@settings(max_examples=250, deadline=None)
@given(sequence=steps)
def test_both_homes_answer_alike_and_never_give_more_than_there_is(runner, scripts, kind, sequence):
    clock = Clock()
    lease = Lease(f"twins-{uuid4().hex}", kind, "it")
    stored = RedisLeases(scripts, timedelta(minutes=1))
    homes = [
        Home(home, lease, Told(LIMITS[kind], runs=home is stored))
        for home in (MemoryLeases(clock), stored)
    ]

    began = monotonic()

    async def play() -> None:
        for step in sequence:
            if step[0] == "pass":
                clock.pass_(step[1] * SECOND)
                stored.clock_shift += step[1] * SECOND
            in_memory, in_redis = [await home.carry_out(step) for home in homes]
            assume(in_memory == in_redis or monotonic() < began + TOGETHER)
            assert in_memory == in_redis, step

    runner.run(play())
