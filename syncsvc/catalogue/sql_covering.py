"""What a test covers and where it is run, as rows of its own: they live and change with it."""

from collections.abc import Collection
from typing import Any

from msgspec import json
from sqlalchemy import Table, bindparam, delete, insert

from syncsvc.catalogue.entities import CatalogueTest, Platform, TestFeature
from syncsvc.catalogue.sql_kinds import Row, Writing, here
from syncsvc.stores.sql.catalogue_tables import catalogue_test_features, catalogue_test_platforms

TABLES = (catalogue_test_features, catalogue_test_platforms)


def replace_covered(writing: Writing, tests: Collection[CatalogueTest]) -> None:
    """Write what these tests name, in the place of what they named before.

    The tests' own rows must have been written: they keep other writers out.
    """
    features = [_feature(writing, test, f) for test in tests for f in _once(test.features)]
    platforms = [_platform(writing, test, p) for test in tests for p in _once(test.platforms)]
    for table, rows in zip(TABLES, (features, platforms), strict=True):
        writing.change(_DELETE[table.name], [test.id for test in tests])
        if rows:
            writing.connection.execute(insert(table), rows)


def _delete(table: Table) -> Any:
    tests = table.c.test_id.in_(bindparam("in_keys", expanding=True))
    return delete(table).where(here(table), tests)


_DELETE = {table.name: _delete(table) for table in TABLES}


def _once(parts: Collection[Any]) -> Collection[Any]:
    """Leave out all but the last of those with the same id: a row has room for one."""
    return {part.id: part for part in parts}.values()


def _feature(writing: Writing, test: CatalogueTest, feature: TestFeature) -> Row:
    return {
        "customer": writing.place.customer,
        "stage": writing.place.stage,
        "test_id": test.id,
        "id": feature.id,
        "feature_id": feature.feature_id,
        "title": feature.title,
        "description": feature.description,
        "howtofind": feature.howtofind,
        "enable_default": feature.enable_default,
        "enable_content": feature.enable_content,
        "enable_visual": feature.enable_visual,
        "user_stories": json.encode(feature.user_stories).decode(),
    }


def _platform(writing: Writing, test: CatalogueTest, platform: Platform) -> Row:
    return {
        "customer": writing.place.customer,
        "stage": writing.place.stage,
        "test_id": test.id,
        "id": platform.id,
        "category": platform.category,
        "operating_system_id": platform.operating_system_id,
        "operating_system": platform.operating_system,
        "browsers": json.encode(platform.browsers).decode(),
    }
