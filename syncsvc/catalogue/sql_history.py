"""What is recorded of syncs, for those who ask, and how long it is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    select,
)

from syncsvc.catalogue.model import (
    Counts,
    PhaseProgress,
    RunStatus,
    SyncEvent,
    SyncPhase,
    SyncRun,
)
from syncsvc.catalogue.ports import CustomerPulse, CustomerState, RunFilter
from syncsvc.catalogue.sql_ending import progress
from syncsvc.catalogue.sql_rows import (
    RUNNING,
    SELECT_RUN,
    SELECT_UNIT,
    SUMS,
    chunks,
    not_known,
    read_run,
    read_units,
)
from syncsvc.catalogue.work import LIVE, Unit
from syncsvc.stores.sql.catalogue_tables import (
    catalogue_features,
    catalogue_products,
    catalogue_tests,
    catalogue_user_stories,
    sync_events,
    sync_phases,
    sync_quarantine,
    sync_runs,
    sync_state,
    sync_units,
)

SOME = 50  # runs that are forgotten in one transaction
EVENTS = ("run_id", "customer", "at", "kind", "message", "phase", "product_id")
ORDER = {phase: place for place, phase in enumerate(SyncPhase)}


def run(connection: Connection, run_id: str) -> SyncRun:
    """Read a run with its totals so far. Raises Unknown."""
    found = _runs(connection, SELECT_RUN.where(sync_runs.c.id == run_id))
    if not found:
        raise not_known(run_id)
    return found[0]


def runs(connection: Connection, which: RunFilter) -> Sequence[SyncRun]:
    """List runs, newest first."""
    query = SELECT_RUN.order_by(sync_runs.c.id.desc()).limit(which.limit)
    if which.customer is not None:
        query = query.where(sync_runs.c.customer == which.customer)
    if which.status is not None:
        query = query.where(sync_runs.c.status == which.status)
    if which.before is not None:
        query = query.where(sync_runs.c.id < which.before)
    return _runs(connection, query)


def phases(connection: Connection, run_id: str) -> Sequence[PhaseProgress]:
    """Say how far each phase is."""
    query = select(sync_phases).where(sync_phases.c.run_id == run_id)
    found = [
        replace(
            progress(connection, run_id, SyncPhase(row.phase)),
            started_at=row.started_at,
            ended_at=row.ended_at,
        )
        for row in connection.execute(query).all()
    ]
    return sorted(found, key=lambda each: ORDER[each.phase])


def units(connection: Connection, run_id: str) -> Sequence[Unit]:
    """List a run's units by phase and product."""
    found = read_units(connection, SELECT_UNIT.where(sync_units.c.run_id == run_id))
    return sorted(found, key=lambda unit: (ORDER[unit.phase], unit.product_id or 0))


def events(connection: Connection, run_id: str) -> Sequence[SyncEvent]:
    """Give a run's history, oldest first."""
    query = (
        select(*[sync_events.c[name] for name in EVENTS])
        .where(sync_events.c.run_id == run_id)
        .order_by(sync_events.c.id)
    )
    return [_event(row) for row in connection.execute(query)]


def state(connection: Connection, customer: str) -> CustomerState:
    """Count what readers see of a customer."""
    seen = pulse(connection, customer)
    inactive = catalogue_products.c.is_active == false()
    return CustomerState(
        customer=customer,
        products=_live(connection, catalogue_products, customer),
        inactive_products=_live(connection, catalogue_products, customer, inactive),
        features=_live(connection, catalogue_features, customer),
        user_stories=_live(connection, catalogue_user_stories, customer),
        tests=_live(connection, catalogue_tests, customer),
        quarantined=seen.quarantined,
        incomplete=seen.incomplete,
        last_success_at=seen.last_success_at,
        running=seen.running,
    )


def pulse(connection: Connection, customer: str) -> CustomerPulse:
    """Say how a customer's syncs fare."""
    finished = select(func.max(sync_runs.c.ended_at)).where(
        sync_runs.c.customer == customer, sync_runs.c.status == RunStatus.SUCCESS
    )
    running = select(sync_runs.c.id).where(sync_runs.c.customer == customer, RUNNING)
    return CustomerPulse(
        last_success_at=connection.scalar(finished),
        running=connection.scalar(running),
        quarantined=_count(connection, sync_quarantine, _sick(customer)),
        incomplete=_count(connection, sync_state, _incomplete(customer)),
    )


def forget_some(connection: Connection, before: datetime) -> int:
    """Remove some runs that ended earlier, with all that hangs on them, and count them."""
    newer = sync_runs.alias("newer")
    is_newest = ~exists().where(
        newer.c.customer == sync_runs.c.customer, newer.c.fence > sync_runs.c.fence
    )
    query = select(sync_runs.c.id).where(sync_runs.c.ended_at < before, ~is_newest).limit(SOME)
    ids = list(connection.scalars(query))
    for table in (sync_events, sync_units, sync_phases):
        connection.execute(delete(table).where(table.c.run_id.in_(ids)))
    connection.execute(delete(sync_runs).where(sync_runs.c.id.in_(ids)))
    return len(ids)


def forget_events(connection: Connection, before: datetime) -> None:
    """Remove what was noted earlier without a run."""
    of_none = sync_events.c.run_id.is_(None), sync_events.c.at < before
    connection.execute(delete(sync_events).where(*of_none))


def _runs(connection: Connection, query: Select[Any]) -> list[SyncRun]:
    found = [read_run(row) for row in connection.execute(query).all()]
    sums: dict[str, Counts] = {}
    for some in chunks([each.id for each in found]):
        of_them = select(sync_units.c.run_id, *SUMS).where(sync_units.c.run_id.in_(some))
        for run_id, *numbers in connection.execute(of_them.group_by(sync_units.c.run_id)):
            sums[run_id] = Counts(*map(int, numbers))
    return [replace(each, totals=sums.get(each.id, Counts())) for each in found]


def _event(row: Row[Any]) -> SyncEvent:
    values = dict(row._mapping)  # noqa: SLF001 - the documented name
    phase = values.pop("phase")
    return SyncEvent(phase=None if phase is None else SyncPhase(phase), **values)


def _live(connection: Connection, table: Table, customer: str, *which: ColumnElement[bool]) -> int:
    live = table.c.customer == customer, table.c.stage == LIVE, table.c.deleted_at.is_(None)
    return _count(connection, table, and_(*live, *which))


def _count(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(which)) or 0


def _sick(customer: str) -> ColumnElement[bool]:
    return and_(sync_quarantine.c.customer == customer, sync_quarantine.c.healed_at.is_(None))


def _incomplete(customer: str) -> ColumnElement[bool]:
    """Tell which lists have gaps; that of a product which is inactive is not looked at."""
    products = catalogue_products.c
    inactive = exists().where(
        products.customer == sync_state.c.customer,
        products.stage == sync_state.c.stage,
        products.id == sync_state.c.product_id,
        products.is_active == false(),
    )
    of_customer = sync_state.c.customer == customer, sync_state.c.stage == LIVE
    return and_(*of_customer, sync_state.c.is_whole == false(), ~inactive)
