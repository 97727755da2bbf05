"""What every home of a catalogue does with what a sync has found, or misses."""

from dataclasses import replace

import pytest

from syncsvc.catalogue.entities import Platform, Section, TestFeature
from syncsvc.catalogue.model import Counts, EntityType, RunStatus, SyncOptions
from syncsvc.catalogue.work import (
    FeaturesFound,
    ProductGone,
    ProductsFound,
    Step,
    TestsFound,
    TestsGone,
)
from tests.support.builders import NOON
from tests.support.catalogue import a_test, feature, order, product, story
from tests.support.sync_steps import begin, messages, shown, take

PRODUCTS, FEATURES, STORIES, TESTS = EntityType
TRUSTING = SyncOptions(allow_vanishing=True)


class Sync:
    """A run of which one unit is held, in which a test keeps what it likes."""

    def __init__(self, home) -> None:
        self.home, self.number = home, 0

    async def keep(self, *found) -> Counts:
        return (await self.home.units.commit(self.claimed, Step(found), NOON)).counts

    async def next(self, **more) -> "Sync":
        """End the run, if there is one, and begin another."""
        if self.number:
            await self.home.runs.close(self.run_id, RunStatus.CANCELLED, NOON, reason="next")
        self.number += 1
        await begin(self.home, self.run_id, order(**more))
        self.claimed = await take(self.home)
        return self

    @property
    def run_id(self) -> str:
        return f"run-{self.number}"

    async def warnings(self) -> list[str]:
        return await messages(self.home, "warning", self.run_id)

    async def shown(self, kind: EntityType) -> list[object]:
        return await shown(self.home, kind)


@pytest.fixture
async def sync(sync_home) -> Sync:
    return await Sync(sync_home).next()


async def test_what_is_new_is_created_what_changed_is_updated_the_rest_left(sync):
    await sync.keep(ProductsFound([product(1), product(2)]))

    again = await sync.keep(ProductsFound([product(1), product(2, "renamed"), product(3)]))

    assert again == Counts(created=1, updated=1, unchanged=1)
    assert await sync.home.stored.products("acme") == [
        (product(1), True),
        (product(2, "renamed"), True),
        (product(3), True),
    ]


async def test_a_product_is_kept_with_all_its_fields(sync):
    whole = product(1, type="website", description="It sells", sections=(Section(7, "seven"),))

    await sync.keep(ProductsFound([whole]))

    assert await sync.home.stored.products("acme") == [(whole, True)]


async def test_products_that_are_missing_from_a_whole_list_become_inactive(sync):
    await sync.keep(ProductsFound([product(1), product(2), product(3)]))

    counts = await sync.keep(ProductsFound([product(1), product(3)]))

    assert counts == Counts(unchanged=2, deleted=1)
    assert await sync.home.stored.products("acme") == [
        (product(1), True),
        (product(2), False),
        (product(3), True),
    ]
    (warning,) = await sync.warnings()
    assert "product 2" in warning


async def test_a_list_that_is_not_whole_takes_nothing_away(sync):
    await sync.keep(ProductsFound([product(1), product(2), product(3)]))

    counts = await sync.keep(ProductsFound([product(1)], whole=False))

    assert counts == Counts(unchanged=1)
    assert await sync.shown(PRODUCTS) == [1, 2, 3]
    assert await sync.warnings() == []


@pytest.mark.parametrize(("left", "said"), [((), "all 3"), ((1,), "2 of 3")])
async def test_when_most_products_vanish_none_is_deleted(sync, left, said):
    await sync.keep(ProductsFound([product(1), product(2), product(3)]))

    counts = await sync.keep(ProductsFound([product(key) for key in left]))

    assert counts.deleted == 0
    assert await sync.shown(PRODUCTS) == [1, 2, 3]
    (warning,) = await sync.warnings()
    assert said in warning


async def test_vanishing_products_are_believed_if_it_is_allowed(sync):
    await sync.keep(ProductsFound([product(1), product(2)]))
    await sync.next(options=TRUSTING)

    assert (await sync.keep(ProductsFound([]))).deleted == 2
    assert await sync.shown(PRODUCTS) == []


async def test_of_products_that_were_asked_for_the_missing_become_inactive(sync):
    await sync.keep(ProductsFound([product(1), product(2), product(3)]))

    counts = await sync.keep(ProductsFound([product(2)], asked={2, 3, 9}))

    assert counts == Counts(unchanged=1, deleted=1)
    assert await sync.shown(PRODUCTS) == [1, 2]
    missing = [warning.partition(";")[0] for warning in await sync.warnings()]
    assert missing == [
        "product 3: expected in the list, not found",
        "product 9: expected in the list, not found",
    ]


