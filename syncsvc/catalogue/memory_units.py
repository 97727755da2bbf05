"""Units of a sync in this process: claims, commits, and what follows from a unit's end."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syncsvc.catalogue.memory_ending import MemoryEnding
from syncsvc.catalogue.memory_entities import Keeping
from syncsvc.catalogue.memory_stored import MemoryStored
from syncsvc.catalogue.model import Counts, ErrorClass, RunStatus, SyncPhase, SyncRun, UnitState
from syncsvc.catalogue.work import (
    LIVE,
    Claimed,
    Committed,
    Done,
    Failed,
    Later,
    Outcome,
    Step,
    Unit,
)
from syncsvc.errors import Conflict


@dataclass
class MemoryUnits(MemoryEnding, MemoryStored):
    async def claim(
        self, now: datetime, term: timedelta, run_id: str | None = None
    ) -> Claimed | None:
        due = [u for u in self.known_units.values() if self._may_be_claimed(u, now, run_id)]
        if not due:
            return None
        chosen = min((u.run_id for u in due), key=self._turn)
        unit = min((u for u in due if u.run_id == chosen), key=lambda u: (u.due_at or now, u.id))
        self.served_at[chosen] = now
        run = self._show_life(chosen, now)
        if unit.started_at is None:
            self._begin_phase(run, unit.phase, now)
        self.claims[unit.id] = claim = self.new_id()
        attempt, started_at = unit.attempt + 1, unit.started_at or now
        unit = replace(unit, attempt=attempt, due_at=now + term, started_at=started_at)
        self.known_units[unit.id] = unit
        return Claimed(claim, unit, run)

    async def keep(
        self, claims: Collection[str], runs: Collection[str], now: datetime, term: timedelta
    ) -> Collection[str]:
        held = {claim: unit_id for unit_id, claim in self.claims.items() if claim in claims}
        for unit_id in held.values():
            self.known_units[unit_id] = replace(self.known_units[unit_id], due_at=now + term)
        for run_id in runs:
            if run_id in self.known_runs and not self.known_runs[run_id].status.is_over:
                self._show_life(run_id, now)
        return set(claims) - held.keys()

    async def commit(self, claimed: Claimed, step: Step, now: datetime) -> Committed:
        run = self._running(claimed)
        unit = self.known_units[claimed.unit.id]
        if step.coverage is not None:
            shelf = self.shelves[run.order.customer, claimed.stage]
            shelf.coverage[claimed.product] = step.coverage
        counts = step.spent + self._keep_step(claimed, step, now)
        cursor = unit.cursor if step.cursor is None else step.cursor
        unit = replace(unit, counts=unit.counts + counts, cursor=cursor)
        self.known_units[unit.id] = unit = _with_outcome(unit, step.outcome, now)
        if step.outcome is not None:
            del self.claims[unit.id]
        opened = self._conclude(run, unit, step.outcome, now)
        return Committed(counts, opened, self.recorded(run.id))

    def _may_be_claimed(self, unit: Unit, now: datetime, run_id: str | None) -> bool:
        run = self.known_runs[unit.run_id]
        mine = run.is_shared if run_id is None else run.id == run_id
        is_due = unit.due_at is None or unit.due_at <= now
        return mine and not run.status.is_over and unit.state is UnitState.OPEN and is_due

    def _turn(self, run_id: str) -> tuple[bool, datetime | None, str]:
        """Sort by it: runs that were never served, then those served longest ago."""
        return (run_id in self.served_at, self.served_at.get(run_id), run_id)

    def _show_life(self, run_id: str, now: datetime) -> SyncRun:
        self.known_runs[run_id] = replace(self.known_runs[run_id], heartbeat_at=now)
        return self.recorded(run_id)

    def _begin_phase(self, run: SyncRun, phase: SyncPhase, now: datetime) -> None:
        times = self.phase_times[run.id][phase]
        if times.started_at is None:
            times.started_at = now
            self.note_on(run, now, "phase_started", f"{phase} started", (phase, None))

    def _running(self, claimed: Claimed) -> SyncRun:
        """Give the run of a claim. Raises Conflict when the claim or the run is lost."""
        run = self.known_runs.get(claimed.run.id)
        if run is None or run.status is not RunStatus.RUNNING:
            found = "none" if run is None else run.status
            raise Conflict(f"sync run {claimed.run.id}: expected it to be running, found {found}")
        if run.fence != self.fences[run.order.customer]:
            raise Conflict(f"sync run {run.id}: expected the newest fence, found {run.fence}")
        if self.claims.get(claimed.unit.id) != claimed.claim:
            raise Conflict(f"unit {claimed.unit.id}: expected our claim, found another or none")
        return run

    def _keep_step(self, claimed: Claimed, step: Step, now: datetime) -> Counts:
        """Store what a step brings beside its outcome, and count it."""
        run, unit, customer = claimed.run, claimed.unit, claimed.run.order.customer
        trusting = run.order.options.allow_vanishing
        shelf, live = self.shelves[customer, claimed.stage], self.shelves[customer, LIVE]
        keeping = Keeping(shelf, live, run.id, now, trusting)
        counts, warnings = Counts(), list(step.warnings)
        for found in step.found:
            kept = keeping.keep(found)
            counts += kept.counts
            warnings += kept.warnings
        new = sum(self._quarantine(customer, poison, now) for poison in step.poisoned)
        self._heal(customer, step.healed, now)
        for warning in warnings:
            self.note_on(run, now, "warning", warning, (unit.phase, unit.product_id))
        return counts + Counts(quarantined=new)

    def _conclude(self, run: SyncRun, unit: Unit, outcome: Outcome | None, now: datetime) -> int:
        """Do what follows from an outcome; say how many units may be claimed now."""
        if isinstance(outcome, Failed):
            message = f"{outcome.error_class}: {outcome.error}"
            self.note_on(run, now, "unit_failed", message, (unit.phase, unit.product_id))
            if outcome.error_class is ErrorClass.AUTH:
                self._end_run(run, now, denied=outcome)
                return 0
        if outcome is None or isinstance(outcome, Later):
            return 0
        return self._unit_over(run, unit, now)


def _with_outcome(unit: Unit, outcome: Outcome | None, now: datetime) -> Unit:
    match outcome:
        case None:
            return unit
        case Later(due_at, reason, is_setback):
            attempt = unit.attempt if is_setback else max(unit.attempt - 1, 0)
            error = reason if is_setback else None
            return replace(unit, due_at=due_at, attempt=attempt, error=error)
        case Failed(error_class, error):
            ended = replace(unit, state=UnitState.FAILED, error=error, error_class=error_class)
        case Done():
            ended = replace(unit, state=UnitState.DONE, error=None, error_class=None)
    return replace(ended, due_at=None, ended_at=now)
