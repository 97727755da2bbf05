"""What a catalogue holds, as we keep it. A digest tells whether one has changed.

Of a test's environment only the id and the title are known here: the rest may be credentials.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec

IMMUTABLE = frozenset({"archived", "cancelled"})  # statuses; any other may still change


@dataclass(frozen=True, slots=True)
class Section:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Product:
    id: int
    name: str
    type: str | None = None
    description: str | None = None
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class UserStory:
    """`id` is None where the API gives titles only."""

    id: int | None
    feature_id: int
    title: str
    path: str | None = None

    @property
    def key(self) -> str:
        if self.id is not None:
            return str(self.id)
        return f"{self.feature_id}:{sha256(self.title.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Feature:
    id: int
    product_id: int
    title: str
    description: str | None = None
    howtofind: str | None = None
    stories: tuple[UserStory, ...] = ()


@dataclass(frozen=True, slots=True)
class TestFeature:
    """What a test covers; `id` is that of the link, `feature_id` the feature's."""

    __test__ = False  # pytest

    id: int
    feature_id: int
    title: str | None = None
    description: str | None = None
    howtofind: str | None = None
    enable_default: bool | None = None
    enable_content: bool | None = None
    enable_visual: bool | None = None
    user_stories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Platform:
    id: int
    category: str | None = None
    operating_system_id: int | None = None
    operating_system: str | None = None
    browsers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueTest:
    """An exploratory test; moments are in UTC. Lists are newest first by `end_at`."""

    id: int
    product_id: int
    title: str
    status: str | None = None
    review_status: str | None = None
    testing_type: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    goal: str | None = None
    instructions: str | None = None
    out_of_scope: str | None = None
    environment_id: int | None = None
    environment_title: str | None = None
    section_id: int | None = None
    enable_low: bool | None = None
    enable_high: bool | None = None
    enable_critical: bool | None = None
    created_by: str | None = None
    submitted_by: str | None = None
    features: tuple[TestFeature, ...] = ()
    platforms: tuple[Platform, ...] = ()

    @property
    def is_mutable(self) -> bool:
        return self.status not in IMMUTABLE


Entity = Product | Feature | UserStory | CatalogueTest


def digest(entity: Entity) -> str:
    """Give the same text for the same content."""
    return sha256(msgspec.json.encode(entity)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item of an answer that is not what was expected; `error` names field, found, expected."""

    index: int  # in the raw answer
    id: int | None
    error: str


@dataclass(frozen=True, slots=True)
class ProductList:
    products: Sequence[Product]
    unreadable: Sequence[Unreadable] = ()


@dataclass(frozen=True, slots=True)
class FeatureList:
    features: Sequence[Feature]
    unreadable: Sequence[Unreadable] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of tests as it came, in its order; `raw_count` counts the unreadable too."""

    tests: Sequence[CatalogueTest]
    raw_count: int
    unreadable: Sequence[Unreadable] = ()
