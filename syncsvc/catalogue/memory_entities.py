"""What a sync finds is kept in dictionaries: the rules are those of the tables."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from syncsvc.catalogue.entities import Entity, digest
from syncsvc.catalogue.memory_rows import Row, Shelf
from syncsvc.catalogue.model import Counts, EntityType
from syncsvc.catalogue.vanishing import vanishing
from syncsvc.catalogue.work import (
    FeaturesFound,
    Found,
    ProductGone,
    ProductsFound,
    TestsFound,
    TestsGone,
)

K = TypeVar("K", int, str)
E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class Kept:
    counts: Counts
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keeping:
    """One commit's writing on a shelf; `live` is the one that readers see."""

    shelf: Shelf
    live: Shelf
    run_id: str
    now: datetime
    allow_vanishing: bool

    def keep(self, found: Found) -> Kept:
        match found:
            case ProductsFound():
                return self._products(found)
            case FeaturesFound():
                return self._features(found)
            case TestsFound(_, tests):
                return Kept(self._put_all(self.shelf.tests, {test.id: test for test in tests}))
            case TestsGone():
                return self._tests_gone(found)
            case ProductGone(product_id):
                return self._product_gone(product_id)

    def _products(self, found: ProductsFound) -> Kept:
        rows = self.shelf.products
        active = {key for key, row in rows.items() if row.is_live}
        listed = {product.id: product for product in found.products}
        counts = self._put_all(rows, listed)
        if not found.whole:
            return Kept(counts)
        if self.shelf is not self.live:
            return self._miss_aside(found, counts)
        missing = (active if found.asked is None else set(found.asked)) - listed.keys()
        if found.asked is None and (why := self._refusal("products", len(active), missing)):
            return Kept(counts, (why,))
        warnings = (f"product {key}: expected in the list, not found" for key in sorted(missing))
        return Kept(counts + self._drop(rows, missing & active), tuple(warnings))

    def _miss_aside(self, found: ProductsFound, counts: Counts) -> Kept:
        """Note which live products the end of a nuke removes."""
        rows, listed = self.live.products, {product.id for product in found.products}
        mine = {key for key in rows if found.asked is None or key in found.asked}
        active = {key for key in mine if rows[key].is_live}
        if why := self._refusal("products", len(active), active - listed):
            return Kept(counts, (why,))
        self.shelf.vanished |= mine - listed
        absent = sorted((active if found.asked is None else set(found.asked)) - listed)
        return Kept(
            counts, tuple(f"product {key}: expected in the list, not found" for key in absent)
        )

    def _product_gone(self, product_id: int) -> Kept:
        gone = self._drop(self.shelf.products, [product_id])
        if self.shelf is not self.live:
            seen = self._drop(self.live.products, [product_id])
            gone = max(gone, seen, key=lambda counts: counts.deleted)
        warning = f"product {product_id}: the server does not know it; it is inactive now"
        return Kept(gone, (warning,) if gone.deleted else ())

    def _features(self, found: FeaturesFound) -> Kept:
        rows = self.shelf.features
        listed = {feature.id: replace(feature, stories=()) for feature in found.features}
        own = {
            key
            for key, row in rows.items()
            if row.is_live and row.what.product_id == found.product_id
        }
        missing = own - listed.keys() if found.whole else set()
        why = self._refusal(f"features of product {found.product_id}", len(own), missing)
        gone = set() if why else missing
        counts = self._put_all(rows, listed) + self._drop(rows, gone)
        if found.with_stories:
            counts += self._stories(found, gone)
        return Kept(counts, (why,) if why else ())

    def _stories(self, found: FeaturesFound, gone: Collection[int]) -> Counts:
        """Store the stories of the listed features; those of `gone` go with them."""
        rows = self.shelf.stories
        listed = {story.key: story for feature in found.features for story in feature.stories}
        judged = {feature.id for feature in found.features}.union(gone)
        own = {key for key, row in rows.items() if row.what.feature_id in judged}
        return self._put_all(rows, listed) + self._drop(rows, own - listed.keys())

    def _tests_gone(self, found: TestsGone) -> Kept:
        own = {row.what.id: row for row in self.shelf.live_tests(found.product_id)}
        if found.ids is not None:
            return Kept(self._drop(self.shelf.tests, own.keys() & set(found.ids)))
        unseen = {key for key, row in own.items() if row.last_seen_run != self.run_id}
        if why := self._refusal(f"tests of product {found.product_id}", len(own), unseen):
            return Kept(Counts(), (why,))
        return Kept(self._drop(self.shelf.tests, unseen))

    def _refusal(self, subject: str, known: int, missing: Collection[int]) -> str | None:
        """Say why none of these may be deleted; None when they may be."""
        reason = None if self.allow_vanishing else vanishing(known, len(missing))
        return reason and f"{subject}: {reason}; none was, --allow-vanishing would do it"

    def _put_all(self, rows: dict[K, Row[E]], found: dict[K, E]) -> Counts:
        return sum((self._put(rows, key, what) for key, what in found.items()), Counts())

    def _put(self, rows: dict[K, Row[E]], key: K, what: E) -> Counts:
        known, text = rows.get(key), digest(what)
        first = self.run_id if known is None else known.first_seen_run
        rows[key] = Row(what, text, first, self.run_id, self.now)
        if known is None:
            return Counts(created=1)
        if known.is_live and known.digest == text:
            return Counts(unchanged=1)
        return Counts(updated=1)

    def _drop(self, rows: dict[K, Row[E]], keys: Collection[K]) -> Counts:
        live = [key for key in keys if key in rows and rows[key].is_live]
        for key in live:
            rows[key] = replace(rows[key], deleted_at=self.now)
        return Counts(deleted=len(live))


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of a shelf by their name, and how to tell whose product one is of."""

    kinds: set[EntityType]
    name: str
    product: Callable[[Shelf, Any], int | None]

    def of(self, shelf: Shelf, products: Collection[int] | None) -> dict[Any, Any]:
        rows: dict[Any, Any] = getattr(shelf, self.name)
        return {
            key: row
            for key, row in rows.items()
            if products is None or self.product(shelf, key) in products
        }


_PARTS = (  # what is found by its parents comes before them
    _Part({EntityType.TESTS}, "tests", lambda shelf, key: shelf.tests[key].what.product_id),
    _Part({EntityType.TESTS}, "coverage", lambda _, key: int(key)),
    _Part({EntityType.USER_STORIES}, "stories", lambda shelf, key: shelf.product_of_story(key)),
    _Part(
        {EntityType.FEATURES, EntityType.USER_STORIES},
        "features",
        lambda shelf, key: shelf.features[key].what.product_id,
    ),
    _Part({EntityType.PRODUCTS}, "products", lambda _, key: int(key)),
)


def swap(
    live: Shelf, aside: Shelf, products: Collection[int] | None, kinds: Collection[EntityType]
) -> None:
    """Put what is aside in the place of what is live, of these products; None stands for all."""
    for part in _PARTS:
        if part.kinds & set(kinds):
            _take_place(part, live, aside, products)


def _take_place(part: _Part, live: Shelf, aside: Shelf, products: Collection[int] | None) -> None:
    rows = getattr(live, part.name)
    coming, going = part.of(aside, products), part.of(live, products)
    firsts = {key: row.first_seen_run for key, row in rows.items() if isinstance(row, Row)}
    for key in going:
        del rows[key]
    for key, row in coming.items():
        rows[key] = replace(row, first_seen_run=firsts[key]) if key in firsts else row
