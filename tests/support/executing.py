"""Processes that carry out units of one MemorySync; tests stop, kill and cut them off."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.catalogue.desk import Desk
from syncsvc.catalogue.executor import Executor, ExecutorTerms
from syncsvc.catalogue.features import Features
from syncsvc.catalogue.memory import MemorySync
from syncsvc.catalogue.model import SyncPhase, SyncRun
from syncsvc.catalogue.products import Products
from syncsvc.catalogue.work import Claimed, Committed, Done, Step, TestsFound
from syncsvc.errors import Conflict, Unavailable
from tests.support.builders import ids
from tests.support.catalogue import (
    MemorySource,
    MemorySources,
    a_test,
    feature,
    new_run,
    order,
    product,
)
from tests.support.virtual_time import VirtualTime


class Tests:
    """A story of tests that reads one page, or does what a test wants instead."""

    __test__ = False  # pytest

    def __init__(self) -> None:
        self.instead: Callable[[Desk], Awaitable[None]] | None = None
        self.began: list[int] = []
        self.ended: list[int] = []

    async def carry_out(self, desk: Desk) -> None:
        product_id = desk.claimed.product
        self.began.append(product_id)
        if self.instead is not None:
            await self.instead(desk)
        page = await desk.source.tests(product_id, 1, 25, desk.spending)
        await desk.keep(Step(found=[TestsFound(product_id, page.tests)], outcome=Done()))
        self.ended.append(product_id)


@dataclass
class OneLock:
    """A lock of which a test sees who has it; `is_away`: its server cannot be reached."""

    held: dict[str, tuple[str, int]] = field(default_factory=dict)
    renewed: list[tuple[str, int]] = field(default_factory=list)
    is_away: bool = False
    _token: int = 0

    async def acquire(self, customer: str, run_id: str) -> int | None:
        self._reach()
        has = self.held.get(customer)
        if has is None:
            self._token += 1
            self.held[customer] = has = (run_id, self._token)
        return has[1] if has[0] == run_id else None

    async def renew(self, customer: str, run_id: str, token: int) -> bool:
        self._reach()
        self.renewed.append((run_id, token))
        return self.held.get(customer) == (run_id, token)

    async def release(self, customer: str, run_id: str, token: int) -> None:
        self._reach()
        if self.held.get(customer) == (run_id, token):
            del self.held[customer]

    async def holder(self, customer: str) -> str | None:
        has = self.held.get(customer)
        return has and has[0]

    def _reach(self) -> None:
        if self.is_away:
            raise Unavailable("the lock's server does not answer")


@dataclass
class Nudges:
    sent: list[int] = field(default_factory=list)

    async def sync(self, workers: int) -> None:
        self.sent.append(workers)


class CutOff:
    """The units as one process sees them; `is_away`: it cannot reach them, and others can."""

    def __init__(self, units: object) -> None:
        self._units = units
        self.is_away = False
        self.kept: list[Collection[str]] = []
        self.committed: list[tuple[int | None, SyncPhase, Step]] = []
        self.refused: list[Step] = []

    async def claim(
        self, now: datetime, term: timedelta, run_id: str | None = None
    ) -> Claimed | None:
        self._reach()
        return await self._units.claim(now, term, run_id)

    async def keep(
        self, claims: Collection[str], runs: Collection[str], now: datetime, term: timedelta
    ) -> Collection[str]:
        self._reach()
        self.kept.append(claims)
        return await self._units.keep(claims, runs, now, term)

    async def commit(self, claimed: Claimed, step: Step, now: datetime) -> Committed:
        self._reach()
        try:
            committed = await self._units.commit(claimed, step, now)
        except Conflict:
            self.refused.append(step)
            raise
        self.committed.append((claimed.unit.product_id, claimed.unit.phase, step))
        return committed

    def _reach(self) -> None:
        if self.is_away:
            raise Unavailable("the database does not answer")


@dataclass
class Process:
    """One process with an executor of its own."""

    executor: Executor
    units: CutOff
    tests: Tests
    tasks: list[asyncio.Task] = field(default_factory=list)

    def starts(self, story: Awaitable) -> asyncio.Task:
        task = asyncio.ensure_future(story)
        self.tasks.append(task)
        return task

    async def stops(self) -> None:
        """End as SIGTERM has it end."""
        for task in self.tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def dies(self) -> None:
        """End as kill -9 has it end: nothing can be given back."""
        self.units.is_away = True
        await self.stops()


def with_products(count: int) -> MemorySource:
    """Build a catalogue of so many products with a feature and a test each."""
    source = MemorySource()
    for number in range(1, count + 1):
        source.add(product(number), feature(number * 10, number), a_test(number * 100, number))
    return source


@dataclass
class ExecutingHouse:
    """One store, one catalogue and one lock, for any number of processes."""

    source: MemorySource = field(default_factory=lambda: with_products(2))
    time: VirtualTime = field(default_factory=VirtualTime)
    lock: OneLock = field(default_factory=OneLock)
    nudges: Nudges = field(default_factory=Nudges)
    terms: ExecutorTerms = field(default_factory=ExecutorTerms)
    store: MemorySync = field(default_factory=lambda: MemorySync(ids()))

    async def begin(
        self, *phases: SyncPhase, holder: str | None = None, **asked: object
    ) -> SyncRun:
        token = await self.lock.acquire("acme", "run-1")
        new = new_run(asked=order("acme", *phases, **asked), now=self.time.now)
        begun = await self.store.begin(replace(new, lease_token=token, holder=holder))
        return begun.run

    def process(self) -> Process:
        units, tests = CutOff(self.store), Tests()
        stories = {
            SyncPhase.PRODUCTS: Products(),
            SyncPhase.FEATURES: Features(),
            SyncPhase.NEW_TESTS: tests,
        }
        executor = Executor(
            units,
            self.store,
            self.store,
            MemorySources({"acme": self.source}),
            self.lock,
            stories,
            self.terms,
            self.time.clock,
            self.time.pause,
            self.nudges,
            chance=lambda: 0.5,
        )
        return Process(executor, units, tests)

    async def run(self) -> SyncRun:
        return await self.store.run("run-1")
