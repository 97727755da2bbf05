"""What beat does for syncs: start those that are due, and see to those that nobody works on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncsvc.catalogue.ending import Ending
from syncsvc.catalogue.model import IfRunning, RunStatus, SyncEvent, SyncRun, Trigger
from syncsvc.catalogue.ports import LockHeld, RunFilter, Sources, SyncNudge, SyncRuns
from syncsvc.catalogue.request import Request, SyncTerms
from syncsvc.catalogue.timetable import latest_slot
from syncsvc.errors import SyncsvcError, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

MOST_RUNNING = 1000  # that are looked at; each customer has one at most


class Start(Protocol):
    """Begins a run and leaves it to the task workers."""

    async def __call__(self, *, request: Request) -> SyncRun: ...


@dataclass(frozen=True)
class Tending:
    record: SyncRuns
    sources: Sources
    ending: Ending
    nudge: SyncNudge
    terms: SyncTerms
    clock: Callable[[], datetime]

    async def start_due(self, start: Start) -> int:
        """Start what is due, and count it; what fails for one customer is told, and costs a slot.

        A slot is taken before its sync starts: two beats never start the same. It is given back
        where the start was only prevented for now: the next tick tries again.
        """
        customers, now = self.sources.customers if self.terms.by_itself else (), self.clock()
        started = 0
        for index, customer in enumerate(customers):
            slot = latest_slot(index, len(customers), self.terms.sync_every, now)
            try:
                if await self.record.take_slot(customer.name, slot):
                    started += await self._start(start, customer.name, slot)
            except SyncsvcError as error:
                log.warning("sync not started", customer=customer.name, reason=str(error))
        return started

    async def reap(self) -> int:
        """Close dead runs and count them; wake task workers up for those that stall."""
        now = self.clock()
        dead = await self.record.dead(
            now - self.terms.dead_shared_after, now - self.terms.heartbeat_limit
        )
        closed = 0
        for run in dead:
            try:
                closed += await self.bury(run)
            except SyncsvcError as error:
                log.warning("dead sync not closed", run=run.id, reason=str(error))
        await self._wake(now)
        return closed

    def is_dead(self, run: SyncRun) -> bool:
        return self.terms.is_dead(run, self.clock())

    async def bury(self, run: SyncRun) -> bool:
        """Close a dead run; False when it was over by then."""
        silence = (self.clock() - run.heartbeat_at).total_seconds()
        who = "the task workers" if run.holder is None else f"process {run.holder}"
        reason = f"no sign of life of {who} for {silence:.0f} s; what it committed is kept"
        closed = await self.ending.end(run, RunStatus.ABANDONED, reason)
        if closed.status is not RunStatus.ABANDONED:
            return False
        log.warning("dead sync closed", run=run.id, customer=run.order.customer, reason=reason)
        return True

    async def _start(self, start: Start, customer: str, slot: datetime) -> bool:
        try:
            await start(request=Request(customer, Trigger.BEAT, if_running=IfRunning.FAIL))
        except LockHeld as error:
            message = f"the sync due at {slot.isoformat(timespec='seconds')} is left out: {error}"
            await self.record.note(
                SyncEvent(error.run_id, customer, self.clock(), "skipped", message)
            )
            return False
        except Unavailable:
            await self.record.return_slot(customer, slot)
            raise
        return True

    async def _wake(self, now: datetime) -> None:
        running = await self.record.runs(RunFilter(status=RunStatus.RUNNING, limit=MOST_RUNNING))
        silent_since = now - self.terms.heartbeat_limit
        stalled = [run for run in running if run.is_shared and run.heartbeat_at < silent_since]
        if stalled:
            await self.nudge.sync(min(len(stalled), self.terms.woken))
