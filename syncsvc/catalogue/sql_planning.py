"""The units of a run: which there are, and when those that wait become open.

Who plans or opens holds the run's row, so it happens once. An open unit is always due at a moment.
"""

from collections.abc import Sequence

from sqlalchemy import Update, bindparam, insert, update

from syncsvc.catalogue.model import Barrier, SyncPhase, SyncRun, UnitState
from syncsvc.catalogue.sql_entities import plan_products
from syncsvc.catalogue.sql_rows import Journal
from syncsvc.catalogue.work import LIVE
from syncsvc.stores.sql.catalogue_tables import sync_units

_WAITING = (
    update(sync_units)
    .where(
        sync_units.c.run_id == bindparam("in_run"),
        sync_units.c.phase == bindparam("in_phase"),
        sync_units.c.state == UnitState.WAITING,
    )
    .values(state=UnitState.OPEN, due_at=bindparam("in_moment"))
)
_WAITING_OF_PRODUCT = _WAITING.where(sync_units.c.product_id == bindparam("in_product"))


def plan_first(journal: Journal, run: SyncRun) -> int:
    """Plan what a run begins with, and say how many units may be claimed."""
    if SyncPhase.PRODUCTS in run.order.phases:
        _add(journal, run, SyncPhase.PRODUCTS, [None], UnitState.OPEN)
        return 1
    return plan_of_products(journal, run, LIVE)


def plan_of_products(journal: Journal, run: SyncRun, stage: int) -> int:
    """Plan the phases after PRODUCTS for what is known at a stage; say how many units are open."""
    order = run.order
    ids = order.scope.product_ids
    phases = [phase for phase in order.phases if phase is not SyncPhase.PRODUCTS]
    products = plan_products(journal.connection, order.customer, stage, ids) if phases else []
    state = UnitState.OPEN
    for phase in phases:
        _add(journal, run, phase, products, state)
        state = UnitState.WAITING
    return len(products)


def open_after_product(journal: Journal, run: SyncRun, product_id: int) -> int:
    """Open a product's tests, whose features are over, unless they wait for all products'."""
    if run.order.barrier is Barrier.PHASE:
        return 0
    return _open(journal, run, _WAITING_OF_PRODUCT, in_product=product_id)


def open_after_features(journal: Journal, run: SyncRun) -> int:
    """Open the tests of all products that still wait."""
    return _open(journal, run, _WAITING)


def _open(journal: Journal, run: SyncRun, opening: Update, **more: int) -> int:
    values = {"in_run": run.id, "in_phase": SyncPhase.NEW_TESTS, "in_moment": journal.now}
    return journal.connection.execute(opening, {**values, **more}).rowcount


def _add(
    journal: Journal,
    run: SyncRun,
    phase: SyncPhase,
    products: Sequence[int | None],
    state: UnitState,
) -> None:
    rows = [
        {
            "id": journal.new_id(),
            "run_id": run.id,
            "phase": phase,
            "product_id": product,
            "state": state,
            "attempt": 0,
            "due_at": journal.now if state is UnitState.OPEN else None,
        }
        for product in products
    ]
    if rows:
        journal.connection.execute(insert(sync_units), rows)
