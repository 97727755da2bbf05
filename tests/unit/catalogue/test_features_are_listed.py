import pytest

from syncsvc.catalogue.entities import FeatureList, Unreadable
from syncsvc.catalogue.features import Features
from syncsvc.catalogue.model import EntityType, SyncPhase, SyncScope
from syncsvc.catalogue.work import Done, FeaturesFound
from syncsvc.errors import Unknown
from tests.support.catalogue import MemorySource, feature, product
from tests.support.desks import a_desk


def a_source() -> MemorySource:
    return MemorySource().add(product(1), feature(10, stories=[5]), feature(11))


async def step_of(source: MemorySource, **asked: object):
    desk = a_desk(source, SyncPhase.FEATURES, 1, **asked)
    await Features().carry_out(desk)
    (step,) = desk.units.steps
    return step


async def test_all_features_of_a_product_are_kept_with_one_commit_that_ends_the_unit():
    step = await step_of(a_source())

    both = [feature(10, stories=[5]), feature(11)]
    assert step.found == [FeaturesFound(1, both, whole=True, with_stories=True)]
    assert step.outcome == Done()
    assert step.spent.calls == 1


async def test_user_stories_are_left_alone_when_they_are_not_asked_for():
    only = SyncScope(entity_types=(EntityType.FEATURES,))

    step = await step_of(a_source(), scope=only)

    assert step.found == [FeaturesFound(1, [feature(10), feature(11)], with_stories=False)]


async def test_a_feature_that_cannot_be_read_is_told_and_none_counts_as_deleted():
    class Broken(MemorySource):
        async def features(self, product_id, spending, *, with_stories):
            return FeatureList(
                [feature(10)],
                [Unreadable(1, 11, "title: missing"), Unreadable(2, None, "id: missing")],
            )

    step = await step_of(Broken())

    assert step.found == [FeaturesFound(1, [feature(10)], whole=False, with_stories=True)]
    assert step.warnings == [
        "feature 11 of product 1, item 1, was left out: title: missing",
        "a feature of product 1, item 2, was left out: id: missing",
    ]
    assert step.outcome == Done()


async def test_a_product_that_is_gone_is_left_to_whoever_called():
    desk = a_desk(MemorySource(), SyncPhase.FEATURES, 1)

    with pytest.raises(Unknown):
        await Features().carry_out(desk)

    assert desk.units.steps == []
