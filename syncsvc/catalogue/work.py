"""Units of a sync: the smallest parts that are done or not done, and what one commit of one holds.

A unit is a phase of one product (the list of products is a unit without one). Who works on it
holds a claim; each commit says what was found and where to go on, in one transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncsvc.catalogue.entities import CatalogueTest, Feature, Product
from syncsvc.catalogue.model import Counts, ErrorClass, SyncPhase, SyncRun, UnitState
from syncsvc.catalogue.walk import Coverage

NOTHING = Counts()
LIVE, ASIDE = 0, 1  # stages: what readers see, and what a nuke builds


@dataclass(frozen=True, slots=True)
class Unit:
    """A phase of one product, in one run. `cursor` is the unit's own note of where to go on."""

    id: str
    run_id: str
    phase: SyncPhase
    product_id: int | None
    state: UnitState = UnitState.OPEN
    attempt: int = 0  # claims so far, without those that ended as `Later` says
    cursor: str | None = None
    counts: Counts = NOTHING
    error_class: ErrorClass | None = None
    error: str | None = None
    due_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A unit that somebody works on, until the claim's term has passed without a sign of life."""

    claim: str
    unit: Unit
    run: SyncRun

    @property
    def stage(self) -> int:
        return ASIDE if self.run.order.options.nuke else LIVE

    @property
    def product(self) -> int:
        """The product's id; raises ValueError for the unit that has none."""
        if self.unit.product_id is None:
            raise ValueError(f"unit {self.unit.id} has no product")
        return self.unit.product_id


@dataclass(frozen=True, slots=True)
class ProductsFound:
    """`whole`: those that are known and not among them become inactive, within `asked` if given."""

    products: Sequence[Product]
    whole: bool = True
    asked: Collection[int] | None = None


@dataclass(frozen=True, slots=True)
class FeaturesFound:
    """A product's features, all of them if `whole`: then those that are missing are deleted.

    Without `with_stories` user stories are left as they are.
    """

    product_id: int
    features: Sequence[Feature]
    whole: bool = True
    with_stories: bool = True


@dataclass(frozen=True, slots=True)
class TestsFound:
    """Tests of a product that were read: stored, and noted as seen by this run."""

    __test__ = False  # pytest

    product_id: int
    tests: Sequence[CatalogueTest]


@dataclass(frozen=True, slots=True)
class TestsGone:
    """Tests that are deleted: those named, or, after a sweep, all that this run has not seen."""

    __test__ = False  # pytest

    product_id: int
    ids: Collection[int] | None = None


@dataclass(frozen=True, slots=True)
class ProductGone:
    """The server does not know the product: it is inactive until a list has it again."""

    product_id: int


Found = ProductsFound | FeaturesFound | TestsFound | TestsGone | ProductGone


@dataclass(frozen=True, slots=True)
class Poison:
    """A place of a product's list that cannot be read: what stands next to it tells where it is.

    `page` and `per_page` are of the request that failed; `test_id` is set where it is known.
    """

    product_id: int
    page: int
    per_page: int
    above: int | None
    below: int | None
    error: str
    test_id: int | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A poison that is remembered, until a later try reads what is there."""

    id: str
    customer: str
    poison: Poison
    attempts: int
    found_at: datetime
    next_try_at: datetime
    healed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing of the unit is left to do."""


@dataclass(frozen=True, slots=True)
class Failed:
    error_class: ErrorClass
    error: str


@dataclass(frozen=True, slots=True)
class Later:
    """Go on then: the unit is given back with its cursor.

    Its claim is not counted as an attempt, unless `is_setback`: then the reason is kept as the
    unit's error until it has another outcome.
    """

    due_at: datetime
    reason: str
    is_setback: bool = False


Outcome = Done | Failed | Later


@dataclass(frozen=True, slots=True)
class Step:
    """One commit: rows, counts, coverage and cursor, all or none. No outcome: the unit goes on."""

    found: Sequence[Found] = ()
    coverage: Coverage | None = None
    cursor: str | None = None  # None leaves it as it is
    poisoned: Sequence[Poison] = ()
    healed: Collection[str] = ()  # ids of quarantined places
    warnings: Sequence[str] = ()
    spent: Counts = NOTHING  # of its calls; the store adds what it has changed
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """`counts` are of this commit. `opened`: units that may be claimed now and could not before."""

    counts: Counts
    opened: int
    run: SyncRun
