"""What the end of a unit brings about: the next units open, its phase ends, and at last the run.

Who ends anything holds the run's row, so of two last units only one finds that it was the last.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from syncsvc.catalogue.model import (
    Counts,
    ErrorClass,
    PhaseProgress,
    RunStatus,
    SyncPhase,
    SyncRun,
    UnitState,
)
from syncsvc.catalogue.sql_nuking import conclude_nuke
from syncsvc.catalogue.sql_planning import (
    open_after_features,
    open_after_product,
    plan_of_products,
)
from syncsvc.catalogue.sql_rows import SUMS, Journal, change_run, totals
from syncsvc.catalogue.verdict import Tally, event_of, last_words, phase_told, told, verdict
from syncsvc.catalogue.work import ASIDE, LIVE, Failed, Unit
from syncsvc.stores.sql.catalogue_tables import sync_phases, sync_units

_STATE = sync_units.c.state


def unit_over(journal: Journal, run: SyncRun, unit: Unit, *, done: bool) -> int:
    """Go on after a unit; say how many others may be claimed now."""
    opened = 0
    if unit.phase is SyncPhase.PRODUCTS:
        stage = ASIDE if run.order.options.nuke and done else LIVE
        opened = plan_of_products(journal, run, stage)
    elif unit.phase is SyncPhase.FEATURES and unit.product_id is not None:
        opened = open_after_product(journal, run, unit.product_id)
    phases = run.order.phases
    return opened + end_phases(journal, run, phases[phases.index(unit.phase) :])


def end_phases(journal: Journal, run: SyncRun, last: Sequence[SyncPhase]) -> int:
    """End those of a run's last phases that have no unit left, and after all of them the run."""
    opened = 0
    for phase in last:
        if _is_unfinished(journal.connection, run.id, phase):
            return opened
        if _end_phase(journal, run, phase) and phase is SyncPhase.FEATURES:
            opened += open_after_features(journal, run)
    _end_run(journal, run)
    return opened


def deny(journal: Journal, run: SyncRun, failed: Failed) -> None:
    """End a run whose credentials were refused; nothing more can come of it."""
    conclude_nuke(journal, run)
    finish(journal, run, verdict(_tally(journal.connection, run.id), denied=True), failed=failed)


def finish(
    journal: Journal,
    run: SyncRun,
    status: RunStatus,
    *,
    failed: Failed | None = None,
    reason: str | None = None,
) -> None:
    """End a run and whatever units it has left; `reason` is told where no error is."""
    connection, now = journal.connection, journal.now
    error = failed.error if failed else reason
    connection.execute(
        change_run(
            run.id,
            status=status,
            ended_at=now,
            error=error,
            error_class=failed.error_class if failed else None,
        )
    )
    unfinished = sync_units.c.run_id == run.id, sync_units.c.ended_at.is_(None)
    cancelled = {"state": UnitState.CANCELLED, "ended_at": now, "claim": None, "due_at": None}
    connection.execute(update(sync_units).where(*unfinished).values(cancelled))
    summary = told(_tally(connection, run.id), totals(connection, run.id))
    message = f"{error}; {summary}" if error else summary
    journal.note(run, event_of(status), last_words(run, status, now, message))


def abandon(journal: Journal, run: SyncRun) -> None:
    """End a run whose processes are gone."""
    seen = run.heartbeat_at.isoformat(timespec="seconds")
    finish(journal, run, RunStatus.ABANDONED, reason=f"no sign of life since {seen}")


def progress(connection: Connection, run_id: str, phase: SyncPhase) -> PhaseProgress:
    """Count the units of a phase, and what they have changed."""
    done = func.count().filter(_STATE == UnitState.DONE)
    failed = func.count().filter(_STATE == UnitState.FAILED)
    query = select(func.count(), done, failed, *SUMS).where(
        sync_units.c.run_id == run_id, sync_units.c.phase == phase
    )
    planned, done_, failed_, *sums = map(int, connection.execute(query).one())
    return PhaseProgress(phase, planned, done_, failed_, Counts(*sums))


def _end_run(journal: Journal, run: SyncRun) -> None:
    conclude_nuke(journal, run)
    status = verdict(_tally(journal.connection, run.id))
    failed = _first_failed(journal.connection, run.id) if status is RunStatus.FAILED else None
    finish(journal, run, status, failed=failed)


def _is_unfinished(connection: Connection, run_id: str, phase: SyncPhase) -> bool:
    query = (
        select(sync_units.c.id)
        .where(
            sync_units.c.run_id == run_id,
            sync_units.c.phase == phase,
            sync_units.c.ended_at.is_(None),
        )
        .limit(1)
    )
    return connection.scalar(query) is not None


def _end_phase(journal: Journal, run: SyncRun, phase: SyncPhase) -> bool:
    """Say whether it has ended now, and not before."""
    of_phase = sync_phases.c.run_id == run.id, sync_phases.c.phase == phase
    ending = update(sync_phases).where(*of_phase, sync_phases.c.ended_at.is_(None))
    if not journal.connection.execute(ending.values(ended_at=journal.now)).rowcount:
        return False
    message = phase_told(progress(journal.connection, run.id, phase))
    journal.note(run, "phase_completed", message, phase)
    return True


def _tally(connection: Connection, run_id: str) -> Tally:
    query = select(_STATE, func.count()).where(sync_units.c.run_id == run_id).group_by(_STATE)
    numbers: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return Tally(
        numbers.get(UnitState.DONE, 0), numbers.get(UnitState.FAILED, 0), sum(numbers.values())
    )


def _first_failed(connection: Connection, run_id: str) -> Failed | None:
    query = (
        select(sync_units.c.error_class, sync_units.c.error)
        .where(sync_units.c.run_id == run_id, _STATE == UnitState.FAILED)
        .order_by(sync_units.c.ended_at, sync_units.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else Failed(ErrorClass(row.error_class), row.error)
