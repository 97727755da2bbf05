"""Runs begin and are closed. Of a customer's runs one is running: who begins holds its row.

The unique index on running rows says so too, to whoever has come past that.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.catalogue.model import ErrorClass, RunStatus, SyncRun, UnitState
from syncsvc.catalogue.ports import Begun, NewRun
from syncsvc.catalogue.sql_ending import abandon, end_phases, finish
from syncsvc.catalogue.sql_planning import plan_first
from syncsvc.catalogue.sql_rows import (
    ALL_RUNNING,
    RUNNING,
    Journal,
    asked,
    hold_known,
    hold_run,
    read_known,
)
from syncsvc.catalogue.sql_swapping import drop_aside
from syncsvc.catalogue.verdict import order_told
from syncsvc.catalogue.work import Failed
from syncsvc.stores.sql.catalogue_tables import sync_customers, sync_phases, sync_runs, sync_units

_LAST = sync_runs.c.fence.desc()


def begin(journal: Journal, new: NewRun) -> Begun:
    """Record a run, unless a live one runs. Raises IntegrityError where one came between."""
    connection, customer = journal.connection, new.order.customer
    fence = _hold_customer(connection, customer) + 1
    other = hold_run(connection, and_(sync_runs.c.customer == customer, RUNNING))
    if other is not None and (not _is_dead(other, new) or _is_put_off(connection, other, new)):
        return Begun(other, is_new=False)
    if other is not None:
        abandon(journal, other)
        other = read_known(connection, other.id)
    if new.order.options.nuke:
        drop_aside(connection, customer)
    run = _record(journal, new, fence)
    if other is not None:
        journal.note(run, "reclaimed", f"sync {other.id} was closed for this one: {other.error}")
    _start(journal, run)
    return Begun(read_known(connection, run.id), is_new=True, reclaimed=other)


def close(
    journal: Journal, run_id: str, status: RunStatus, reason: str, error_class: ErrorClass | None
) -> SyncRun:
    """End a run and its units, unless it is over. Raises Unknown."""
    run = hold_known(journal.connection, run_id)
    if not run.status.is_over:
        failed = None if error_class is None else Failed(error_class, reason)
        finish(journal, run, status, failed=failed, reason=reason)
        if run.order.options.nuke:
            drop_aside(journal.connection, run.order.customer)
    return read_known(journal.connection, run_id)


def take_slot(connection: Connection, customer: str, slot: datetime) -> bool:
    """Take a moment of the timetable, if neither it nor a later one was taken."""
    _know_customer(connection, customer)
    slot_at = sync_customers.c.slot_at
    taking = update(sync_customers).where(
        sync_customers.c.name == customer, or_(slot_at.is_(None), slot_at < slot)
    )
    return connection.execute(taking.values(slot_at=slot)).rowcount > 0


def return_slot(connection: Connection, customer: str, slot: datetime) -> None:
    """Forget that a moment was taken, if none was taken after it."""
    taken = sync_customers.c.name == customer, sync_customers.c.slot_at == slot
    connection.execute(update(sync_customers).where(*taken).values(slot_at=None))


def dead(
    connection: Connection, shared_since: datetime, alone_since: datetime
) -> Sequence[SyncRun]:
    """List running runs without a sign of life since then."""
    silent = sync_runs.c.heartbeat_at < shared_since
    shared = and_(sync_runs.c.holder.is_(None), silent, ~_is_due_from(shared_since))
    alone = and_(sync_runs.c.holder.is_not(None), sync_runs.c.heartbeat_at < alone_since)
    query = select(sync_runs.c.id).where(ALL_RUNNING, or_(shared, alone))
    return [read_known(connection, run_id) for run_id in sorted(connection.scalars(query))]


def _know_customer(connection: Connection, customer: str) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    adding = dialect.insert(sync_customers).values(name=customer, fence=0)
    connection.execute(adding.on_conflict_do_nothing())


def _hold_customer(connection: Connection, customer: str) -> int:
    """Keep others from beginning a run of the customer, and give the fence of its newest."""
    _know_customer(connection, customer)
    query = select(sync_customers.c.fence).where(sync_customers.c.name == customer)
    return int(connection.execute(query.with_for_update(key_share=True)).scalar_one())


def _is_dead(run: SyncRun, new: NewRun) -> bool:
    if run.heartbeat_at < new.live_since:
        return True
    return new.is_alone and _host(run.holder) is not None and _host(run.holder) == _host(new.holder)


def _is_put_off(connection: Connection, run: SyncRun, new: NewRun) -> bool:
    query = select(sync_runs.c.id).where(sync_runs.c.id == run.id, _is_due_from(new.now))
    return run.is_shared and connection.scalar(query) is not None


def _is_due_from(moment: datetime) -> ColumnElement[bool]:
    """Tell whether some open unit of a run is due then or later."""
    return exists().where(
        sync_units.c.run_id == sync_runs.c.id,
        sync_units.c.state == UnitState.OPEN,
        sync_units.c.due_at >= moment,
    )


def _host(holder: str | None) -> str | None:
    return None if holder is None else holder.partition(":")[0]


def _record(journal: Journal, new: NewRun, fence: int) -> SyncRun:
    connection, customer = journal.connection, new.order.customer
    run = SyncRun(
        id=new.id,
        order=new.order,
        status=RunStatus.RUNNING,
        fence=fence,
        lease_token=new.lease_token,
        holder=new.holder,
        started_at=new.now,
        heartbeat_at=new.now,
        resumed_from=_unfinished_before(connection, customer),
    )
    connection.execute(
        insert(sync_runs),
        {
            "id": run.id,
            "customer": customer,
            "trigger": run.order.trigger,
            "asked": asked(run.order),
            "status": run.status,
            "fence": fence,
            "lease_token": run.lease_token,
            "holder": run.holder,
            "started_at": run.started_at,
            "heartbeat_at": run.heartbeat_at,
            "resumed_from": run.resumed_from,
        },
    )
    newest = update(sync_customers).where(sync_customers.c.name == customer)
    connection.execute(newest.values(fence=fence))
    return run


def _unfinished_before(connection: Connection, customer: str) -> str | None:
    """Name the customer's last run, if something of it was left to do."""
    query = select(sync_runs.c.id, sync_runs.c.status).where(sync_runs.c.customer == customer)
    last = connection.execute(query.order_by(_LAST).limit(1)).first()
    return None if last is None or last.status == RunStatus.SUCCESS else str(last.id)


def _start(journal: Journal, run: SyncRun) -> None:
    """Plan a run's first units; one that has none ends at once."""
    phases = run.order.phases
    journal.note(run, "started", order_told(run.order))
    if phases:
        rows = [{"run_id": run.id, "phase": phase} for phase in phases]
        journal.connection.execute(insert(sync_phases), rows)
    if plan_first(journal, run):
        return
    text = "no active product in scope is known: run the phase products first"
    journal.note(run, "warning", text)
    end_phases(journal, run, phases)
