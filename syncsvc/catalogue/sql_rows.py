"""How runs, units and events of syncs are written as rows, and read from them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from msgspec import json
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    func,
    insert,
    literal_column,
    select,
    update,
)

from syncsvc.catalogue.model import (
    Counts,
    ErrorClass,
    Order,
    RunStatus,
    SyncEvent,
    SyncPhase,
    SyncRun,
    UnitState,
)
from syncsvc.catalogue.work import Unit
from syncsvc.errors import Unknown
from syncsvc.stores.sql.catalogue_tables import sync_events, sync_runs, sync_units

MANY = 500  # parameters in one statement

COUNTS = tuple(Counts.__slots__)
_RUN = (
    "id",
    "status",
    "fence",
    "lease_token",
    "holder",
    "started_at",
    "heartbeat_at",
    "ended_at",
    "resumed_from",
    "error",
    "error_class",
)
_UNIT = (
    "id",
    "run_id",
    "phase",
    "product_id",
    "state",
    "attempt",
    "cursor",
    "error_class",
    "error",
    "due_at",
    "started_at",
    "ended_at",
)
SELECT_RUN: Select[Any] = select(*[sync_runs.c[name] for name in _RUN], sync_runs.c.asked)
SELECT_UNIT: Select[Any] = select(*[sync_units.c[name] for name in (*_UNIT, *COUNTS)])
SUMS = [func.coalesce(func.sum(sync_units.c[name]), 0).label(name) for name in COUNTS]

RUNNING = sync_runs.c.status == literal_column("'running'")  # as its index has it
ALL_RUNNING = and_(RUNNING, sync_runs.c.customer >= "")  # or SQLite reads all that ever ran

_orders = json.Decoder(Order)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit's rows belong: whose they are, who sees them, and which run has read them."""

    customer: str
    stage: int
    run_id: str
    allow_vanishing: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What storing a finding has changed, and what was left out of it, for a person to read."""

    counts: Counts
    warnings: tuple[str, ...] = ()


@dataclass
class Journal:
    """One transaction at one moment; the events it writes sort as they were written."""

    connection: Connection
    now: datetime
    new_id: Callable[[], str]
    _events: list[str] = field(default_factory=list, init=False)

    def note(
        self,
        run: SyncRun,
        kind: str,
        message: str,
        phase: SyncPhase | None = None,
        product_id: int | None = None,
    ) -> None:
        customer = run.order.customer
        self.write(SyncEvent(run.id, customer, self.now, kind, message, phase, product_id))

    def write(self, event: SyncEvent) -> None:
        row = {name: getattr(event, name) for name in SyncEvent.__slots__}
        self.connection.execute(insert(sync_events), {"id": self._next_id(), **row})

    def _next_id(self) -> str:
        first = self._events[0] if self._events else self.new_id()
        self._events.append(f"{first}.{len(self._events):04d}" if self._events else first)
        return self._events[-1]


def asked(order: Order) -> str:
    return json.encode(order).decode()


def change_run(run_id: str, **changes: object) -> Update:
    return update(sync_runs).where(sync_runs.c.id == run_id).values(changes)


def read_run(row: Row[Any]) -> SyncRun:
    values = dict(row._mapping)  # noqa: SLF001 - the documented name
    failed = values.pop("error_class")
    return SyncRun(
        order=_orders.decode(values.pop("asked")),
        status=RunStatus(values.pop("status")),
        error_class=None if failed is None else ErrorClass(failed),
        **values,
    )


def hold_run(connection: Connection, which: ColumnElement[bool]) -> SyncRun | None:
    """Read a run and keep everybody else from its row until the transaction ends."""
    query = SELECT_RUN.where(which).with_for_update(key_share=True)
    row = connection.execute(query).first()
    return None if row is None else read_run(row)


def hold_known(connection: Connection, run_id: str) -> SyncRun:
    """Hold a run by its id. Raises Unknown."""
    run = hold_run(connection, sync_runs.c.id == run_id)
    if run is None:
        raise not_known(run_id)
    return run


def read_known(connection: Connection, run_id: str) -> SyncRun:
    """Read a run by its id, with its totals once it is over. Raises Unknown."""
    row = connection.execute(SELECT_RUN.where(sync_runs.c.id == run_id)).first()
    if row is None:
        raise not_known(run_id)
    run = read_run(row)
    return replace(run, totals=totals(connection, run_id)) if run.status.is_over else run


def not_known(run_id: str) -> Unknown:
    return Unknown(f"sync run: expected the id of one that is recorded, found {run_id[:80]!r}")


def totals(connection: Connection, run_id: str) -> Counts:
    """Add up what a run's units have changed."""
    row = connection.execute(select(*SUMS).where(sync_units.c.run_id == run_id)).one()
    return Counts(*map(int, row))


def read_units(connection: Connection, query: Select[Any]) -> list[Unit]:
    return [_unit(row) for row in connection.execute(query)]


def _unit(row: Row[Any]) -> Unit:
    values = dict(row._mapping)  # noqa: SLF001 - the documented name
    counts = Counts(*(values.pop(name) for name in COUNTS))
    failed = values.pop("error_class")
    return Unit(
        phase=SyncPhase(values.pop("phase")),
        state=UnitState(values.pop("state")),
        error_class=None if failed is None else ErrorClass(failed),
        counts=counts,
        **values,
    )


def chunks(items: Iterable[Item], size: int = MANY) -> Iterator[Sequence[Item]]:
    """Cut what is too long for one statement into pieces."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
