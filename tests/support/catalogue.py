"""Builders of a catalogue, its syncs, and a foreign catalogue in this process that tests change."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, select

from syncsvc.catalogue.entities import (
    CatalogueTest,
    Feature,
    FeatureList,
    Page,
    Product,
    ProductList,
    Unreadable,
    UserStory,
)
from syncsvc.catalogue.model import Order, SyncPhase
from syncsvc.catalogue.ports import Broken, Customer, NewRun
from syncsvc.catalogue.spending import Spending
from syncsvc.catalogue.walk import Mark
from syncsvc.catalogue.work import LIVE
from syncsvc.errors import Unknown
from syncsvc.stores.sql.database import Database
from syncsvc.stores.sql.tables import metadata
from tests.support.builders import NOON

DAY = timedelta(days=1)
DEAD_AFTER = timedelta(seconds=30)


def product(product_id: int = 1, name: str | None = None, **more: object) -> Product:
    return replace(Product(product_id, name or f"product {product_id}"), **more)


def story(story_id: int | None, feature_id: int = 10, title: str | None = None) -> UserStory:
    return UserStory(story_id, feature_id, title or f"story {story_id}")


def feature(
    feature_id: int = 10, product_id: int = 1, *, stories: Sequence[int] = (), **more: object
) -> Feature:
    made = Feature(
        feature_id,
        product_id,
        f"feature {feature_id}",
        stories=tuple(story(number, feature_id) for number in stories),
    )
    return replace(made, **more)


def a_test(test_id: int = 100, product_id: int = 1, **more: object) -> CatalogueTest:
    """Build a test that is archived and ended so many minutes after noon as its id says."""
    made = CatalogueTest(
        test_id,
        product_id,
        f"test {test_id}",
        status="archived",
        end_at=NOON + timedelta(minutes=test_id),
    )
    return replace(made, **more)


def place(test: CatalogueTest) -> Mark:
    return Mark(test.end_at, test.id)


def order(customer: str = "acme", *phases: SyncPhase, **more: object) -> Order:
    return replace(Order(customer, phases or tuple(SyncPhase)), **more)


def new_run(
    run_id: str = "run-1",
    asked: Order | None = None,
    *,
    now: datetime = NOON,
    dead_after: timedelta = DEAD_AFTER,
    **more: object,
) -> NewRun:
    return replace(NewRun(run_id, asked or order(), now, live_since=now - dead_after), **more)


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked of a source; `kind` is the name of the port's method."""

    kind: str
    product_id: int | None = None
    page: int | None = None
    per_page: int | None = None
    test_id: int | None = None