async def test_a_product_that_comes_back_is_active_and_counts_as_updated(sync):
    await sync.keep(ProductsFound([product(1)]), ProductGone(1))

    assert await sync.keep(ProductsFound([product(1)])) == Counts(updated=1)
    assert await sync.shown(PRODUCTS) == [1]


async def test_a_product_that_the_server_does_not_know_becomes_inactive_once(sync):
    await sync.keep(ProductsFound([product(1), product(2)]))

    assert await sync.keep(ProductGone(2)) == Counts(deleted=1)
    assert await sync.keep(ProductGone(2), ProductGone(9)) == Counts()
    assert await sync.shown(PRODUCTS) == [1]
    (warning,) = await sync.warnings()
    assert "product 2" in warning


async def test_features_and_their_stories_are_counted(sync):
    listed = [feature(10, stories=[1, 2]), feature(11, stories=[3])]
    assert await sync.keep(FeaturesFound(1, listed)) == Counts(created=5)

    changed = [feature(10, title="new", stories=[1, 2]), feature(11, stories=[3, 4])]
    counts = await sync.keep(FeaturesFound(1, changed))

    assert counts == Counts(created=1, updated=1, unchanged=4)
    assert await sync.shown(FEATURES) == [10, 11]
    assert await sync.shown(STORIES) == ["1", "2", "3", "4"]


async def test_features_that_are_missing_from_a_whole_list_go_with_their_stories(sync):
    listed = [feature(key, stories=[key]) for key in (10, 11, 12)]
    await sync.keep(FeaturesFound(1, listed))

    counts = await sync.keep(FeaturesFound(1, listed[:2]))

    assert counts == Counts(unchanged=4, deleted=2)
    assert await sync.shown(FEATURES) == [10, 11]
    assert await sync.shown(STORIES) == ["10", "11"]


async def test_a_story_that_its_feature_does_not_have_any_more_is_deleted(sync):
    await sync.keep(FeaturesFound(1, [feature(10, stories=[1, 2])]))

    assert await sync.keep(FeaturesFound(1, [feature(10, stories=[2])])) == Counts(
        unchanged=2, deleted=1
    )
    assert await sync.shown(STORIES) == ["2"]


async def test_stories_without_ids_are_told_apart_by_their_titles(sync):
    both = (story(None, 10, "I pay"), story(None, 10, "I return it"))

    await sync.keep(FeaturesFound(1, [replace(feature(10), stories=both)]))

    assert await sync.shown(STORIES) == sorted(each.key for each in both)


async def test_features_that_are_not_all_take_nothing_away(sync):
    await sync.keep(FeaturesFound(1, [feature(10), feature(11), feature(12)]))

    await sync.keep(FeaturesFound(1, [feature(13)], whole=False))

    assert await sync.shown(FEATURES) == [10, 11, 12, 13]


async def test_without_stories_they_are_left_as_they_are(sync):
    await sync.keep(FeaturesFound(1, [feature(10, stories=[1])]))

    counts = await sync.keep(FeaturesFound(1, [feature(10)], with_stories=False))

    assert counts == Counts(unchanged=1)
    assert await sync.shown(STORIES) == ["1"]


@pytest.mark.parametrize(("left", "said"), [((), "all 3"), ((10,), "2 of 3")])
async def test_when_most_features_vanish_none_is_deleted(sync, left, said):
    await sync.keep(FeaturesFound(1, [feature(key, stories=[key]) for key in (10, 11, 12)]))

    counts = await sync.keep(FeaturesFound(1, [feature(key, stories=[key]) for key in left]))

    assert counts.deleted == 0
    assert await sync.shown(FEATURES) == [10, 11, 12]
    assert await sync.shown(STORIES) == ["10", "11", "12"]
    (warning,) = await sync.warnings()
    assert said in warning


async def test_vanishing_features_are_believed_if_it_is_allowed(sync):
    await sync.keep(FeaturesFound(1, [feature(10, stories=[1])]))
    await sync.next(options=TRUSTING)

    assert (await sync.keep(FeaturesFound(1, []))).deleted == 2
    assert await sync.shown(STORIES) == []


async def test_the_features_of_another_product_are_left_alone(sync):
    await sync.keep(FeaturesFound(1, [feature(10, 1)]), FeaturesFound(2, [feature(20, 2)]))

    await sync.keep(FeaturesFound(1, [feature(10, 1)]))

    assert await sync.shown(FEATURES) == [10, 20]


