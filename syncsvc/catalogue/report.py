"""What came of a run, told from what is recorded of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from syncsvc.catalogue.model import (
    Counts,
    PhaseProgress,
    RunStatus,
    SyncEvent,
    SyncPhase,
    SyncResult,
    SyncRun,
    UnitState,
)
from syncsvc.catalogue.work import Unit

TOTAL = "total"
TOLD = frozenset({"warning", "reclaimed"})  # kinds of events that a result repeats
ENDED_BY_ITSELF = frozenset({RunStatus.SUCCESS, RunStatus.PARTIAL})
CALLED = {SyncPhase.NEW_TESTS: "tests"}


@dataclass(frozen=True, slots=True)
class Record:
    """All that is recorded of a run."""

    run: SyncRun
    phases: Sequence[PhaseProgress]
    units: Sequence[Unit]
    events: Sequence[SyncEvent]


def result_of(record: Record, now: datetime) -> SyncResult:
    run = record.run
    return SyncResult(
        run_id=run.id,
        customer=run.order.customer,
        status=run.status,
        duration_seconds=run.seconds(now),
        phases_completed=tuple(each.phase for each in record.phases if _is_complete(each, run)),
        stats=_stats(record),
        warnings=tuple(event.message for event in record.events if event.kind in TOLD),
        errors=tuple(_errors(record)),
        error_class=run.error_class,
    )


def _is_complete(phase: PhaseProgress, run: SyncRun) -> bool:
    """Whether all its units are done; one that was never planned is not, in a run cut short."""
    was_planned = phase.planned > 0 or run.status in ENDED_BY_ITSELF
    return phase.is_over and was_planned and phase.done == phase.planned


def _stats(record: Record) -> dict[str, Counts]:
    known = {each.phase: each.counts for each in record.phases}
    stats = {str(phase): known.get(phase, Counts()) for phase in record.run.order.phases}
    return {**stats, TOTAL: sum(stats.values(), Counts())}


def _errors(record: Record) -> list[str]:
    failed = [unit for unit in record.units if unit.state is UnitState.FAILED]
    errors = [f"{_name(unit)}: {unit.error}" for unit in failed]
    whole = record.run.error
    if whole is not None and not any(whole in error for error in errors):
        errors.append(whole)
    return errors


def _name(unit: Unit) -> str:
    what = CALLED.get(unit.phase, str(unit.phase))
    return what if unit.product_id is None else f"{what} of product {unit.product_id}"
