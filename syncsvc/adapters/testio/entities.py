"""TestIO's objects as our entities. What cannot be one raises ValueError: field, found, expected.

What an object holds twice is taken once: its first appearance counts.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

from syncsvc.adapters.testio import shapes
from syncsvc.adapters.testio.texts import shown
from syncsvc.catalogue.entities import (
    CatalogueTest,
    Feature,
    Platform,
    Product,
    Section,
    TestFeature,
    UserStory,
)

Item = TypeVar("Item")


def product(raw: shapes.RawProduct) -> Product:
    sections = _once((Section(s.id, s.name) for s in raw.sections or ()), lambda s: s.id)
    return Product(raw.id, raw.name, raw.type, raw.description, sections)


def feature(raw: shapes.RawFeature, product_id: int) -> Feature:
    return Feature(
        raw.id,
        product_id,
        raw.title,
        raw.description,
        raw.howtofind,
        _once((_story(each, raw.id) for each in raw.user_stories or ()), lambda s: s.key),
    )


def test(raw: shapes.RawTest, product_id: int) -> CatalogueTest:
    environment = raw.test_environment or shapes.RawEnvironment()
    return CatalogueTest(
        id=raw.id,
        product_id=product_id,
        title=_title(raw.title, raw.test_title),
        status=raw.status,
        review_status=raw.review_status,
        testing_type=raw.testing_type,
        start_at=_moment("start_at", raw.start_at),
        end_at=_moment("end_at", raw.end_at),
        goal=raw.goal,
        instructions=raw.instructions,
        out_of_scope=raw.out_of_scope,
        environment_id=environment.id,
        environment_title=environment.title,
        section_id=raw.section.id if raw.section else None,
        enable_low=raw.enable_low,
        enable_high=raw.enable_high,
        enable_critical=raw.enable_critical,
        created_by=_name(raw.created_by),
        submitted_by=_name(raw.submitted_by),
        features=_once((_test_feature(each) for each in raw.features or ()), lambda f: f.id),
        platforms=_once((_platform(each) for each in raw.requirements or ()), lambda p: p.id),
    )


def _story(raw: str | shapes.RawStory, feature_id: int) -> UserStory:
    if isinstance(raw, str):
        return UserStory(None, feature_id, raw)
    return UserStory(raw.id, feature_id, _story_title(raw), raw.path)


def _story_title(raw: str | shapes.RawStory) -> str:
    if isinstance(raw, str):
        return raw
    return _title(raw.title, raw.path, of="user_stories[].title")


def _test_feature(raw: shapes.RawTestFeature) -> TestFeature:
    return TestFeature(
        raw.id,
        raw.feature_id,
        raw.title,
        raw.description,
        raw.howtofind,
        raw.enable_default,
        raw.enable_content,
        raw.enable_visual,
        tuple(_story_title(each) for each in raw.user_stories or ()),
    )


def _platform(raw: shapes.RawRequirement) -> Platform:
    category, system = raw.category, raw.operating_system
    return Platform(
        raw.id,
        (category.key or category.name) if isinstance(category, shapes.Named) else category,
        system.id if isinstance(system, shapes.Named) else None,
        _name(system),
        tuple(name for name in map(_name, raw.browsers or ()) if name is not None),
    )


def _name(raw: str | shapes.Named | None) -> str | None:
    return raw.name or raw.key if isinstance(raw, shapes.Named) else raw


def _title(title: str | None, instead: str | None, of: str = "title") -> str:
    found = title or instead
    if found is None and title is None:
        raise ValueError(f"{of}: expected str, found null")
    return found or ""


def _moment(field: str, found: str | None) -> datetime | None:
    """Read a moment; one that names no offset is in UTC."""
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        expected = "a moment in ISO 8601, of the years 1 to 9999"
        raise ValueError(f"{field}: expected {expected}, found {shown(found)[:50]!r}") from error


def _once(items: Iterable[Item], key: Callable[[Item], object]) -> tuple[Item, ...]:
    found: dict[object, Item] = {}
    for item in items:
        found.setdefault(key(item), item)
    return tuple(found.values())
