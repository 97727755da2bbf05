"""What is stored of a catalogue, read back from dictionaries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncsvc.catalogue.entities import Product
from syncsvc.catalogue.memory_rows import MemoryRows, mark_of
from syncsvc.catalogue.patience import next_try
from syncsvc.catalogue.walk import Coverage, Mark
from syncsvc.catalogue.work import LIVE, Poison, Quarantined
from syncsvc.errors import Unknown

MANY = 20  # tests that are named between two places


@dataclass
class MemoryStored(MemoryRows):
    async def coverage(self, customer: str, stage: int, product_id: int) -> Coverage:
        return self.shelves[customer, stage].coverage.get(product_id, Coverage())

    async def known_tests(
        self, customer: str, stage: int, product_id: int, ids: Collection[int]
    ) -> Mapping[int, Mark]:
        return {mark.id: mark for mark in self._marks(customer, stage, product_id, ids)}

    async def tests_above(self, customer: str, stage: int, product_id: int, mark: Mark) -> int:
        return len([m for m in self._marks(customer, stage, product_id) if m.key > mark.key])

    async def tests_between(
        self, customer: str, stage: int, product_id: int, above: Mark | None, below: Mark | None
    ) -> Sequence[int]:
        return [
            mark.id
            for mark in self._marks(customer, stage, product_id)
            if (above is None or mark.key < above.key) and (below is None or mark.key > below.key)
        ][:MANY]

    async def stale_tests(
        self, customer: str, stage: int, product_id: int, before: datetime
    ) -> Sequence[Mark]:
        rows = self.shelves[customer, stage].live_tests(product_id)
        return [mark_of(t.what) for t in rows if t.what.is_mutable and t.read_at < before]

    async def missing_features(
        self, customer: str, stage: int, product_id: int, ids: Collection[int]
    ) -> Collection[int]:
        return set(ids) - self.shelves[customer, stage].features.keys()

    async def products(self, customer: str) -> Sequence[tuple[Product, bool]]:
        rows = self.shelves[customer, LIVE].products
        return [(row.what, row.is_live) for _, row in sorted(rows.items())]

    async def quarantined(
        self, customer: str | None = None, product_id: int | None = None
    ) -> Sequence[Quarantined]:
        found = [p for p in self._sick(customer) if product_id in (None, p.poison.product_id)]
        return sorted(found, key=lambda place: (place.found_at, place.id))

    async def retry_quarantined(
        self, now: datetime, quarantine_id: str | None = None, customer: str | None = None
    ) -> int:
        chosen = [p for p in self._sick(customer) if quarantine_id in (None, p.id)]
        if quarantine_id is not None and not chosen:
            text = "quarantine: expected a place that is in it"
            raise Unknown(f"{text}, found {quarantine_id[:80]!r}")
        for place in chosen:
            self.places[place.id] = replace(place, next_try_at=now)
        return len(chosen)

    def _quarantine(self, customer: str, poison: Poison, now: datetime) -> int:
        """Remember a place that cannot be read, or that it still cannot; count the new."""
        known = [p for p in self._sick(customer) if _where(p.poison) == _where(poison)]
        new = Quarantined(self.new_id(), customer, poison, 0, now, now) if not known else known[0]
        attempts = new.attempts + 1
        self.places[new.id] = replace(
            new, poison=poison, attempts=attempts, next_try_at=next_try(attempts, now)
        )
        return not known

    def _heal(self, customer: str, ids: Collection[str], now: datetime) -> None:
        for place in self._sick(customer):
            if place.id in ids:
                self.places[place.id] = replace(place, healed_at=now)

    def _sick(self, customer: str | None) -> list[Quarantined]:
        return [
            place
            for place in self.places.values()
            if place.healed_at is None and customer in (None, place.customer)
        ]

    def _marks(
        self, customer: str, stage: int, product_id: int, ids: Collection[int] | None = None
    ) -> list[Mark]:
        """Give the places of stored tests that are not deleted, newest first."""
        rows = self.shelves[customer, stage].live_tests(product_id)
        return [mark_of(row.what) for row in rows if ids is None or row.what.id in ids]


def _where(poison: Poison) -> tuple[int | None, ...]:
    """Tell a place: by its test if that is known, since what stands next to it may change."""
    if poison.test_id is not None:
        return poison.product_id, poison.test_id
    return poison.product_id, None, poison.above, poison.below
