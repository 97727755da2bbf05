"""A product's tests, all of them, with the fewest calls."""

from datetime import timedelta

import pytest

from syncsvc.catalogue.entities import TestFeature
from syncsvc.catalogue.model import SyncOptions
from syncsvc.catalogue.walk import WalkTerms
from syncsvc.errors import Denied
from tests.support.catalogue import a_test, feature
from tests.support.walking import SHOP, Household

ONE_TURN = WalkTerms(pages_a_turn=1000)


def a_product_with(number: int, **more: object) -> Household:
    return Household(**more).has(*range(1, number + 1))


async def test_all_tests_of_a_small_product_are_read_with_one_call():
    house = a_product_with(24)

    calls = await house.sync()

    assert calls == 1
    assert house.stored == house.there
    assert house.coverage.is_whole


async def test_forty_tests_are_read_with_two_calls():
    house = a_product_with(40)

    assert await house.sync() == 2
    assert house.stored == house.there


async def test_1400_tests_are_all_read():
    house = a_product_with(1400)

    await house.sync()

    assert len(house.stored) == 1400
    assert house.coverage.is_whole


async def test_a_product_without_tests_is_whole():
    house = Household()

    assert await house.sync() == 1
    assert house.coverage.is_whole


@pytest.mark.parametrize("number", [0, 10, 25, 40, 130, 300])
async def test_when_nothing_is_new_one_call_is_made(number):
    house = a_product_with(number)
    await house.sync()

    assert await house.sync() == 1
    assert await house.sync() == 1


async def test_when_nothing_is_new_there_is_one_commit():
    house = a_product_with(130)
    await house.sync()
    kept, commit = [], house.store.commit

    async def counted(claimed, step, now):
        kept.append(step)
        return await commit(claimed, step, now)

    house.store.commit = counted
    await house.sync()

    assert len(kept) == 2  # one is of the product
    assert kept[1].coverage is None


@pytest.mark.parametrize("killed_at", range(1, 8))
async def test_a_first_walk_that_was_killed_is_made_whole_with_few_calls_more(killed_at):
    undisturbed = await a_product_with(130).sync()
    house = a_product_with(130)
    first = await house.sync(killed_at=killed_at)

    second = await house.sync()

    assert house.stored == house.there
    assert house.coverage.is_whole
    assert first + second <= undisturbed + 6
    assert await house.sync() == 1


async def test_a_sync_since_a_day_leaves_the_rest_to_a_later_one():
    house = a_product_with(50)

    await house.sync(since=a_test(31).end_at)
    assert house.stored == set(range(31, 51))

    await house.sync()
    assert house.stored == house.there


async def test_a_sync_since_a_day_makes_one_call_when_nothing_is_new():
    house = a_product_with(130)
    await house.sync(since=a_test(31).end_at)

    assert await house.sync(since=a_test(31).end_at) == 1
    assert await house.sync(since=a_test(35).end_at) == 1
    assert not house.coverage.is_whole


async def test_new_tests_are_found_above_the_known_ones():
    house = a_product_with(130)
    await house.sync()
    house.has(*range(131, 141))

    assert await house.sync() == 1
    assert house.stored == house.there


async def test_the_gap_of_a_walk_that_was_killed_stays_open_until_it_is_read():
    house = a_product_with(130)
    await house.sync()
    house.has(*range(131, 331))
    await house.sync(killed_at=2)
    house.has(*range(331, 341))

    await house.sync()

    assert house.stored == house.there
    assert house.coverage.is_whole


async def test_a_long_walk_gives_itself_back_after_some_pages_and_repeats_none():
    house, in_one_go = a_product_with(1400), a_product_with(1400, terms=ONE_TURN)

    assert await house.sync() == await in_one_go.sync()


async def test_an_end_that_is_not_known_stands_at_the_top():
    house = a_product_with(60).has(*range(61, 101), end_at=None)

    await house.sync()

    assert house.stored == house.there
    assert await house.sync() <= 3


async def test_tests_that_go_during_a_walk_hide_no_other():
    house = a_product_with(200)
    going = iter(range(200, 180, -3))
    house.source.meanwhile = lambda _: house.loses(next(going, 0))

    await house.sync()

    assert house.there <= house.stored
    house.source.meanwhile = None
    assert house.coverage.is_whole


async def test_tests_that_come_during_a_walk_are_found_by_the_next_sync():
    house = a_product_with(200)
    coming = iter(range(201, 240))
    house.source.meanwhile = lambda _: house.has(next(coming))

    await house.sync()
    house.source.meanwhile = None
    await house.sync()

    assert house.stored == house.there


async def test_a_feature_that_is_not_known_makes_one_call_more_in_a_run():
    link = TestFeature(1, 77)
    house = Household().has(*range(1, 61), features=(link,))
    house.source.add(feature(77, SHOP))

    await house.sync()

    assert len(house.source.calls("features")) == 1
    assert await house.sync() == 1


async def test_incremental_only_reads_nothing_again():
    house = a_product_with(130).has(3, status="running")
    await house.sync()
    house.now += timedelta(days=30)

    assert await house.sync(options=SyncOptions(incremental_only=True)) == 1


async def test_a_refusal_of_the_credentials_is_left_to_whoever_called():
    house = a_product_with(3)
    house.source.fail(Denied("401"))

    with pytest.raises(Denied):
        await house.sync()


async def test_what_ended_before_the_floor_is_not_stored_by_a_forced_sync_either():
    house = a_product_with(130)
    await house.sync(since=a_test(100).end_at, options=SyncOptions(force_refresh=True))

    assert house.stored == set(range(100, 131))
    await house.sync()
    assert house.stored == house.there


async def test_a_turn_ends_before_its_calls_are_spent():
    house = a_product_with(1400, limit=12)

    await house.sync()

    assert house.stored == house.there
