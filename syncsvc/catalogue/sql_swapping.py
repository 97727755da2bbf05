"""What a nuke has built aside takes the place of what readers see, in one transaction."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Table,
    Update,
    and_,
    delete,
    func,
    or_,
    select,
    true,
    update,
)

from syncsvc.catalogue.model import EntityType
from syncsvc.catalogue.sql_covering import TABLES as COVERED
from syncsvc.catalogue.sql_kinds import FEATURES, PRODUCTS, STORIES, TESTS, pieces
from syncsvc.catalogue.work import ASIDE, LIVE
from syncsvc.stores.sql.catalogue_tables import sync_state

ALL_KINDS = frozenset(EntityType)


@dataclass(frozen=True)
class _Part:
    """A table: what names a row of it, and the column that leads to its product."""

    table: Table
    key: str
    way: str
    parent: Table | None = None  # whose id `way` is; None: it is the product's own

    def of(
        self, stage: int, customer: str, products: list[int] | None, rows: FromClause | None = None
    ) -> ColumnElement[bool]:
        """Tell which rows are of these products, as their parents of a stage have it."""
        if products is None:
            return true()
        column = (self.table if rows is None else rows).c[self.way]
        if self.parent is None:
            return column.in_(products)
        parents = _in(self.parent, stage, customer), self.parent.c.product_id.in_(products)
        return column.in_(select(self.parent.c.id).where(*parents))


# what is found by its parents comes before them
_COVERED = [_Part(table, "test_id", "test_id", TESTS.table) for table in COVERED]
_OF_TESTS = [
    *_COVERED,
    _Part(TESTS.table, "id", "product_id"),
    _Part(sync_state, "product_id", "product_id"),
]
_STORIES = _Part(STORIES.table, "key", "feature_id", FEATURES.table)
_FEATURES = _Part(FEATURES.table, "id", "product_id")
_PRODUCTS = _Part(PRODUCTS.table, "id", "id")


def swap(
    connection: Connection,
    customer: str,
    products: Collection[int] | None,
    kinds: Collection[EntityType] = ALL_KINDS,
) -> None:
    """Put what is aside in the place of what is live, of these products; None stands for all.

    What was live of them is removed, even where nothing stands aside for it; so `kinds` must name
    only what the nuke has read. Nothing is moved before all that it replaces is gone: it may have
    belonged to another of the products.
    """
    some: Sequence[list[int] | None] = [None] if products is None else list(pieces(products))
    for part in _parts(kinds):
        for ids in some:
            if "first_seen_run" in part.table.c:
                connection.execute(_carry_over(part, customer, ids))
        for ids in some:
            connection.execute(delete(part.table).where(_replaced(part, customer, ids)))
        for ids in some:
            moving = _in(part.table, ASIDE, customer), part.of(ASIDE, customer, ids)
            connection.execute(update(part.table).where(*moving).values(stage=LIVE))


def drop_aside(connection: Connection, customer: str) -> None:
    """Remove what a nuke has built aside and nothing has taken."""
    for part in _parts(ALL_KINDS):
        connection.execute(delete(part.table).where(_in(part.table, ASIDE, customer)))


def _parts(kinds: Collection[EntityType]) -> Iterator[_Part]:
    if EntityType.TESTS in kinds:
        yield from _OF_TESTS
    if EntityType.USER_STORIES in kinds:
        yield _STORIES
    if EntityType.USER_STORIES in kinds or EntityType.FEATURES in kinds:
        yield _FEATURES
    if EntityType.PRODUCTS in kinds:
        yield _PRODUCTS


def _in(table: FromClause, stage: int, customer: str) -> ColumnElement[bool]:
    return and_(table.c.customer == customer, table.c.stage == stage)


def _replaced(part: _Part, customer: str, ids: list[int] | None) -> ColumnElement[bool]:
    """Tell which live rows go: those of the products, and what has moved to one of them."""
    coming = part.table.alias("coming")
    keys = select(coming.c[part.key]).where(
        _in(coming, ASIDE, customer), part.of(ASIDE, customer, ids, coming)
    )
    return and_(
        _in(part.table, LIVE, customer),
        or_(
            part.of(LIVE, customer, ids),
            part.of(ASIDE, customer, ids),
            part.table.c[part.key].in_(keys),
        ),
    )


def _carry_over(part: _Part, customer: str, ids: list[int] | None) -> Update:
    """Keep which run saw an entity first."""
    old = part.table.alias("old")
    first = (
        select(old.c.first_seen_run)
        .where(
            old.c.customer == customer,
            old.c.stage == LIVE,
            old.c[part.key] == part.table.c[part.key],
        )
        .scalar_subquery()
    )
    return (
        update(part.table)
        .where(_in(part.table, ASIDE, customer), part.of(ASIDE, customer, ids))
        .values(first_seen_run=func.coalesce(first, part.table.c.first_seen_run))
    )
