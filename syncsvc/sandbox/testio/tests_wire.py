"""Exploratory tests in TestIO's shape, in a list and alone.

Every environment holds credentials with the word hunter2, so that whoever reads them can prove
that they are kept nowhere.
"""

from collections.abc import Sequence
from datetime import timedelta

from syncsvc.sandbox.testio import recipe as rules
from syncsvc.sandbox.testio import wire
from syncsvc.sandbox.testio.recipe import Feature, Product, Recipe, Test
from syncsvc.sandbox.testio.wire import Json

FIRST_LINK_ID = 1_000_000
FIRST_ENVIRONMENT_ID = 20_010
FIRST_REQUIREMENT_ID = 200_000
COVERED = 3  # features of a test
STORIES = 2  # of a feature that a test covers
KINDS = ("coverage", "focused", "rapid", "usability")
PEOPLE = ("alice", "bob", "carol")


def test(recipe: Recipe, of: Test, product: Product, *, with_stories: bool) -> Json:
    """Show a test as a list does, which is all of it but its figures."""
    return {
        "id": of.id,
        "test_title": of.title,
        "title": of.title,
        "status": of.status,
        "test_environment": _environment(product, of),
        "features": links(recipe, of, with_stories=with_stories),
        **_texts(),
        "testing_type": KINDS[rules.chosen(recipe, of.id, len(KINDS))],
        "attachments": [],
        "requirements": [_requirement(product)],
        "report_language": "en",
        "section": _section(product, of),
        "product": wire.product(product),
        **_settings(),
        "created_by": None,
        "submitted_by": PEOPLE[of.id % len(PEOPLE)],
        "start_at": (of.end_at - timedelta(days=1)).isoformat(),
        "end_at": of.end_at.isoformat(),
        **_review(of),
        "demo": False,
    }


def single(recipe: Recipe, of: Test, product: Product, *, with_stories: bool) -> Json:
    """Show a test alone: with the figures of its features and of all of it."""
    shown = test(recipe, of, product, with_stories=with_stories)
    for link in shown["features"]:
        link.update(execution_status="passed", tester_count=2, bugs_found=0, bug_ids=[])
    covered = len(shown["features"])
    told = covered * min(STORIES, recipe.stories)
    figures = {"testers_count": 4, "devices_count": 4, "total_bugs": recipe.bugs}
    of_features = {"total_features": covered, "tested_features": covered}
    of_stories = {"total_user_stories": told, "tested_user_stories": told}
    shown["analytics"] = {
        **figures,
        **of_features,
        "passed_features": covered,
        "failed_features": 0,
        **of_stories,
        "passed_user_stories": told,
        "failed_user_stories": 0,
        "blocked_user_stories": 0,
    }
    return shown


def links(recipe: Recipe, of: Test, *, with_stories: bool = False) -> list[Json]:
    first = FIRST_LINK_ID + (of.id - recipe.first_test_id) * COVERED
    covered = covered_features(recipe, of)
    return [
        _link(first + n, recipe, each, with_stories=with_stories) for n, each in enumerate(covered)
    ]


def covered_features(recipe: Recipe, of: Test) -> Sequence[Feature]:
    """Choose the features of a test, as they were when it was made."""
    among = recipe.features
    if not among:
        return ()
    start = rules.chosen(recipe, of.id, among)
    numbers = ((start + n) % among + 1 for n in range(min(COVERED, among)))
    return [rules.feature(recipe, of.product_id, number) for number in numbers]


def section_id(of: Test, product: Product) -> int:
    return (product.section_ids or (product.default_section_id,))[
        of.id % len(product.section_ids or (0,))
    ]


def _link(link_id: int, recipe: Recipe, of: Feature, *, with_stories: bool) -> Json:
    told = wire.stories(recipe, of, STORIES)
    return {
        "id": link_id,
        "feature_id": of.id,
        "title": of.title,
        "description": of.description,
        "location": of.howtofind,
        "howtofind": of.howtofind,
        "target_idx": None,
        "enable_default": True,
        "enable_content": None,
        "enable_visual": True,
        "custom_report_configurations": [],
        "user_stories": told if with_stories else [each["title"] for each in told],
    }


def _environment(product: Product, of: Test) -> Json:
    environment_id = FIRST_ENVIRONMENT_ID + product.number - 1
    return {
        "id": environment_id,
        "title": "Staging",
        "url": "https://staging.example.com/",
        "username": f"hunter2-user-{environment_id}",
        "password": f"hunter2-{of.id}",
        "access": f"https://access.claims/pages/hunter2-{environment_id}",
        "proxy": False,
        "allow_orders": False,
        "access_type": "url",
        "environment_test_information": None,
        "binary_app": None,
    }


def _texts() -> Json:
    return {
        "goal": "**Goal**",
        "goal_text": "Goal",
        "out_of_scope": "**None**",
        "out_of_scope_text": "None",
        "instructions": "**Read**",
        "instructions_text": "Read " * 40,
    }


def _settings() -> Json:
    return {
        "enable_low": True,
        "enable_high": True,
        "enable_critical": True,
        "allow_device_clouds_test_scenario": False,
        "allowed_bug_types": ["default", "content", "visual"],
    }


def _requirement(product: Product) -> Json:
    return {
        "id": FIRST_REQUIREMENT_ID + product.number - 1,
        "browsers": [{"id": 2, "name": "Chrome", "key": "chrome"}],
        "category": {"id": 1, "key": "smartphone", "name": "Smartphones"},
        "devices": [],
        "input_devices": [],
        "max_operating_system_version": None,
        "min_operating_system_version": {"id": 198, "name": "10"},
        "operating_system": {"id": 2, "key": "android", "name": "Android"},
        "vendor": None,
        "browser_based": True,
        "gaming": False,
    }


def _section(product: Product, of: Test) -> Json:
    found = section_id(of, product)
    number = found - product.default_section_id
    return wire.section(found, f"Section {number}" if number else "default-section")


def _review(of: Test) -> Json:
    review = {
        "status": "successful",
        "instruction_comment": None,
        "test_environment_comment": None,
        "feature_comment": None,
        "bug_type_comment": None,
        "reviewed_at": (of.end_at - timedelta(hours=25)).isoformat(),
    }
    return {"reviews": [review], "review_status": "review_successful"}
