"""Answers as bytes; items are encoded once and kept within bounds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from syncsvc.sandbox.replies import Missing, Refusal
from syncsvc.sandbox.testio import bug_wire, tests_wire, wire
from syncsvc.sandbox.testio.malformed import Kind, Mischief
from syncsvc.sandbox.testio.recipe import Feature
from syncsvc.sandbox.testio.wire import Json
from syncsvc.sandbox.testio.world import World

MOST_KEPT = 4096  # items; some 25 MB of tests
_Key = tuple[str, int, bool]


@dataclass
class Bodies:
    """Shows a world; whatever changes it makes the kept bytes worthless."""

    world: World
    mischief: Mischief = field(default_factory=Mischief)
    most_kept: int = MOST_KEPT
    kept: dict[_Key, bytes] = field(default_factory=dict)
    _version: int = 0

    def forget(self) -> None:
        self.kept.clear()

    def products(self, ids: Iterable[int]) -> bytes:
        return _list("products", map(self._product, ids))

    def product(self, product_id: int) -> bytes:
        return b'{"product":' + self._product(product_id) + b"}"

    def features(self, product_id: int, section_id: int | None, *, with_stories: bool) -> bytes:
        return _list(
            "features",
            (self._feature(each, with_stories) for each in self._in(product_id, section_id)),
        )

    def stories(self, product_id: int, section_id: int | None) -> bytes:
        own = self._in(product_id, section_id)
        told = [story for each in own for story in wire.stories(self.world.recipe, each)]
        return msgspec.json.encode({"user_stories": wire.without_feature(told)})

    def story(self, story_id: int) -> bytes:
        """Show a story, which has no wrapper, from the feature that holds it."""
        recipe = self.world.recipe
        ordinal = (story_id - recipe.first_story_id) // max(recipe.stories, 1)
        feature = self.world.feature(recipe.first_feature_id + ordinal)
        for each in wire.without_feature(wire.stories(recipe, feature)):
            if each["id"] == story_id:
                return msgspec.json.encode(each)
        raise Missing("user story", story_id)

    def tests(self, ids: Iterable[int], *, with_stories: bool) -> bytes:
        """Show tests as a list does; a poisoned one among them spoils all."""
        wanted = list(ids)
        if not self.world.poisoned.keys().isdisjoint(wanted):
            raise Refusal(500, "Internal server error")
        return _list("exploratory_tests", (self._test(each, with_stories) for each in wanted))

    def test(self, test_id: int, *, with_stories: bool) -> bytes:
        test = self.world.test(test_id)
        if not self.world.poisoned.get(test_id, True):
            raise Refusal(500, "Internal server error")
        product = self.world.product(test.product_id)
        shown = tests_wire.single(self.world.recipe, test, product, with_stories=with_stories)
        return msgspec.json.encode({"exploratory_test": self.mischief.spoil(Kind.TEST, shown)})

    def bugs(self, ids: Iterable[int]) -> bytes:
        return msgspec.json.encode({"bugs": [self._bug(each) for each in ids]})

    def bug(self, bug_id: int) -> bytes:
        return msgspec.json.encode({"bug": self._bug(bug_id)})

    def _in(self, product_id: int, section_id: int | None) -> list[Feature]:
        product, known = self.world.product(product_id), self.world.features(product_id)
        return [
            each
            for each in known
            if section_id is None or wire.is_in_section(each, product, section_id)
        ]

    def _product(self, product_id: int) -> bytes:
        def made() -> Json:
            return self.mischief.spoil(Kind.PRODUCT, wire.product(self.world.product(product_id)))

        return self._once(("product", product_id, False), made)

    def _feature(self, feature: Feature, with_stories: bool) -> bytes:  # noqa: FBT001  a key's part
        def made() -> Json:
            shown = wire.feature(self.world.recipe, feature, with_stories=with_stories)
            return self.mischief.spoil(Kind.FEATURE, shown)

        return self._once(("feature", feature.id, with_stories), made)

    def _test(self, test_id: int, with_stories: bool) -> bytes:  # noqa: FBT001  a key's part
        def made() -> Json:
            test = self.world.test(test_id)
            product = self.world.product(test.product_id)
            shown = tests_wire.test(self.world.recipe, test, product, with_stories=with_stories)
            return self.mischief.spoil(Kind.TEST, shown)

        return self._once(("test", test_id, with_stories), made)

    def _bug(self, bug_id: int) -> Json:
        test_id = bug_wire.test_of(self.world.recipe, bug_id)
        if test_id is None:
            raise Missing("bug", bug_id)
        test = self.world.test(test_id)
        product = self.world.product(test.product_id)
        return bug_wire.bug(self.world.recipe, bug_id, test, product)

    def _once(self, key: _Key, made: Callable[[], Json]) -> bytes:
        if self._version != self.world.version:
            self.kept.clear()
            self._version = self.world.version
        if key not in self.kept:
            while len(self.kept) >= self.most_kept:
                del self.kept[next(iter(self.kept))]
            self.kept[key] = msgspec.json.encode(made())
        return self.kept[key]


def _list(name: str, items: Iterable[bytes]) -> bytes:
    return b'{"' + name.encode() + b'":[' + b",".join(items) + b"]}"
