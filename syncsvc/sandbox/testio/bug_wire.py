"""Bugs in TestIO's shape; a test has as many as the recipe says."""

from collections.abc import Sequence
from datetime import timedelta

from syncsvc.sandbox.testio import tests_wire
from syncsvc.sandbox.testio.recipe import Product, Recipe, Test
from syncsvc.sandbox.testio.wire import Json

FIRST_BUG_ID = 2_000_000
SEVERITIES = ("low", "high", "critical", "visual", "content")
STATUSES = ("accepted", "accepted", "rejected", "forwarded")


def bug_ids(recipe: Recipe, test_id: int) -> Sequence[int]:
    first = FIRST_BUG_ID + (test_id - recipe.first_test_id) * recipe.bugs
    return range(first, first + recipe.bugs)


def test_of(recipe: Recipe, bug_id: int) -> int | None:
    """Tell the id of the test that a bug would belong to."""
    if recipe.bugs == 0 or bug_id < FIRST_BUG_ID:
        return None
    return recipe.first_test_id + (bug_id - FIRST_BUG_ID) // recipe.bugs


def bug(recipe: Recipe, bug_id: int, test: Test, product: Product) -> Json:
    return {
        "id": bug_id,
        "title": f"Bug {bug_id}",
        "severity": SEVERITIES[bug_id % len(SEVERITIES)],
        "status": STATUSES[bug_id % len(STATUSES)],
        "auto_accepted": False,
        "language": "en",
        "location": "https://example.com/page",
        "expected_result": "Works",
        "actual_result": "Does not work",
        "steps": "1. Open 2. Click",
        "author": {"name": f"tester{bug_id % 9 + 1}"},
        "test": {"id": test.id, "title": test.title},
        "product": {"id": product.id, "name": product.name},
        **_features(recipe, test),
        "comments": [],
        "devices": [_device()],
        "attachments": [],
        "known": False,
        "exported_at": None,
        "reported_at": (test.end_at - timedelta(hours=2)).isoformat(),
    }


def _features(recipe: Recipe, test: Test) -> Json:
    for link in tests_wire.links(recipe, test)[:1]:
        return {
            "test_feature": {"id": link["id"], "title": link["title"]},
            "feature": {"id": link["feature_id"], "title": link["title"]},
        }
    return {"test_feature": None, "feature": None}


def _device() -> Json:
    return {
        "id": 1,
        "category": {"name": "Smartphones"},
        "vendor": {"name": "Google"},
        "devices": {"name": "Pixel 7"},
        "operating_system": {"id": 2, "name": "Android"},
        "browsers": [{"name": "Chrome"}],
    }
