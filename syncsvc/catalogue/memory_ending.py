"""What the end of a unit brings about: the next units, the end of its phase, and of the run."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from syncsvc.catalogue.memory_nuking import conclude_nuke
from syncsvc.catalogue.memory_rows import MemoryRows, summed, tally
from syncsvc.catalogue.model import (
    Barrier,
    ErrorClass,
    RunStatus,
    SyncPhase,
    SyncRun,
    UnitState,
)
from syncsvc.catalogue.verdict import event_of, last_words, phase_told, told, verdict
from syncsvc.catalogue.work import ASIDE, LIVE, Failed, Unit


@dataclass
class MemoryEnding(MemoryRows):
    def _plan_first(self, run: SyncRun, now: datetime) -> None:
        """Plan what a run begins with."""
        if SyncPhase.PRODUCTS in run.order.phases:
            self._add(run, SyncPhase.PRODUCTS, [None], now)
        else:
            self._plan_of_products(run, LIVE, now)

    def _plan_of_products(self, run: SyncRun, stage: int, now: datetime) -> int:
        """Plan the phases after PRODUCTS; say how many units may be claimed."""
        phases = [phase for phase in run.order.phases if phase is not SyncPhase.PRODUCTS]
        asked = run.order.scope.product_ids
        rows = self.shelves[run.order.customer, stage].products
        products = [
            key for key in sorted(rows) if rows[key].is_live and (asked is None or key in asked)
        ]
        for phase in phases:
            self._add(run, phase, products, now if phase is phases[0] else None)
        return len(products) if phases else 0

    def _add(
        self,
        run: SyncRun,
        phase: SyncPhase,
        products: Collection[int | None],
        due_at: datetime | None,
    ) -> None:
        state = UnitState.WAITING if due_at is None else UnitState.OPEN
        for product in products:
            unit = Unit(self.new_id(), run.id, phase, product, state, due_at=due_at)
            self.known_units[unit.id] = unit

    def _unit_over(self, run: SyncRun, unit: Unit, now: datetime) -> int:
        """Go on after a unit; say how many others may be claimed now."""
        opened = 0
        if unit.phase is SyncPhase.PRODUCTS:
            is_aside = run.order.options.nuke and unit.state is UnitState.DONE
            opened = self._plan_of_products(run, ASIDE if is_aside else LIVE, now)
        elif unit.phase is SyncPhase.FEATURES and run.order.barrier is Barrier.PRODUCT:
            opened = self._open(run, now, unit.product_id)
        return opened + self._end_phases(run, now)

    def _open(self, run: SyncRun, now: datetime, product_id: int | None = None) -> int:
        waiting = [
            unit
            for unit in self.units_of(run.id)
            if unit.state is UnitState.WAITING and product_id in (None, unit.product_id)
        ]
        for unit in waiting:
            self.known_units[unit.id] = replace(unit, state=UnitState.OPEN, due_at=now)
        return len(waiting)

    def _end_phases(self, run: SyncRun, now: datetime) -> int:
        """End the phases that have no unit left, and after the last one the run."""
        opened = 0
        for phase in run.order.phases:
            if not all(unit.state.is_over for unit in self.units_of(run.id, phase)):
                return opened
            times = self.phase_times[run.id][phase]
            if times.ended_at is None:
                times.ended_at = now
                message = phase_told(self.progress(run.id, phase))
                self.note_on(run, now, "phase_completed", message, (phase, None))
                opened += self._open(run, now) if phase is SyncPhase.FEATURES else 0
        self._end_run(run, now)
        return opened

    def _end_run(self, run: SyncRun, now: datetime, denied: Failed | None = None) -> None:
        conclude_nuke(self, run, now)
        units = self.units_of(run.id)
        status = verdict(tally(units), denied=denied is not None)
        failed = denied or (_first_failed(units) if status is RunStatus.FAILED else None)
        error, error_class = (failed.error, failed.error_class) if failed else (None, None)
        self._finish(run, status, now, error, error_class)

    def _finish(
        self,
        run: SyncRun,
        status: RunStatus,
        now: datetime,
        error: str | None = None,
        error_class: ErrorClass | None = None,
    ) -> None:
        """End a run and whatever units it has left; what was built aside is removed."""
        self.shelves.pop((run.order.customer, ASIDE), None)
        for unit in self.units_of(run.id):
            self.claims.pop(unit.id, None)
            if not unit.state.is_over:
                self.known_units[unit.id] = replace(
                    unit, state=UnitState.CANCELLED, due_at=None, ended_at=now
                )
        self.known_runs[run.id] = replace(
            self.known_runs[run.id],
            status=status,
            ended_at=now,
            error=error,
            error_class=error_class,
        )
        units = self.units_of(run.id)
        summary = told(tally(units), summed(units))
        message = f"{error}; {summary}" if error else summary
        self.note_on(run, now, event_of(status), last_words(run, status, now, message))


def _first_failed(units: Collection[Unit]) -> Failed | None:
    failed = [unit for unit in units if unit.state is UnitState.FAILED]
    for unit in sorted(failed, key=lambda u: (u.ended_at is None, u.ended_at, u.id)):
        if unit.error_class is not None and unit.error is not None:
            return Failed(unit.error_class, unit.error)
    return None
