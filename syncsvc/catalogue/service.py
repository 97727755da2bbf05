"""One pass over a customer's catalogue, for beat, the command line, the API and libraries alike.

A run begins once at a time for each customer, whoever asks, and any process may work on it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.catalogue.beginning import Beginning
from syncsvc.catalogue.ending import Ending
from syncsvc.catalogue.locks.turns import Turns
from syncsvc.catalogue.model import (
    Order,
    PhaseProgress,
    RunStatus,
    SyncEvent,
    SyncOptions,
    SyncPhase,
    SyncResult,
    SyncRun,
    SyncScope,
)
from syncsvc.catalogue.ordering import Asked, ordered
from syncsvc.catalogue.ports import (
    CustomerPulse,
    CustomerState,
    RunFilter,
    Sources,
    Stored,
    SyncLock,
    SyncNudge,
    SyncRuns,
)
from syncsvc.catalogue.rehearsal import Rehearsal, rehearse
from syncsvc.catalogue.report import Record, result_of
from syncsvc.catalogue.request import Drives, Request, SyncTerms
from syncsvc.catalogue.taking_part import TakingPart
from syncsvc.catalogue.tending import Tending
from syncsvc.catalogue.work import Quarantined, Unit
from syncsvc.errors import Conflict, Rejected, Unknown

__all__ = ["Request", "SyncService", "SyncTerms"]

ALL, PLAIN, ASKED = SyncScope(), SyncOptions(), Request()


@dataclass
class SyncService:
    """`holder` names this process where it drives its runs alone; None: task workers help."""

    runs: SyncRuns
    stored: Stored
    sources: Sources
    lock: SyncLock
    executor: Drives
    nudge: SyncNudge
    terms: SyncTerms
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    pause: Callable[[float], Awaitable[None]]
    chance: Callable[[], float]  # in [0, 1)
    holder: str | None
    _ending: Ending = field(init=False)
    _beginning: Beginning = field(init=False)
    _tending: Tending = field(init=False)
    _part: TakingPart = field(init=False)

    def __post_init__(self) -> None:
        turns = Turns()
        self._ending = Ending(self.runs, self.lock, self.clock, self.terms.closing)
        self._beginning = Beginning(
            record=self.runs,
            lock=self.lock,
            turns=turns,
            ending=self._ending,
            terms=self.terms,
            clock=self.clock,
            new_id=self.new_id,
            pause=self.pause,
            chance=self.chance,
            holder=self.holder,
        )
        self._tending = Tending(
            self.runs, self.sources, self._ending, self.nudge, self.terms, self.clock
        )
        self._part = TakingPart(
            record=self.runs,
            executor=self.executor,
            turns=turns,
            beginning=self._beginning,
            ending=self._ending,
            tending=self._tending,
            nudge=self.nudge,
            pause=self.pause,
        )

    async def execute_sync(
        self,
        phases: Sequence[SyncPhase] | None = None,
        scope: SyncScope = ALL,
        options: SyncOptions = PLAIN,
        *,
        request: Request = ASKED,
    ) -> SyncResult:
        """Sync, taking part in the work until the run is over, and say what came of it.

        A run that was begun here and is cancelled is closed as such before this is left. Raises
        Rejected for what cannot be asked, LockHeld while another runs, and Unavailable.
        """
        order = self._ordered(Asked(phases, scope, options), request)
        begun = await self._beginning.begin(order, request, here=True)
        if begun.is_new:
            await self._part.carry_out(begun.run, request.progress)
        else:
            await self._part.join(begun.run, request.progress)
        return replace(await self.result(begun.run.id), joined=not begun.is_new)

    async def start(
        self,
        phases: Sequence[SyncPhase] | None = None,
        scope: SyncScope = ALL,
        options: SyncOptions = PLAIN,
        request: Request = ASKED,
    ) -> SyncRun:
        """Begin a run and leave it to the task workers; or give the one to join."""
        if self.holder is not None:
            raise Rejected(
                "a sync that is left to task workers needs Redis, found none: "
                "set SYNCSVC_REDIS_URL, or wait for the sync here"
            )
        order = self._ordered(Asked(phases, scope, options), request)
        begun = await self._beginning.begin(order, request, here=False)
        if begun.run.status.is_over:  # there was nothing to do
            await self._ending.free(begun.run)
        else:
            await self.nudge.sync(self.terms.woken)
        return begun.run

    async def rehearse(
        self,
        phases: Sequence[SyncPhase] | None = None,
        scope: SyncScope = ALL,
        options: SyncOptions = PLAIN,
        request: Request = ASKED,
    ) -> Rehearsal:
        """Say what a sync would do; a few pages are read for it, and nothing is written."""
        order = self._ordered(Asked(phases, scope, options), request)
        source = self.sources.of(order.customer)
        return await rehearse(order, source, self.stored, self.terms.page_size)

    async def result(self, run_id: str) -> SyncResult:
        """Say what came of a run, or has so far. Raises Unknown."""
        run = await self.runs.run(run_id)
        phases, units = await self.runs.phases(run_id), await self.runs.units(run_id)
        record = Record(run, phases, units, await self.runs.events(run_id))
        return result_of(record, self.clock())

    async def cancel(
        self, run_id: str | None = None, customer: str | None = None, reason: str = "asked for"
    ) -> SyncRun:
        """End a run, or the one that a customer has. Raises Unknown, or Conflict when it is over.

        What it has committed is kept, and what it commits later is refused.
        """
        run = await self._meant(run_id, customer)
        if not run.status.is_over:
            run = await self._ending.end(run, RunStatus.CANCELLED, reason)
            if run.status is RunStatus.CANCELLED:
                return run
        raise Conflict(f"run {run.id}: expected one that runs, found that it is over: {run.status}")

    async def start_due(self) -> int:
        """Start the syncs that the timetable has due, and count them."""
        return await self._tending.start_due(self.start)

    async def reap(self) -> int:
        """Close runs that nobody works on any more, and count them."""
        return await self._tending.reap()

    async def forget(self, life: timedelta) -> int:
        """Remove the record of runs that ended longer ago, and count them."""
        return await self.runs.forget(self.clock() - life)

    def customer(self, name: str | None = None) -> str:
        """Give a customer's name, or that of the only one. Raises Unknown."""
        return self.sources.customer(name).name

    def customers(self) -> Sequence[str]:
        return [customer.name for customer in self.sources.customers]

    async def history(self, which: RunFilter) -> Sequence[SyncRun]:
        return await self.runs.runs(which)

    async def run(self, run_id: str) -> SyncRun:
        return await self.runs.run(run_id)

    async def phases(self, run_id: str) -> Sequence[PhaseProgress]:
        return await self.runs.phases(run_id)

    async def units(self, run_id: str) -> Sequence[Unit]:
        return await self.runs.units(run_id)

    async def events(self, run_id: str) -> Sequence[SyncEvent]:
        return await self.runs.events(run_id)

    async def state(self, customer: str | None = None) -> CustomerState:
        return await self.runs.state(self.customer(customer))

    async def pulse(self, customer: str) -> CustomerPulse:
        return await self.runs.pulse(customer)

    async def quarantined(
        self, customer: str | None = None, product_id: int | None = None
    ) -> Sequence[Quarantined]:
        return await self.stored.quarantined(customer, product_id)

    async def retry_quarantined(
        self, quarantine_id: str | None = None, customer: str | None = None
    ) -> int:
        return await self.stored.retry_quarantined(self.clock(), quarantine_id, customer)

    def _ordered(self, asked: Asked, request: Request) -> Order:
        customer = self.sources.customer(request.customer)
        return ordered(asked, request, customer, self.clock())

    async def _meant(self, run_id: str | None, customer: str | None) -> SyncRun:
        """Give a run by its id, or the one that a customer has."""
        if run_id is not None:
            run = await self.runs.run(run_id)
            if customer not in (None, run.order.customer):
                raise Unknown(f"run {run_id}: expected one of customer {customer}, found another's")
            return run
        name = self.customer(customer)
        running = await self.runs.runs(RunFilter(name, RunStatus.RUNNING, limit=1))
        if not running:
            raise Unknown(f"no sync of customer {name} runs")
        return running[0]
