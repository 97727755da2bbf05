"""Products, features and user stories in TestIO's shapes."""

from collections.abc import Iterable
from typing import Any

from syncsvc.sandbox.testio.recipe import PRODUCT_STEP, SECTIONS, Feature, Product, Recipe

Json = dict[str, Any]
SHARED = 2 * SECTIONS  # every sixth feature belongs to all sections


def product(of: Product) -> Json:
    default = section(of.default_section_id, "default-section")
    own = [section(each, f"Section {n}") for n, each in enumerate(of.section_ids, 1)]
    return {
        "id": of.id,
        "name": of.name,
        "description": of.description,
        "type": of.type,
        "default_section_id": of.default_section_id,
        "sections": own,
        "sections_with_default": own or [default],
        "connection": None,
        "remote_device_testing": False,
    }


def section(section_id: int, name: str) -> Json:
    templates = {"total": 20, "count": 0}
    return {"id": section_id, "name": name, "connection": None, "test_templates": templates}


def feature(recipe: Recipe, of: Feature, *, with_stories: bool) -> Json:
    """Show a feature; its stories are titles, or objects for whom asks for them."""
    told = stories(recipe, of)
    return {
        "id": of.id,
        "title": of.title,
        "description": of.description,
        "howtofind": of.howtofind,
        "target_idx": None,
        "user_stories": told if with_stories else [each["title"] for each in told],
    }


def stories(recipe: Recipe, of: Feature, most: int | None = None) -> list[Json]:
    ordinal = of.id - recipe.first_feature_id
    first = recipe.first_story_id + ordinal * recipe.stories
    number = recipe.stories if most is None else min(most, recipe.stories)
    titles = (_story(recipe, of, n) for n in range(1, number + 1))
    return [
        {"id": first + n, "path": title, "title": title, "feature_id": of.id}
        for n, title in enumerate(titles)
    ]


def without_feature(of: Iterable[Json]) -> list[Json]:
    """Show stories as their own list does, which does not say whose they are."""
    return [{name: each[name] for name in ("id", "path", "title")} for each in of]


def is_in_section(of: Feature, product: Product, section_id: int) -> bool:
    """Sections share some features."""
    place = of.number - 1
    if place % SHARED == SHARED - 1 or section_id not in product.section_ids:
        return True
    return product.section_ids[place % SECTIONS] == section_id


def _story(recipe: Recipe, of: Feature, number: int) -> str:
    product = (of.product_id - recipe.first_product_id) // PRODUCT_STEP + 1
    return f"As a user, I can use function {of.number}.{number} of product {product}"
