"""A commit of a unit: what was found, how far it is and what follows, all of it or nothing.

It holds the run's row from its first statement on, so commits of one run follow each other.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import json
from sqlalchemy import ColumnElement, Connection, and_, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.catalogue.model import Counts, ErrorClass, SyncRun, UnitState
from syncsvc.catalogue.patience import next_try
from syncsvc.catalogue.sql_ending import deny, unit_over
from syncsvc.catalogue.sql_entities import keep_found
from syncsvc.catalogue.sql_rows import (
    Journal,
    Place,
    chunks,
    hold_run,
    read_known,
)
from syncsvc.catalogue.walk import Coverage
from syncsvc.catalogue.work import (
    Claimed,
    Committed,
    Done,
    Failed,
    Later,
    Outcome,
    Poison,
    Step,
    Unit,
)
from syncsvc.errors import Conflict
from syncsvc.stores.sql.catalogue_tables import (
    sync_customers,
    sync_quarantine,
    sync_runs,
    sync_state,
    sync_units,
)

_PLACES = sync_quarantine.c


def commit(journal: Journal, claimed: Claimed, step: Step) -> Committed:
    """Keep a step. Raises Conflict when the claim or the run is lost."""
    run = _hold_running(journal.connection, claimed)
    counts = step.spent + _keep(journal, run, claimed, step)
    _change_unit(journal, claimed, step, counts)
    opened = _conclude(journal, run, claimed.unit, step.outcome)
    now = run if step.outcome is None else read_known(journal.connection, run.id)
    return Committed(counts, opened, now)


def _hold_running(connection: Connection, claimed: Claimed) -> SyncRun:
    run = hold_run(connection, sync_runs.c.id == claimed.run.id)
    if run is None or run.status.is_over:
        found = "none" if run is None else run.status
        raise Conflict(f"sync run {claimed.run.id}: expected it to be running, found {found}")
    of_customer = sync_customers.c.name == run.order.customer
    newest = connection.scalar(select(sync_customers.c.fence).where(of_customer))
    if newest != run.fence:
        raise Conflict(f"sync run {run.id}: expected fence {newest}, found {run.fence}")
    return run


def _keep(journal: Journal, run: SyncRun, claimed: Claimed, step: Step) -> Counts:
    """Store what a step brings beside its outcome, and count it."""
    place = Place(run.order.customer, claimed.stage, run.id, run.order.options.allow_vanishing)
    unit, warnings = claimed.unit, list(step.warnings)
    counts = Counts()
    for found in step.found:
        kept = keep_found(journal.connection, place, found, journal.now)
        counts += kept.counts
        warnings += kept.warnings
    if step.coverage is not None:
        _cover(journal.connection, place, claimed.product, step.coverage)
    for poison in step.poisoned:
        counts += Counts(quarantined=_quarantine(journal, place.customer, poison))
    _heal(journal, place.customer, step.healed)
    for warning in warnings:
        journal.note(run, "warning", warning, unit.phase, unit.product_id)
    return counts


def _change_unit(journal: Journal, claimed: Claimed, step: Step, counts: Counts) -> None:
    changes: dict[str, Any] = {"claim": claimed.claim}
    for name, number in counts.as_dict().items():
        if number:
            changes[name] = sync_units.c[name] + number
    if step.cursor is not None:
        changes["cursor"] = step.cursor
    changes |= _outcome_changes(step.outcome, journal.now)
    held = sync_units.c.id == claimed.unit.id, sync_units.c.claim == claimed.claim
    if not journal.connection.execute(update(sync_units).where(*held).values(changes)).rowcount:
        raise Conflict(f"unit {claimed.unit.id}: expected our claim on it, found another or none")


def _outcome_changes(outcome: Outcome | None, now: datetime) -> dict[str, Any]:
    match outcome:
        case None:
            return {}
        case Later(due_at, reason, is_setback):
            attempt = sync_units.c.attempt - int(not is_setback)
            error = reason if is_setback else None
            return {"claim": None, "due_at": due_at, "attempt": attempt, "error": error}
        case Failed(error_class, error):
            ended: dict[str, Any] = {
                "state": UnitState.FAILED,
                "error": error,
                "error_class": error_class,
            }
        case Done():
            ended = {"state": UnitState.DONE, "error": None, "error_class": None}
    return {"claim": None, "due_at": None, "ended_at": now, **ended}


def _conclude(journal: Journal, run: SyncRun, unit: Unit, outcome: Outcome | None) -> int:
    """Do what follows from an outcome; say how many units may be claimed now."""
    if isinstance(outcome, Failed):
        message = f"{outcome.error_class}: {outcome.error}"
        journal.note(run, "unit_failed", message, unit.phase, unit.product_id)
        if outcome.error_class is ErrorClass.AUTH:
            deny(journal, run, outcome)
            return 0
    if outcome is None or isinstance(outcome, Later):
        return 0
    return unit_over(journal, run, unit, done=isinstance(outcome, Done))


def _cover(connection: Connection, place: Place, product: int, coverage: Coverage) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    stored = {"coverage": json.encode(coverage).decode(), "is_whole": coverage.is_whole}
    where = {"customer": place.customer, "stage": place.stage, "product_id": product}
    adding = dialect.insert(sync_state).values(**where, **stored)
    upsert = adding.on_conflict_do_update(index_elements=list(where), set_=stored)
    connection.execute(upsert)


def _quarantine(journal: Journal, customer: str, poison: Poison) -> int:
    """Remember a place that cannot be read, or that it still cannot; count it if it is new."""
    known = journal.connection.execute(
        select(_PLACES.id, _PLACES.attempts)
        .where(_PLACES.customer == customer, _same_place(poison), _PLACES.healed_at.is_(None))
        .order_by(_PLACES.id)
        .limit(1)
    ).first()
    attempts = 1 if known is None else known.attempts + 1
    values: dict[str, Any] = {name: getattr(poison, name) for name in Poison.__slots__}
    values |= {"attempts": attempts, "next_try_at": next_try(attempts, journal.now)}
    if known is None:
        first = {"id": journal.new_id(), "customer": customer, "found_at": journal.now}
        journal.connection.execute(insert(sync_quarantine), {**first, **values})
        return 1
    of_place = update(sync_quarantine).where(_PLACES.id == known.id)
    journal.connection.execute(of_place.values(values))
    return 0


def _same_place(poison: Poison) -> ColumnElement[bool]:
    """Tell a place: by its test if that is known, since what stands next to it may change."""
    same = _PLACES.test_id == poison.test_id
    if poison.test_id is None:
        same = and_(
            _PLACES.test_id.is_(None),
            _PLACES.above.is_not_distinct_from(poison.above),
            _PLACES.below.is_not_distinct_from(poison.below),
        )
    return and_(_PLACES.product_id == poison.product_id, same)


def _heal(journal: Journal, customer: str, ids: Collection[str]) -> None:
    for some in chunks(ids):
        sick = _PLACES.customer == customer, _PLACES.id.in_(some), _PLACES.healed_at.is_(None)
        healing = update(sync_quarantine).where(*sick)
        journal.connection.execute(healing.values(healed_at=journal.now))
