"""A customer's catalogue: what the recipe gives, and what has been changed since.

What nobody has touched is never kept: a thousand products cost nothing until they are asked for.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from syncsvc.sandbox.replies import Missing
from syncsvc.sandbox.testio import recipe
from syncsvc.sandbox.testio.recipe import Feature, Product, Recipe, Test


@dataclass
class World:
    """`version` grows with each change, so that an older answer is known as one."""

    recipe: Recipe = field(default_factory=Recipe)
    version: int = 0
    poisoned: dict[int, bool] = field(default_factory=dict)  # True: alone it can be read
    _gone: set[int] = field(default_factory=set)  # products
    _products: dict[int, Product] = field(default_factory=dict)
    _features: dict[int, list[Feature]] = field(default_factory=dict)  # by product, if touched
    _owners: dict[int, int] = field(default_factory=dict)  # of added features
    _listed: dict[int, list[int]] = field(default_factory=dict)  # test ids, if touched
    _tests: dict[int, Test] = field(default_factory=dict)  # added or altered
    _added_tests: int = 0

    def product_ids(self) -> list[int]:
        return [each for each in recipe.product_ids(self.recipe) if each not in self._gone]

    def product(self, product_id: int) -> Product:
        if product_id in self._gone or product_id not in recipe.product_ids(self.recipe):
            raise Missing("product", product_id)
        return self._products.get(product_id) or recipe.product(self.recipe, product_id)

    def features(self, product_id: int) -> Sequence[Feature]:
        self.product(product_id)
        touched = self._features.get(product_id)
        return recipe.features(self.recipe, product_id) if touched is None else touched

    def feature(self, feature_id: int) -> Feature:
        owner = self._owners.get(feature_id)
        if owner is None:
            owner = recipe.owner_of_feature(self.recipe, feature_id)
        if owner is not None and owner not in self._gone:
            for each in self.features(owner):
                if each.id == feature_id:
                    return each
        raise Missing("feature", feature_id)

    def test_ids(self, product_id: int) -> Sequence[int]:
        """Give a product's tests by id, newest first."""
        self.product(product_id)
        touched = self._listed.get(product_id)
        return recipe.test_ids(self.recipe, product_id) if touched is None else touched

    def test(self, test_id: int) -> Test:
        found = self._tests.get(test_id) or recipe.test(self.recipe, test_id)
        if found is None or found.product_id in self._gone or not self._lists(found):
            raise Missing("exploratory test", test_id)
        return found

    def alter_product(self, product_id: int, changes: dict[str, Any]) -> None:
        self._products[product_id] = replace(self.product(product_id), **changes)
        self.version += 1

    def remove_product(self, product_id: int) -> None:
        self.product(product_id)
        self._gone.add(product_id)
        self.version += 1

    def restore(self, product_id: int) -> None:
        """Bring a product back as it was generated, with its features and its tests."""
        if product_id not in recipe.product_ids(self.recipe):
            raise Missing("product", product_id)
        self._gone.discard(product_id)
        for kept in (self._products, self._features, self._listed):
            kept.pop(product_id, None)
        self._tests = {k: v for k, v in self._tests.items() if v.product_id != product_id}
        self.version += 1

    def add_features(self, product_id: int, count: int, title: str | None) -> list[Feature]:
        known = self._touched_features(product_id)
        total = self.recipe.products * self.recipe.features
        first = self.recipe.first_feature_id + total + len(self._owners)
        number = max((each.number for each in known), default=0) + 1
        added = [
            Feature(first + n, product_id, number + n, title or f"Feature {number + n}")
            for n in range(count)
        ]
        known.extend(added)
        self._owners.update((each.id, product_id) for each in added)
        self.version += 1
        return added

    def alter_feature(self, feature_id: int, changes: dict[str, Any]) -> Feature:
        before = self.feature(feature_id)
        known = self._touched_features(before.product_id)
        after = replace(before, **changes)
        known[known.index(before)] = after
        self.version += 1
        return after

    def remove_feature(self, feature_id: int) -> None:
        feature = self.feature(feature_id)
        self._touched_features(feature.product_id).remove(feature)
        self.version += 1

    def remove_features(self, product_id: int) -> None:
        self._touched_features(product_id).clear()
        self.version += 1

    def add_test(self, test: Test) -> Test:
        """Take a test in; its id is given here."""
        listed = self._touched_tests(test.product_id)
        made = self.recipe.products * self.recipe.tests + self._added_tests
        added = replace(test, id=self.recipe.first_test_id + made)
        self._added_tests += 1
        self._tests[added.id] = added if test.title else replace(added, title=f"Test {added.id}")
        self._enter(listed, added)
        self.version += 1
        return self._tests[added.id]

    def alter_test(self, test_id: int, changes: dict[str, Any]) -> Test:
        before = self.test(test_id)
        listed = self._touched_tests(before.product_id)
        listed.remove(test_id)
        after = self._tests[test_id] = replace(before, **changes)
        self._enter(listed, after)
        self.version += 1
        return after

    def remove_test(self, test_id: int) -> None:
        self._touched_tests(self.test(test_id).product_id).remove(test_id)
        self.version += 1

    def _lists(self, test: Test) -> bool:
        touched = self._listed.get(test.product_id)
        if touched is None:
            return True
        at = bisect_left(touched, test.place, key=self._place)
        return at < len(touched) and touched[at] == test.id

    def _enter(self, listed: list[int], test: Test) -> None:
        insort(listed, test.id, key=self._place)

    def _place(self, test_id: int) -> tuple[float, int]:
        found = self._tests.get(test_id) or recipe.test(self.recipe, test_id)
        assert found is not None, "only known tests are listed"
        return found.place

    def _touched_features(self, product_id: int) -> list[Feature]:
        return self._features.setdefault(product_id, list(self.features(product_id)))

    def _touched_tests(self, product_id: int) -> list[int]:
        return self._listed.setdefault(product_id, list(self.test_ids(product_id)))
