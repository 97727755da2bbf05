"""What a world is made of, told by arithmetic: any item from its number, none in advance.

Newer tests have higher ids, and the ids of several products interleave, as a busy vendor's do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
FirstId = Annotated[int, Meta(ge=1, le=2**40)]
Instant = Annotated[datetime, Meta(tz=True)]

PRODUCT_STEP = 7  # ids of products are not neighbours
SECTIONS = 3  # of a sectioned product
SECTION_STEP = SECTIONS + 1  # the default section has an id too
FIRST_SECTION_ID = 20_000
TEST_STEP = timedelta(hours=7)  # between neighbours of a product
CANCELLED = 20  # every twentieth of the tests that are over
MIXED = 2**61 - 1  # a prime: what the seed spreads choices over
LOCAL = timezone(timedelta(hours=2))
TYPES = (
    "website",
    "mobile_app_ios",
    "mobile_app_android",
    "streaming_app",
    "mobile_app_windows",
    "gaming",
)


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of everything: features and tests of a product, stories of a feature."""

    products: Annotated[int, Meta(ge=0, le=100_000)] = 3
    features: Annotated[int, Meta(ge=0, le=10_000)] = 5
    tests: Annotated[int, Meta(ge=0, le=1_000_000)] = 30
    stories: Annotated[int, Meta(ge=0, le=100)] = 4
    bugs: Annotated[int, Meta(ge=0, le=100)] = 1  # of a test
    sectioned: Share = 0.0  # share of the products
    running: Share = 0.1  # share of a product's tests that still change, the newest
    ties: Annotated[int, Meta(ge=1)] = 1  # neighbours that share one end_at
    seed: int = 0
    first_product_id: FirstId = 2001
    first_feature_id: FirstId = 190_000
    first_story_id: FirstId = 700_000
    first_test_id: FirstId = 100_000
    newest_end_at: Instant = datetime(2026, 3, 1, 14, tzinfo=LOCAL)


@dataclass(frozen=True, slots=True)
class Product:
    id: int
    number: int  # from 1
    name: str
    type: str
    description: str
    is_sectioned: bool = False

    @property
    def default_section_id(self) -> int:
        return FIRST_SECTION_ID + (self.number - 1) * SECTION_STEP

    @property
    def section_ids(self) -> Sequence[int]:
        """Give the sections a customer made; the default one is not among them."""
        first = self.default_section_id + 1
        return range(first, first + SECTIONS) if self.is_sectioned else ()


@dataclass(frozen=True, slots=True)
class Feature:
    id: int
    product_id: int
    number: int  # within its product, from 1
    title: str
    description: str = "Verify that it works. " * 5
    howtofind: str = "Main menu, first entry"


@dataclass(frozen=True, slots=True)
class Test:
    __test__ = False  # its name makes pytest curious

    id: int
    product_id: int
    title: str
    status: str
    end_at: datetime

    @property
    def place(self) -> tuple[float, int]:
        """Sort newest first; of those that end together the higher id goes first."""
        return (-self.end_at.timestamp(), -self.id)


def product_ids(of: Recipe) -> range:
    first = of.first_product_id
    return range(first, first + of.products * PRODUCT_STEP, PRODUCT_STEP)


def product(of: Recipe, product_id: int) -> Product:
    number = product_ids(of).index(product_id) + 1
    return Product(
        product_id,
        number,
        f"Product {number:03}",
        TYPES[(number - 1) % len(TYPES)],
        f"Demo product {number}",
        is_sectioned=int(number * of.sectioned) > int((number - 1) * of.sectioned),
    )


def feature(of: Recipe, product_id: int, number: int) -> Feature:
    """Make the n-th feature of a product, from 1."""
    before = product_ids(of).index(product_id) * of.features
    feature_id = of.first_feature_id + before + number - 1
    return Feature(feature_id, product_id, number, f"Feature {number}")


def features(of: Recipe, product_id: int) -> list[Feature]:
    return [feature(of, product_id, number) for number in range(1, of.features + 1)]


def owner_of_feature(of: Recipe, feature_id: int) -> int | None:
    """Tell whose a feature is, or that it was not generated."""
    ordinal = feature_id - of.first_feature_id
    if not 0 <= ordinal < of.products * of.features:
        return None
    return product_ids(of)[ordinal // of.features]


def test_ids(of: Recipe, product_id: int) -> range:
    """Give the ids of a product's tests, newest first, without making any."""
    oldest = of.first_test_id + product_ids(of).index(product_id)
    return range(oldest + (of.tests - 1) * of.products, oldest - 1, -max(of.products, 1))


def test(of: Recipe, test_id: int) -> Test | None:
    """Make the test of this id, or tell that it was not generated."""
    ordinal = test_id - of.first_test_id
    if not 0 <= ordinal < of.products * of.tests:
        return None
    age, place = divmod(ordinal, of.products)
    position = of.tests - 1 - age
    earlier = position // of.ties * TEST_STEP + timedelta(minutes=place)
    end_at = of.newest_end_at - earlier
    product_id = product_ids(of)[place]
    return Test(test_id, product_id, f"Test {test_id}", _status(of, position), end_at)


def chosen(of: Recipe, item_id: int, among: int) -> int:
    """Choose by the seed: the same for the same item, whatever was asked before."""
    return (of.seed + 1) * 1_000_003 * (item_id + 7919) % MIXED * 31 % MIXED % among


def _status(of: Recipe, position: int) -> str:
    if position < round(of.running * of.tests):
        return "locked" if position % 2 else "running"
    return "cancelled" if position % CANCELLED == CANCELLED - 1 else "archived"
