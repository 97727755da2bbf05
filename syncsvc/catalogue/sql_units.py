"""Claims on units: rows whose due moment was moved to the end of the claim.

Who claims holds the row of the run meanwhile, so nobody else claims of it, or ends it. Runs are
held in the order of their ids where one transaction holds several.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, exists, select, update

from syncsvc.catalogue.model import SyncPhase, SyncRun, UnitState
from syncsvc.catalogue.sql_rows import (
    ALL_RUNNING,
    RUNNING,
    SELECT_RUN,
    SELECT_UNIT,
    Journal,
    change_run,
    chunks,
    read_run,
    read_units,
)
from syncsvc.catalogue.work import Claimed, Unit
from syncsvc.stores.sql.catalogue_tables import sync_phases, sync_runs, sync_units

RUNS_TRIED = 20  # of those with a unit that is due, in their turn


@dataclass(frozen=True, slots=True)
class Wish:
    """To hold a unit until the term ends."""

    claim: str
    term: timedelta


def runs_in_turn(connection: Connection, now: datetime, run_id: str | None) -> Sequence[str]:
    """Name the runs with a unit that may be claimed, longest unserved first."""
    mine = sync_runs.c.holder.is_(None) if run_id is None else sync_runs.c.id == run_id
    due = exists().where(sync_units.c.run_id == sync_runs.c.id, _may_be_claimed(now))
    query = (
        select(sync_runs.c.id)
        .where(ALL_RUNNING, mine, due)
        .order_by(sync_runs.c.served_at.asc().nulls_first(), sync_runs.c.id)
        .limit(RUNS_TRIED)
    )
    return list(connection.scalars(query))


def claim_first(journal: Journal, runs: Sequence[str], wish: Wish) -> Claimed | None:
    """Claim of the first of the runs that nobody else holds at this moment."""
    for run_id in runs:
        if claimed := claim_of(journal, run_id, wish, waits=False):
            return claimed
    return None


def claim_of(journal: Journal, run_id: str, wish: Wish, *, waits: bool) -> Claimed | None:
    """Claim of one run; None when there is nothing, or somebody has it and we do not wait."""
    query = SELECT_RUN.where(sync_runs.c.id == run_id, RUNNING)
    row = journal.connection.execute(
        query.with_for_update(key_share=True, skip_locked=not waits)
    ).first()
    unit = None if row is None else _first_due(journal.connection, run_id, journal.now)
    if row is None or unit is None:
        return None
    run = replace(read_run(row), heartbeat_at=journal.now)
    journal.connection.execute(change_run(run_id, served_at=journal.now, heartbeat_at=journal.now))
    if unit.started_at is None:
        _begin_phase(journal, run, unit.phase)
    return Claimed(wish.claim, _take(journal, unit, wish), run)


def keep_claims(
    connection: Connection, claims: Collection[str], runs: Collection[str], until: datetime
) -> set[str]:
    """Move the ends of claims on units of these runs, and name those that were still held."""
    kept: set[str] = set()
    for some in chunks(claims):
        holding = update(sync_units).where(
            sync_units.c.claim.in_(some), sync_units.c.run_id.in_(runs)
        )
        moved = holding.values(due_at=until).returning(sync_units.c.claim)
        kept.update(connection.scalars(moved))
    return kept


def keep_runs(connection: Connection, runs: Iterable[str], now: datetime) -> None:
    for some in chunks(runs):
        of_them = update(sync_runs).where(sync_runs.c.id.in_(some))
        connection.execute(of_them.values(heartbeat_at=now))


def runs_of(connection: Connection, claims: Collection[str]) -> set[str]:
    found: set[str] = set()
    for some in chunks(claims):
        found.update(
            connection.scalars(select(sync_units.c.run_id).where(sync_units.c.claim.in_(some)))
        )
    return found


def hold_running(connection: Connection, runs: Collection[str]) -> set[str]:
    """Hold those of the runs that are not over."""
    held: set[str] = set()
    for some in chunks(sorted(runs)):
        query = select(sync_runs.c.id).where(sync_runs.c.id.in_(some), RUNNING)
        held.update(
            connection.scalars(query.order_by(sync_runs.c.id).with_for_update(key_share=True))
        )
    return held


def _may_be_claimed(now: datetime) -> ColumnElement[bool]:
    return and_(sync_units.c.state == UnitState.OPEN, sync_units.c.due_at <= now)


def _first_due(connection: Connection, run_id: str, now: datetime) -> Unit | None:
    query = SELECT_UNIT.where(sync_units.c.run_id == run_id, _may_be_claimed(now))
    ordered = query.order_by(sync_units.c.due_at, sync_units.c.id).limit(1)
    return next(iter(read_units(connection, ordered)), None)


def _take(journal: Journal, unit: Unit, wish: Wish) -> Unit:
    taken = replace(
        unit,
        attempt=unit.attempt + 1,
        due_at=journal.now + wish.term,
        started_at=unit.started_at or journal.now,
    )
    changes = {
        "claim": wish.claim,
        "attempt": taken.attempt,
        "due_at": taken.due_at,
        "started_at": taken.started_at,
    }
    of_unit = update(sync_units).where(sync_units.c.id == unit.id)
    journal.connection.execute(of_unit.values(changes))
    return taken


def _begin_phase(journal: Journal, run: SyncRun, phase: SyncPhase) -> None:
    of_phase = sync_phases.c.run_id == run.id, sync_phases.c.phase == phase
    beginning = update(sync_phases).where(*of_phase, sync_phases.c.started_at.is_(None))
    if journal.connection.execute(beginning.values(started_at=journal.now)).rowcount:
        journal.note(run, "phase_started", f"{phase} started", phase)
