"""The end of a nuke in this process: the rules are those of the tables."""

from collections.abc import Collection
from datetime import datetime

from syncsvc.catalogue.memory_entities import swap
from syncsvc.catalogue.memory_rows import MemoryRows, Shelf
from syncsvc.catalogue.model import PHASE_OF, EntityType, SyncPhase, SyncRun, UnitState
from syncsvc.catalogue.vanishing import shrinking
from syncsvc.catalogue.work import ASIDE, LIVE


def conclude_nuke(rows: MemoryRows, run: SyncRun, now: datetime) -> None:
    """Let what was built aside take the place of the old, for the products that are whole."""
    if not run.order.options.nuke:
        return
    live, aside = (rows.shelves[run.order.customer, stage] for stage in (LIVE, ASIDE))
    units = rows.units_of(run.id)
    states = {(unit.product_id, unit.state is UnitState.DONE) for unit in units}
    listed = (None, True) in states
    whole = _whole(run, aside if listed else live, states)
    whole -= _shrunk(rows, run, now, whole)
    swap(live, aside, whole, _kinds(run, listed=listed))
    if all(done for _, done in states):
        swap(live, Shelf(), _meant(run, aside.vanished), frozenset(EntityType))


def _whole(run: SyncRun, shelf: Shelf, states: Collection[tuple[int | None, bool]]) -> set[int]:
    """Name the products of which every unit is done; one that is gone keeps what it had."""
    active = _meant(run, {key for key, row in shelf.products.items() if row.is_live})
    if run.order.phases != (SyncPhase.PRODUCTS,):
        active = {product for product, _ in states if product in active}
    return active - {product for product, done in states if not done}


def _meant(run: SyncRun, products: set[int]) -> set[int]:
    asked = run.order.scope.product_ids
    return products if asked is None else products.intersection(asked)


def _shrunk(rows: MemoryRows, run: SyncRun, now: datetime, products: Collection[int]) -> set[int]:
    """Name the products of which far less was found than is live, and warn of each."""
    kept: set[int] = set()
    if run.order.options.allow_vanishing:
        return kept
    for phase, subject in ((SyncPhase.FEATURES, "features"), (SyncPhase.NEW_TESTS, "tests")):
        for product in sorted(products) if phase in run.order.phases else ():
            numbers = [_count(rows, run, stage, (subject, product)) for stage in (LIVE, ASIDE)]
            if warning := shrinking(f"{subject} of product {product}", *numbers):
                rows.note_on(run, now, "warning", warning, (phase, product))
                kept.add(product)
    return kept


def _count(rows: MemoryRows, run: SyncRun, stage: int, of: tuple[str, int]) -> int:
    subject, product = of
    shelf, since = rows.shelves[run.order.customer, stage], run.order.scope.since_date
    if subject == "tests":
        ends = [row.what.end_at for row in shelf.live_tests(product)]
        return sum(since is None or end is None or end >= since for end in ends)
    return sum(row.is_live and row.what.product_id == product for row in shelf.features.values())


def _kinds(run: SyncRun, *, listed: bool) -> Collection[EntityType]:
    """Name what the run has read in full."""
    return {
        kind
        for kind in EntityType
        if PHASE_OF[kind] in run.order.phases
        and run.order.scope.means(kind)
        and (listed or kind is not EntityType.PRODUCTS)
    }