async def test_a_feature_that_comes_back_counts_as_updated(sync):
    three = [feature(10), feature(11), feature(12)]
    await sync.keep(FeaturesFound(1, three), FeaturesFound(1, three[:2]))

    assert await sync.keep(FeaturesFound(1, three)) == Counts(updated=1, unchanged=2)
    assert await sync.shown(FEATURES) == [10, 11, 12]


async def test_a_test_changes_with_what_it_covers_and_where_it_runs(sync):
    link, there = TestFeature(1, 10, "Pay", user_stories=("I pay",)), Platform(1, "computer")
    await sync.keep(TestsFound(1, [a_test(100, features=(link,)), a_test(101, platforms=(there,))]))

    other = TestFeature(1, 10, "Pay", user_stories=("I pay", "I return it"))
    changed = [a_test(100, features=(other,)), a_test(101, platforms=(there,))]

    assert await sync.keep(TestsFound(1, changed)) == Counts(updated=1, unchanged=1)


async def test_what_is_listed_twice_is_stored_once(sync):
    counts = await sync.keep(
        TestsFound(1, [a_test(100), a_test(101), a_test(100)]),
        FeaturesFound(1, [feature(10), feature(10)]),
        ProductsFound([product(1), product(1)]),
    )

    assert counts.created == 4
    assert await sync.shown(TESTS) == [100, 101]


async def test_an_empty_finding_changes_nothing(sync):
    assert await sync.keep(TestsFound(1, []), TestsGone(1, [])) == Counts()


async def test_tests_that_are_named_are_deleted_and_others_left(sync):
    await sync.keep(TestsFound(1, [a_test(100), a_test(101)]), TestsFound(2, [a_test(200, 2)]))

    assert await sync.keep(TestsGone(1, [100, 101, 200, 999])) == Counts(deleted=2)
    assert await sync.keep(TestsGone(1, [100])) == Counts()
    assert await sync.shown(TESTS) == [200]


async def test_after_a_sweep_tests_that_this_run_has_not_seen_are_deleted(sync):
    await sync.keep(TestsFound(1, [a_test(key) for key in (100, 101, 102)]))
    await sync.keep(TestsFound(2, [a_test(200, 2)]))
    await sync.next()
    await sync.keep(TestsFound(1, [a_test(100), a_test(102, title="changed")]))

    assert await sync.keep(TestsGone(1)) == Counts(deleted=1)
    assert await sync.shown(TESTS) == [100, 102, 200]


async def test_when_most_tests_vanish_in_a_sweep_none_is_deleted(sync):
    await sync.keep(TestsFound(1, [a_test(key) for key in (100, 101, 102)]))
    await sync.next()

    assert await sync.keep(TestsGone(1)) == Counts()
    assert await sync.shown(TESTS) == [100, 101, 102]
    (warning,) = await sync.warnings()
    assert "all 3" in warning


async def test_vanishing_tests_are_believed_if_it_is_allowed(sync):
    await sync.keep(TestsFound(1, [a_test(100)]))
    await sync.next(options=TRUSTING)

    assert await sync.keep(TestsGone(1)) == Counts(deleted=1)


async def test_what_was_deleted_before_does_not_count_as_vanishing(sync):
    await sync.keep(TestsFound(1, [a_test(key) for key in range(100, 110)]))
    await sync.keep(TestsGone(1, range(100, 107)))
    await sync.next()
    await sync.keep(TestsFound(1, [a_test(107)]))

    assert await sync.keep(TestsGone(1)) == Counts()  # two of the three that were left


async def test_a_test_that_comes_back_counts_as_updated(sync):
    await sync.keep(TestsFound(1, [a_test(100)]), TestsGone(1, [100]))

    assert await sync.keep(TestsFound(1, [a_test(100)])) == Counts(updated=1)
    assert await sync.shown(TESTS) == [100]


async def test_customers_may_have_the_same_ids(sync, sync_home):
    await sync.keep(TestsFound(1, [a_test(100)]))
    await begin(sync_home, "run-2", order("other"))
    theirs = await take(sync_home)
    found = [TestsFound(1, [a_test(100, title="theirs")]), TestsGone(1, [100])]

    await sync_home.units.commit(theirs, Step(found), NOON)

    assert await shown(sync_home, TESTS, "acme") == [100]
    assert await shown(sync_home, TESTS, "other") == []
