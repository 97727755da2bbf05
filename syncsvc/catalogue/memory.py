"""Syncs and what they store in this process: the twin that unit tests use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import to_builtins

from syncsvc.catalogue.memory_rows import PhaseTimes, Row, Shelf
from syncsvc.catalogue.memory_units import MemoryUnits
from syncsvc.catalogue.model import (
    EntityType,
    ErrorClass,
    PhaseProgress,
    RunStatus,
    SyncEvent,
    SyncRun,
    UnitState,
)
from syncsvc.catalogue.ports import Begun, CustomerPulse, CustomerState, NewRun, RunFilter
from syncsvc.catalogue.verdict import order_told
from syncsvc.catalogue.work import LIVE, Unit

_SHELF = {
    EntityType.PRODUCTS: "products",
    EntityType.FEATURES: "features",
    EntityType.USER_STORIES: "stories",
    EntityType.TESTS: "tests",
}


@dataclass
class MemorySync(MemoryUnits):
    async def begin(self, new: NewRun) -> Begun:
        customer = new.order.customer
        running, reclaimed = self._running_of(customer), None
        if running is not None:
            if not _is_dead(running, new) or self._is_due_from(running, new.now):
                return Begun(running, is_new=False)
            self._abandon(running, new.now)
            reclaimed = self.recorded(running.id)
        run = self._record(new)
        if reclaimed is not None:
            message = f"sync {reclaimed.id} was closed for this one: {reclaimed.error}"
            self.note_on(run, new.now, "reclaimed", message)
        self._start(run, new.now)
        return Begun(self.recorded(run.id), is_new=True, reclaimed=reclaimed)

    async def run(self, run_id: str) -> SyncRun:
        return self.recorded(run_id)

    async def runs(self, which: RunFilter) -> Sequence[SyncRun]:
        chosen = [run_id for run_id, run in self.known_runs.items() if _is_meant(run, which)]
        return [self.recorded(run_id) for run_id in sorted(chosen, reverse=True)[: which.limit]]

    async def phases(self, run_id: str) -> Sequence[PhaseProgress]:
        return [self.progress(run_id, phase) for phase in self.phase_times[run_id]]

    async def units(self, run_id: str) -> Sequence[Unit]:
        return self.units_of(run_id)

    async def events(self, run_id: str) -> Sequence[SyncEvent]:
        return [event for event in self.history if event.run_id == run_id]

    async def note(self, event: SyncEvent) -> None:
        self.history.append(event)

    async def close(
        self,
        run_id: str,
        status: RunStatus,
        now: datetime,
        *,
        reason: str,
        error_class: ErrorClass | None = None,
    ) -> SyncRun:
        run = self.recorded(run_id)
        if not run.status.is_over:
            self._finish(run, status, now, reason, error_class)
        return self.recorded(run_id)

    async def dead(self, shared_since: datetime, alone_since: datetime) -> Sequence[SyncRun]:
        return [
            self.recorded(run.id)
            for run in self.known_runs.values()
            if not run.status.is_over
            and run.heartbeat_at < (shared_since if run.is_shared else alone_since)
            and not self._is_due_from(run, shared_since)
        ]

    async def take_slot(self, customer: str, slot: datetime) -> bool:
        is_free = customer not in self.slots or self.slots[customer] < slot
        if is_free:
            self.slots[customer] = slot
        return is_free

    async def return_slot(self, customer: str, slot: datetime) -> None:
        if self.slots.get(customer) == slot:
            del self.slots[customer]

    async def state(self, customer: str) -> CustomerState:
        shelf, pulse = self.shelves[customer, LIVE], await self.pulse(customer)
        active = sum(row.is_live for row in shelf.products.values())
        return CustomerState(
            customer,
            products=len(shelf.products),
            inactive_products=len(shelf.products) - active,
            features=sum(row.is_live for row in shelf.features.values()),
            user_stories=sum(row.is_live for row in shelf.stories.values()),
            tests=sum(row.is_live for row in shelf.tests.values()),
            quarantined=pulse.quarantined,
            incomplete=pulse.incomplete,
            last_success_at=pulse.last_success_at,
            running=pulse.running,
        )

    async def pulse(self, customer: str) -> CustomerPulse:
        shelf, running = self.shelves[customer, LIVE], self._running_of(customer)
        return CustomerPulse(
            last_success_at=self._last_success(customer),
            running=None if running is None else running.id,
            quarantined=len(self._sick(customer)),
            incomplete=sum(
                not coverage.is_whole and _is_polled(shelf, product_id)
                for product_id, coverage in shelf.coverage.items()
            ),
        )

    async def forget(self, before: datetime) -> int:
        newest = {run.order.customer: run_id for run_id, run in sorted(self.known_runs.items())}
        old = {
            run_id
            for run_id, run in self.known_runs.items()
            if run.ended_at is not None and run.ended_at < before
        } - set(newest.values())
        for run_id in old:
            for unit in self.units_of(run_id):
                del self.known_units[unit.id]
            del self.known_runs[run_id], self.phase_times[run_id]
        self.history = [
            event
            for event in self.history
            if event.run_id not in old and (event.run_id or event.at >= before)
        ]
        return len(old)

    def rows(self, customer: str, kind: EntityType) -> list[dict[str, object]]:
        """Give what readers see, without which run saw it and when, to compare with another."""
        rows: dict[int | str, Row[Any]] = getattr(self.shelves[customer, LIVE], _SHELF[kind])
        return [
            {"key": key, "digest": row.digest, **to_builtins(row.what)}
            for key, row in sorted(rows.items())
            if row.is_live
        ]

    def _running_of(self, customer: str) -> SyncRun | None:
        for run in self.known_runs.values():
            if run.order.customer == customer and not run.status.is_over:
                return self.recorded(run.id)
        return None

    def _is_due_from(self, run: SyncRun, moment: datetime) -> bool:
        """Tell whether task workers go on with a run then or later."""
        units = self.units_of(run.id) if run.is_shared else []
        dues = [unit.due_at for unit in units if unit.state is UnitState.OPEN and unit.due_at]
        return any(due_at >= moment for due_at in dues)

    def _record(self, new: NewRun) -> SyncRun:
        customer = new.order.customer
        self.fences[customer] = self.fences.get(customer, 0) + 1
        run = SyncRun(
            id=new.id,
            order=new.order,
            status=RunStatus.RUNNING,
            fence=self.fences[customer],
            lease_token=new.lease_token,
            holder=new.holder,
            started_at=new.now,
            heartbeat_at=new.now,
            resumed_from=self._unsuccessful(customer),
        )
        self.known_runs[run.id] = run
        self.phase_times[run.id] = {phase: PhaseTimes() for phase in new.order.phases}
        return run

    def _start(self, run: SyncRun, now: datetime) -> None:
        """Plan a run's first units; one that has none ends at once."""
        self.note_on(run, now, "started", order_told(run.order))
        self._plan_first(run, now)
        if not self.units_of(run.id):
            text = "no active product in scope is known: run the phase products first"
            self.note_on(run, now, "warning", text)
            self._end_phases(run, now)

    def _abandon(self, run: SyncRun, now: datetime) -> None:
        seen = run.heartbeat_at.isoformat(timespec="seconds")
        self._finish(run, RunStatus.ABANDONED, now, f"no sign of life since {seen}")

    def _unsuccessful(self, customer: str) -> str | None:
        """Name the customer's last run, if it ended otherwise than in success."""
        of_customer = [r for r in self.known_runs.values() if r.order.customer == customer]
        last = max(of_customer, key=lambda run: run.fence, default=None)
        return None if last is None or last.status is RunStatus.SUCCESS else last.id

    def _last_success(self, customer: str) -> datetime | None:
        ends = [
            run.ended_at
            for run in self.known_runs.values()
            if run.order.customer == customer and run.status is RunStatus.SUCCESS and run.ended_at
        ]
        return max(ends, default=None)


def _is_dead(running: SyncRun, new: NewRun) -> bool:
    same_host = (
        running.holder is not None
        and new.holder is not None
        and running.holder.partition(":")[0] == new.holder.partition(":")[0]
    )
    return running.heartbeat_at < new.live_since or (new.is_alone and same_host)


def _is_polled(shelf: Shelf, product_id: int) -> bool:
    return product_id not in shelf.products or shelf.products[product_id].is_live


def _is_meant(run: SyncRun, which: RunFilter) -> bool:
    return (
        which.customer in (None, run.order.customer)
        and which.status in (None, run.status)
        and (which.before is None or run.id < which.before)
    )