@dataclass
class MemorySource:
    """A foreign catalogue that a test changes as it likes; every call is in `log`.

    A page with a test of `poison` is Broken, and so is the test alone. `unreadable` names tests
    that are not what was expected. `failing` are raised by the next calls of a kind, one each, or
    of a kind and a product; "any" stands for every kind. `meanwhile` is called before each answer.
    """

    here: list[Product] = field(default_factory=list)
    known_features: dict[int, list[Feature]] = field(default_factory=lambda: defaultdict(list))
    known_tests: dict[int, list[CatalogueTest]] = field(default_factory=lambda: defaultdict(list))
    poison: set[int] = field(default_factory=set)
    unreadable: dict[int, str] = field(default_factory=dict)
    failing: dict[object, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    log: list[Call] = field(default_factory=list)
    meanwhile: Callable[[Call], None] | None = None

    def add(self, *things: Product | Feature | CatalogueTest) -> "MemorySource":
        """Put things into the catalogue, in the place of those with the same id."""
        for thing in things:
            rows = self._rows(thing)
            rows[:] = [row for row in rows if row.id != thing.id] + [thing]
        return self

    def remove(self, *things: Product | Feature | CatalogueTest) -> None:
        for thing in things:
            rows = self._rows(thing)
            rows[:] = [row for row in rows if row.id != thing.id]

    def fail(self, error: Exception, on: object = "any", times: int = 1) -> None:
        """Raise at the next calls: `on` is a kind, a pair of kind and product, or "any"."""
        self.failing[on] += [error] * times

    def calls(self, kind: str | None = None, product_id: int | None = None) -> list[Call]:
        return [
            call
            for call in self.log
            if kind in (None, call.kind) and product_id in (None, call.product_id)
        ]

    async def products(self, ids: Collection[int] | None, spending: Spending) -> ProductList:
        self._call(Call("products"), spending)
        return ProductList(list(self.here))

    async def features(
        self, product_id: int, spending: Spending, *, with_stories: bool
    ) -> FeatureList:
        self._call(Call("features", product_id), spending)
        rows = self.known_features[product_id]
        return FeatureList([row if with_stories else replace(row, stories=()) for row in rows])

    async def tests(self, product_id: int, page: int, per_page: int, spending: Spending) -> Page:
        self._call(Call("tests", product_id, page, per_page), spending)
        rows = sorted(self.known_tests[product_id], key=lambda t: place(t).key, reverse=True)
        rows = rows[(page - 1) * per_page : page * per_page]
        if any(row.id in self.poison for row in rows):
            raise Broken(f"GET tests of product {product_id}, page {page}: 500")
        return Page(
            [row for row in rows if row.id not in self.unreadable],
            len(rows),
            [
                Unreadable(index, row.id, self.unreadable[row.id])
                for index, row in enumerate(rows)
                if row.id in self.unreadable
            ],
        )

    async def test(self, product_id: int, test_id: int, spending: Spending) -> CatalogueTest:
        self._call(Call("test", product_id, test_id=test_id), spending)
        if test_id in self.poison:
            raise Broken(f"GET test {test_id}: 500")
        for row in self.known_tests[product_id]:
            if row.id == test_id:
                return row
        raise Unknown(f"test {test_id}: 404")

    def _rows(self, thing: Product | Feature | CatalogueTest) -> list:
        if isinstance(thing, Product):
            return self.here
        known = self.known_features if isinstance(thing, Feature) else self.known_tests
        return known[thing.product_id]

    def _call(self, call: Call, spending: Spending) -> None:
        spending.spend()
        self.log.append(call)
        if self.meanwhile is not None:
            self.meanwhile(call)
        for on in ((call.kind, call.product_id), call.kind, "any"):
            if self.failing[on]:
                raise self.failing[on].pop(0)
        if call.product_id is not None and call.product_id not in {p.id for p in self.here}:
            raise Unknown(f"product {call.product_id}: 404")


@dataclass
class MemorySources:
    """The catalogues of customers, by name."""

    by_name: dict[str, MemorySource]
    limits: dict[str, Customer] = field(default_factory=dict)

    @property
    def customers(self) -> Sequence[Customer]:
        return [self.limits.get(name, Customer(name)) for name in self.by_name]

    def customer(self, name: str | None) -> Customer:
        for known in self.customers:
            if name == known.name or (name is None and len(self.by_name) == 1):
                return known
        raise Unknown(f"customer: expected one of {', '.join(self.by_name)}, found {name!r}")

    def of(self, name: str) -> MemorySource:
        self.customer(name)
        return self.by_name[name]


_NOT_COMPARED = {"customer", "stage", "first_seen_run", "last_seen_run", "read_at"}


async def catalogue_rows(database: Database, customer: str) -> dict[str, list[dict[str, object]]]:
    """Give what readers see, table by table, without which run saw it and when.

    So a sync that was disturbed can be compared row by row with one that was not.
    """
    return await database.read(
        lambda connection: {
            name: _live_rows(connection, table, customer)
            for name, table in sorted(metadata.tables.items())
            if name.startswith("catalogue_")
        }
    )


def _live_rows(connection: Connection, table: Table, customer: str) -> list[dict[str, object]]:
    query = select(table).where(table.c.customer == customer, table.c.stage == LIVE)
    rows = connection.execute(query.order_by(*table.primary_key.columns)).mappings()
    return [
        {name: value for name, value in row.items() if name not in _NOT_COMPARED}
        | ({"deleted_at": row["deleted_at"] is not None} if "deleted_at" in row else {})
        for row in rows
    ]
