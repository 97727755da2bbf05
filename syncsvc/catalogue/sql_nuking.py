"""The end of a nuke: for which products what it has built aside takes the place of what is live.

Only what was read in full is replaced, and only by what is not suspiciously less.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, true

from syncsvc.catalogue.model import PHASE_OF, EntityType, SyncPhase, SyncRun, UnitState
from syncsvc.catalogue.sql_entities import plan_products
from syncsvc.catalogue.sql_kinds import FEATURES, PRODUCTS, TESTS, pieces
from syncsvc.catalogue.sql_rows import Journal
from syncsvc.catalogue.sql_swapping import ALL_KINDS, drop_aside, swap
from syncsvc.catalogue.vanishing import shrinking
from syncsvc.catalogue.work import ASIDE, LIVE
from syncsvc.stores.sql.catalogue_tables import sync_units

_products = PRODUCTS.table.c


def conclude_nuke(journal: Journal, run: SyncRun) -> None:
    """Let what was built aside take the place of the old, for the products that are whole."""
    if not run.order.options.nuke:
        return
    connection, customer = journal.connection, run.order.customer
    states = _states(connection, run.id)
    vanished = _take_vanished(connection, run)
    whole = _whole(connection, run, states)
    swap(connection, customer, whole - _shrunk(journal, run, whole), _kinds(run, states))
    if all(done for _, done in states):
        swap(connection, customer, vanished, ALL_KINDS)
    drop_aside(connection, customer)


_States = Collection[tuple[int | None, bool]]  # of units: whose, and whether it is done


def _states(connection: Connection, run_id: str) -> _States:
    query = select(sync_units.c.product_id, sync_units.c.state).where(sync_units.c.run_id == run_id)
    return {(product, state == UnitState.DONE) for product, state in connection.execute(query)}


def _is_listed(states: _States) -> bool:
    """Tell whether the run has read the list of products."""
    return (None, True) in states


def _take_vanished(connection: Connection, run: SyncRun) -> Collection[int]:
    """Name the live products in scope that the list lacked, and remove the rows that noted it."""
    customer, asked = run.order.customer, run.order.scope.product_ids
    noted = (
        _products.customer == customer,
        _products.stage == ASIDE,
        _products.deleted_at.is_not(None),
    )
    removing = delete(PRODUCTS.table).where(*noted).returning(_products.id)
    return {id_ for id_ in connection.scalars(removing) if asked is None or id_ in asked}


def _whole(connection: Connection, run: SyncRun, states: _States) -> set[int]:
    """Name the products of which every unit is done; one that is gone keeps what it had."""
    stage = ASIDE if _is_listed(states) else LIVE
    planned = plan_products(connection, run.order.customer, stage, run.order.scope.product_ids)
    active = set(planned)
    if run.order.phases != (SyncPhase.PRODUCTS,):
        active.intersection_update(product for product, _ in states if product is not None)
    return active - {product for product, done in states if not done}


def _kinds(run: SyncRun, states: _States) -> Collection[EntityType]:
    """Name what the run has read in full."""
    order = run.order
    read = {kind for kind in EntityType if PHASE_OF[kind] in order.phases}
    unread = set() if _is_listed(states) else {EntityType.PRODUCTS}
    return {kind for kind in read - unread if order.scope.means(kind)}


@dataclass(frozen=True, slots=True)
class _Guarded:
    """Rows of products that a phase has read, of which so few may not take the place of many."""

    phase: SyncPhase
    subject: str
    table: Table
    which: ColumnElement[bool]


def _shrunk(journal: Journal, run: SyncRun, products: Collection[int]) -> set[int]:
    """Name the products of which far less was found than is live, and warn of each."""
    kept: set[int] = set()
    if run.order.options.allow_vanishing:
        return kept
    for part in _guarded(run):
        found = _counts(journal.connection, run.order.customer, part, products)
        for product in sorted(products):
            numbers = found.get((product, LIVE), 0), found.get((product, ASIDE), 0)
            if warning := shrinking(f"{part.subject} of product {product}", *numbers):
                journal.note(run, "warning", warning, part.phase, product)
                kept.add(product)
    return kept


def _guarded(run: SyncRun) -> Collection[_Guarded]:
    since = _in_scope(run.order.scope.since_date)
    parts = (
        _Guarded(SyncPhase.FEATURES, "features", FEATURES.table, true()),
        _Guarded(SyncPhase.NEW_TESTS, "tests", TESTS.table, since),
    )
    return [part for part in parts if part.phase in run.order.phases]


def _in_scope(since: datetime | None) -> ColumnElement[bool]:
    end_at = TESTS.table.c.end_at
    return true() if since is None else or_(end_at.is_(None), end_at >= since)


def _counts(
    connection: Connection, customer: str, part: _Guarded, products: Collection[int]
) -> Mapping[tuple[int, int], int]:
    """Count the rows that are not deleted by product and stage."""
    columns, found = part.table.c, {}
    mine = columns.customer == customer, columns.deleted_at.is_(None), part.which
    query = select(columns.product_id, columns.stage, func.count()).where(*mine)
    for some in pieces(products):
        of_some = query.where(columns.stage.in_((LIVE, ASIDE)), columns.product_id.in_(some))
        for product, stage, count in connection.execute(
            of_some.group_by(columns.product_id, columns.stage)
        ):
            found[product, stage] = count
    return found
