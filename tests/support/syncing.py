"""Sync services as several processes have them, over one record, with time that a test moves."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from syncsvc.catalogue.locks.lease import LeaseLock
from syncsvc.catalogue.memory import MemorySync
from syncsvc.catalogue.model import IfRunning, SyncPhase, SyncRun
from syncsvc.catalogue.ports import Customer, SyncLock
from syncsvc.catalogue.request import Looked, Request, SyncTerms
from syncsvc.catalogue.service import SyncService
from syncsvc.catalogue.work import Claimed, Done, ProductsFound, Step
from syncsvc.coordination.leases.memory import MemoryLeases
from tests.support.builders import SECOND, Clock, ids
from tests.support.catalogue import MemorySource, MemorySources, product

TERM = 10 * SECOND
TERMS = SyncTerms()
WAIT = Request()
FAIL = Request(if_running=IfRunning.FAIL)
JOIN = Request(if_running=IfRunning.JOIN)


def done(claimed: Claimed) -> Step:
    """Do a unit at once; there are two products."""
    if claimed.unit.phase is SyncPhase.PRODUCTS:
        return Step(found=[ProductsFound([product(1), product(2)])], outcome=Done())
    return Step(outcome=Done())


@dataclass
class Hands:
    """Works on runs as an executor does, by steps that a test gives, once `may_go` is set."""

    record: MemorySync
    clock: Clock
    step: Callable[[Claimed], Step] = done
    may_go: asyncio.Event = field(default_factory=asyncio.Event)
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    drives: list[str] = field(default_factory=list)
    works: list[tuple[SyncPhase, int | None]] = field(default_factory=list)
    failure: BaseException | None = None

    async def drive(self, run_id: str, looked: Looked | None) -> SyncRun:
        self.drives.append(run_id)
        self.has_begun.set()
        await self.may_go.wait()
        if self.failure is not None:
            raise self.failure
        while claimed := await self.record.claim(self.clock(), TERM, run_id):
            self.works.append((claimed.unit.phase, claimed.unit.product_id))
            await self.record.commit(claimed, self.step(claimed), self.clock())
            if looked is not None:
                await looked(await self.record.run(run_id))
        return await self.record.run(run_id)


@dataclass
class Nudges:
    sent: list[int] = field(default_factory=list)

    async def sync(self, workers: int) -> None:
        self.sent.append(workers)


@dataclass
class World:
    """The record and all that processes share. `alive`: runs that give signs of life."""

    clock: Clock = field(default_factory=Clock)
    customers: tuple[Customer, ...] = (Customer("acme"),)
    alive: dict[str, SyncLock] = field(default_factory=dict)
    each_look: timedelta | None = None  # passes with each pause, instead of what was asked
    at_pause: Callable[[], Awaitable[None] | None] = lambda: None
    nudges: Nudges = field(default_factory=Nudges)
    terms: SyncTerms = TERMS
    record: MemorySync = field(default_factory=lambda: MemorySync(ids("entry")))
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.leases = MemoryLeases(self.clock)
        self.new_id = ids("run")
        self.source = MemorySource([product(1), product(2)])
        by_name = {customer.name: self.source for customer in self.customers}
        self.sources = MemorySources(by_name, {each.name: each for each in self.customers})

    def process(
        self, lock: SyncLock | None = None, holder: str | None = None, *, busy: bool = False
    ) -> "Process":
        """Give one process more; `busy`: its work goes on until a test lets it end."""
        hands = Hands(self.record, self.clock)
        if not busy:
            hands.may_go.set()
        lock = lock or LeaseLock(self.leases)
        service = SyncService(
            runs=self.record,
            stored=self.record,
            sources=self.sources,
            lock=lock,
            executor=hands,
            nudge=self.nudges,
            terms=self.terms,
            clock=self.clock,
            new_id=self.new_id,
            pause=self.pause,
            chance=lambda: 0.5,
            holder=holder,
        )
        return Process(self, service, hands, lock)

    async def pause(self, seconds: float) -> None:
        """Let time pass, in which those that are alive say so."""
        assert len(self.pauses) < 1000, "waits without an end"
        self.pauses.append(seconds)
        self.clock.pass_(self.each_look or timedelta(seconds=seconds))
        await self.beat()
        self.at_pause()
        await asyncio.sleep(0)

    async def beat(self) -> None:
        for run_id, lock in self.alive.items():
            run = await self.record.run(run_id)
            await self.record.keep([], [run_id], self.clock(), TERM)
            if run.lease_token is not None:
                await lock.renew(run.order.customer, run_id, run.lease_token)


@dataclass
class Process:
    world: World
    syncs: SyncService
    hands: Hands
    lock: SyncLock
    task: "asyncio.Task[object] | None" = None

    async def begins(self, request: Request = WAIT, *, lives: bool = True) -> str:
        """Begin a sync that is at work then, and give its run's id."""
        self.task = asyncio.create_task(self.syncs.execute_sync(request=request))
        beginning = asyncio.create_task(self.hands.has_begun.wait())
        await asyncio.wait({self.task, beginning}, return_when=asyncio.FIRST_COMPLETED)
        run_id = self.hands.drives[-1]
        if lives:
            self.world.alive[run_id] = self.lock
        return run_id

    async def ends(self):
        """Let the work go on to its end, and give the result."""
        self.hands.may_go.set()
        return await self.task
