"""One turn of a unit that reads a product's tests: what it knows, and its note for the next turn.

The note is the unit's cursor; a process that takes the unit over goes on from there.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from syncsvc.catalogue.desk import Desk
from syncsvc.catalogue.entities import CatalogueTest
from syncsvc.catalogue.walk import Coverage, WalkTerms
from syncsvc.catalogue.work import Quarantined, Step


@dataclass(frozen=True, slots=True)
class Note:
    """How far this run is with a product.

    `at`: the index of the last place that was read. `from_top`: every page from the first on was
    read. `clean`: all that stands there could be. `sweep`: what a sweep has read so far.
    `walked`: what is left is to read tests again that may have changed; `tried` are those that
    cannot be.
    """

    at: int | None = None
    from_top: bool = True
    clean: bool = True
    sweep: Coverage | None = None
    walked: bool = False
    features_read: bool = False
    tried: tuple[int, ...] = ()
    stale_before: datetime | None = None

    @property
    def cursor(self) -> str:
        return msgspec.json.encode(self).decode()


def note_of(cursor: str | None) -> Note:
    """Read a note; without one, or with one that is not ours, the unit starts again."""
    try:
        return msgspec.json.decode(cursor or "{}", type=Note)
    except msgspec.DecodeError:
        return Note()


@dataclass
class Turn:
    """What the parts of the story share: they change it as they go."""

    desk: Desk
    terms: WalkTerms
    coverage: Coverage
    note: Note
    quarantined: tuple[Quarantined, ...]
    pages: int = field(default=0, init=False)
    settled: set[str] = field(default_factory=set, init=False)  # places that were tried

    @property
    def product(self) -> int:
        return self.desk.claimed.product

    @property
    def place(self) -> tuple[str, int, int]:
        """What every question to the store begins with."""
        return (self.desk.claimed.run.order.customer, self.desk.claimed.stage, self.product)

    @property
    def since(self) -> datetime | None:
        return self.desk.claimed.run.order.scope.since_date

    @property
    def is_over(self) -> bool:
        """Tell it early enough for one more page, of which some cannot be read."""
        spending = self.desk.spending
        return self.pages >= self.terms.pages_a_turn or spending.calls >= spending.limit / 2

    def wants(self, test: CatalogueTest) -> bool:
        """Tell whether it is in scope: it did not end before the floor."""
        return self.since is None or test.end_at is None or test.end_at >= self.since

    def noted(self, **changes: Any) -> None:
        self.note = replace(self.note, **changes)

    async def keep(self, step: Step) -> None:
        """Commit a step with the note as it is now."""
        await self.desk.keep(replace(step, cursor=self.note.cursor))


async def turn_of(desk: Desk, terms: WalkTerms) -> Turn:
    """Gather what is known as a turn begins."""
    customer, stage = desk.claimed.run.order.customer, desk.claimed.stage
    product = desk.claimed.product
    return Turn(
        desk,
        terms,
        await desk.stored.coverage(customer, stage, product),
        note_of(desk.claimed.unit.cursor),
        tuple(await desk.stored.quarantined(customer, product)),
    )
