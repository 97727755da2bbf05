"""What is stored of a catalogue, read back from SQL.

A list of tests is newest first: those without an end, then by their ends, descending, each by id.
Its two parts are asked for one by one, so that an index answers both.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import json
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    select,
    true,
    tuple_,
    update,
)

from syncsvc.catalogue.entities import Product, Section
from syncsvc.catalogue.sql_kinds import FEATURES, PRODUCTS, TESTS, here, pieces
from syncsvc.catalogue.walk import Coverage, Mark
from syncsvc.catalogue.work import LIVE, Poison, Quarantined
from syncsvc.errors import Unknown
from syncsvc.stores.sql.catalogue_tables import sync_quarantine, sync_state
from syncsvc.stores.sql.database import Database

MANY = 20  # tests that are named between two places

_coverage = json.Decoder(Coverage)
_sections = json.Decoder(tuple[tuple[int, str], ...])

_tests, _products = TESTS.table.c, PRODUCTS.table.c
_PRODUCT: BindParameter[int] = bindparam("in_product")
_LIVE_TESTS = and_(here(TESTS.table), _tests.product_id == _PRODUCT, _tests.deleted_at.is_(None))
_COVERAGE = select(sync_state.c.coverage).where(
    here(sync_state), sync_state.c.product_id == _PRODUCT
)
_KNOWN = select(_tests.id, _tests.end_at).where(
    _LIVE_TESTS, _tests.id.in_(bindparam("in_keys", expanding=True))
)
_STALE = select(_tests.id, _tests.end_at).where(
    _LIVE_TESTS, _tests.is_mutable == true(), _tests.read_at < bindparam("in_moment")
)
_PRODUCTS = (
    select(
        _products.id,
        _products.name,
        _products.type,
        _products.description,
        _products.sections,
        _products.is_active,
    )
    .where(here(PRODUCTS.table))
    .order_by(_products.id)
)
_NOT_HEALED = sync_quarantine.c.healed_at.is_(None)


@dataclass(frozen=True)
class SqlStored:
    database: Database

    async def coverage(self, customer: str, stage: int, product_id: int) -> Coverage:
        place = _list(customer, stage, product_id)
        text = await self.database.read(lambda c: c.scalar(_COVERAGE, place))
        return Coverage() if text is None else _coverage.decode(text)

    async def known_tests(
        self, customer: str, stage: int, product_id: int, ids: Collection[int]
    ) -> Mapping[int, Mark]:
        place = _list(customer, stage, product_id)

        def look(connection: Connection) -> Mapping[int, Mark]:
            return {
                mark.id: mark
                for some in pieces(ids)
                for mark in _marks(connection, _KNOWN, {**place, "in_keys": some})
            }

        return await self.database.read(look)

    async def tests_above(self, customer: str, stage: int, product_id: int, mark: Mark) -> int:
        place = _list(customer, stage, product_id)
        count = select(func.count()).select_from(TESTS.table)
        counts = [count.where(_LIVE_TESTS, part) for part in _parts(None, mark)]
        return await self.database.read(lambda c: sum(c.scalars(q, place).one() for q in counts))

    async def tests_between(
        self, customer: str, stage: int, product_id: int, above: Mark | None, below: Mark | None
    ) -> Sequence[int]:
        place = _list(customer, stage, product_id)
        newest = select(_tests.id).order_by(_tests.end_at.desc(), _tests.id.desc()).limit(MANY)
        queries = [newest.where(_LIVE_TESTS, part) for part in _parts(above, below)]

        def look(connection: Connection) -> Sequence[int]:
            return [id_ for query in queries for id_ in connection.scalars(query, place)][:MANY]

        return await self.database.read(look)

    async def stale_tests(
        self, customer: str, stage: int, product_id: int, before: datetime
    ) -> Sequence[Mark]:
        row = {**_list(customer, stage, product_id), "in_moment": before}
        marks = await self.database.read(lambda c: _marks(c, _STALE, row))
        return sorted(marks, key=lambda mark: mark.key, reverse=True)

    async def missing_features(
        self, customer: str, stage: int, product_id: int, ids: Collection[int]
    ) -> Collection[int]:
        place = {"in_customer": customer, "in_stage": stage}

        def look(connection: Connection) -> Collection[int]:
            stored = {
                id_
                for some in pieces(ids)
                for id_ in connection.scalars(FEATURES.select, {**place, "in_keys": some})
            }
            return set(ids) - stored

        return await self.database.read(look)

    async def products(self, customer: str) -> Sequence[tuple[Product, bool]]:
        place = {"in_customer": customer, "in_stage": LIVE}
        rows = await self.database.read(lambda c: c.execute(_PRODUCTS, place).all())
        return [_product(row) for row in rows]

    async def quarantined(
        self, customer: str | None = None, product_id: int | None = None
    ) -> Sequence[Quarantined]:
        columns = sync_quarantine.c
        query = select(sync_quarantine).where(_NOT_HEALED, _of_customer(customer))
        if product_id is not None:
            query = query.where(columns.product_id == product_id)
        query = query.order_by(columns.found_at, columns.id)
        rows = await self.database.read(lambda c: c.execute(query).all())
        return [_quarantined(row) for row in rows]

    async def retry_quarantined(
        self, now: datetime, quarantine_id: str | None = None, customer: str | None = None
    ) -> int:
        change = (
            update(sync_quarantine)
            .where(_NOT_HEALED, _of_customer(customer))
            .values(next_try_at=now)
        )
        if quarantine_id is not None:
            change = change.where(sync_quarantine.c.id == quarantine_id)
        count = await self.database.write(lambda c: c.execute(change).rowcount)
        if quarantine_id is not None and not count:
            raise Unknown(
                f"quarantine: expected a place that is in it, found {quarantine_id[:80]!r}"
            )
        return count


def _list(customer: str, stage: int, product_id: int) -> dict[str, object]:
    return {"in_customer": customer, "in_stage": stage, "in_product": product_id}


def _marks(connection: Connection, query: Select[Any], row: Mapping[str, object]) -> Sequence[Mark]:
    return [Mark(end_at, id_) for id_, end_at in connection.execute(query, dict(row))]


def _parts(above: Mark | None, below: Mark | None) -> Iterator[ColumnElement[bool]]:
    """Tell which tests stand between two places: first those without an end, then the others."""
    if above is None or above.end_at is None:
        yield and_(_tests.end_at.is_(None), *_ids_between(above, below))
    if below is None or below.end_at is not None:
        yield and_(_tests.end_at.is_not(None), *_ends_between(above, below))


def _ids_between(above: Mark | None, below: Mark | None) -> Iterator[ColumnElement[bool]]:
    if above is not None:
        yield _tests.id < above.id
    if below is not None and below.end_at is None:
        yield _tests.id > below.id


def _ends_between(above: Mark | None, below: Mark | None) -> Iterator[ColumnElement[bool]]:
    place = tuple_(_tests.end_at, _tests.id)
    if above is not None and above.end_at is not None:
        yield place < (above.end_at, above.id)
    if below is not None:
        yield place > (below.end_at, below.id)


def _product(row: Any) -> tuple[Product, bool]:
    sections = tuple(Section(*section) for section in _sections.decode(row.sections))
    return Product(row.id, row.name, row.type, row.description, sections), row.is_active


def _of_customer(customer: str | None) -> ColumnElement[bool]:
    return true() if customer is None else sync_quarantine.c.customer == customer


def _quarantined(row: Any) -> Quarantined:
    return Quarantined(
        id=row.id,
        customer=row.customer,
        poison=Poison(
            product_id=row.product_id,
            page=row.page,
            per_page=row.per_page,
            above=row.above,
            below=row.below,
            error=row.error,
            test_id=row.test_id,
        ),
        attempts=row.attempts,
        found_at=row.found_at,
        next_try_at=row.next_try_at,
        healed_at=row.healed_at,
    )
