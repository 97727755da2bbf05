"""Kinds of entities as rows. What a run has read is compared with what is stored by its digest.

Rows are written in the order of their keys, so that no two transactions wait for each other.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

from msgspec import json
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Executable,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.catalogue.entities import CatalogueTest, Entity, Feature, Product, UserStory, digest
from syncsvc.catalogue.model import Counts
from syncsvc.catalogue.sql_rows import Place
from syncsvc.stores.sql.catalogue_tables import (
    catalogue_features,
    catalogue_products,
    catalogue_tests,
    catalogue_user_stories,
)

MANY = 500  # keys in one statement

Key = int | str
Row = dict[str, Any]
Known = Mapping[Any, str | None]  # key → digest; None for one that is deleted

_KEPT = ("customer", "stage", "first_seen_run")  # of a row that is there already


@dataclass(frozen=True)
class Kind:
    """One kind of entities: its table, the column that names one, and what a row holds of it."""

    table: Table
    key: str
    columns: tuple[str, ...]
    more: Callable[[Any], Row] = lambda _: {}

    @cached_property
    def values(self) -> Callable[[Any], tuple[Any, ...]]:
        return attrgetter(*self.columns)

    @cached_property
    def named(self) -> ColumnElement[bool]:
        keys = self.table.c[self.key].in_(bindparam("in_keys", expanding=True))
        return and_(here(self.table), keys)

    @cached_property
    def select(self) -> Select[Any]:
        """What is stored: key, digest, and when it was deleted."""
        columns = self.table.c
        return select(columns[self.key], columns.digest, columns.deleted_at).where(self.named)

    @cached_property
    def touch(self) -> Update:
        now: BindParameter[Any] = bindparam("in_moment")
        touching = update(self.table).where(self.named)
        return touching.values(last_seen_run=bindparam("in_run"), read_at=now)

    @cached_property
    def delete(self) -> Update:
        live = self.table.c.deleted_at.is_(None)
        return update(self.table).where(self.named, live).values(deleted_at=bindparam("in_moment"))

    @cached_property
    def upserts(self) -> Mapping[str, Executable]:
        """One for each dialect, by its name."""
        return {dialect.dialect.name: self._upsert(dialect) for dialect in (sqlite, postgresql)}

    def _upsert(self, dialect: Any) -> Executable:
        adding = dialect.insert(self.table)
        kept = {*_KEPT, self.key}
        newer = {name: adding.excluded[name] for name in set(self.table.c.keys()) - kept}
        place = ["customer", "stage", self.key]
        statement: Executable = adding.on_conflict_do_update(index_elements=place, set_=newer)
        return statement

    def row(self, entity: Entity) -> Row:
        return {**dict(zip(self.columns, self.values(entity), strict=True)), **self.more(entity)}


def here(table: Table) -> ColumnElement[bool]:
    """Confine a statement to a customer and stage, which `Writing.place_row` gives."""
    customer: BindParameter[str] = bindparam("in_customer")
    stage: BindParameter[int] = bindparam("in_stage")
    return and_(table.c.customer == customer, table.c.stage == stage)


def _names(kind: type, without: Collection[str] = ()) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name not in without)


def _of_product(product: Product) -> Row:
    sections = [[section.id, section.name] for section in product.sections]
    return {"sections": json.encode(sections).decode(), "is_active": True}


PRODUCTS = Kind(catalogue_products, "id", _names(Product, {"sections"}), _of_product)
FEATURES = Kind(catalogue_features, "id", _names(Feature, {"stories"}))
STORIES = Kind(catalogue_user_stories, "key", ("key", *_names(UserStory)))
TESTS = Kind(
    catalogue_tests, "id", (*_names(CatalogueTest, {"features", "platforms"}), "is_mutable")
)


@dataclass(frozen=True, slots=True)
class Written:
    """What storing has changed; `keys` are of the rows that are new or not what they were."""

    counts: Counts
    keys: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Writing:
    """A transaction in which a run's findings are stored."""

    connection: Connection
    place: Place
    now: datetime

    @property
    def place_row(self) -> Row:
        return {"in_customer": self.place.customer, "in_stage": self.place.stage}

    def select(self, query: Select[Any], **more: object) -> Sequence[Any]:
        return self.connection.execute(query, {**self.place_row, **more}).all()

    def known(self, kind: Kind, keys: Collection[Key]) -> Known:
        """Say which of these are stored, and with what content."""
        found: dict[Any, str | None] = {}
        for some in pieces(keys):
            for key, content, gone in self.select(kind.select, in_keys=some):
                found[key] = None if gone else content
        return found

    def store(self, kind: Kind, entities: Mapping[Any, Entity], known: Known) -> Written:
        """Write what is new or has changed, and note of the rest that it was read."""
        digests = {key: digest(entities[key]) for key in sorted(entities)}
        changed = [key for key, text in digests.items() if known.get(key) != text]
        seen = self._seen()
        rows = [{**seen, "digest": digests[key], **kind.row(entities[key])} for key in changed]
        if rows:
            self.connection.execute(kind.upserts[self.connection.dialect.name], rows)
        same = [key for key in digests if known.get(key) == digests[key]]
        self.change(kind.touch, same, in_run=self.place.run_id, in_moment=self.now)
        created = sum(key not in known for key in changed)
        return Written(Counts(created, len(changed) - created, len(same)), changed)

    def remove(self, kind: Kind, keys: Collection[Key]) -> int:
        """Mark these as deleted, and count them; they keep what they hold."""
        return self.change(kind.delete, keys, in_moment=self.now)

    def note_gone(self, kind: Kind, keys: Collection[Key], **more: object) -> None:
        """Write rows that are deleted already, for what is known elsewhere and not here."""
        row = {**self._seen(), "digest": "", "deleted_at": self.now, **more}
        for some in pieces(keys):
            rows = [{**row, kind.key: key} for key in some]
            self.connection.execute(insert(kind.table), rows)

    def change(self, statement: Executable, keys: Collection[Key], **more: object) -> int:
        """Do something to the rows with these keys, and count them."""
        row = {**self.place_row, **more}
        return sum(
            self.connection.execute(statement, {**row, "in_keys": some}).rowcount
            for some in pieces(keys)
        )

    def _seen(self) -> Row:
        place = self.place
        return {
            "customer": place.customer,
            "stage": place.stage,
            "first_seen_run": place.run_id,
            "last_seen_run": place.run_id,
            "read_at": self.now,
            "deleted_at": None,
        }


def pieces(keys: Collection[Key]) -> Iterator[list[Any]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), MANY):
        yield ordered[start : start + MANY]
