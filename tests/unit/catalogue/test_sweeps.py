"""A whole list is read again from time to time, and what is not in it any more is deleted."""

from datetime import timedelta

from syncsvc.catalogue.model import SyncOptions
from syncsvc.catalogue.walk import WalkTerms
from tests.support.catalogue import a_test
from tests.support.walking import Household

FORCE = SyncOptions(force_refresh=True)
WEEK = timedelta(days=7)


async def a_synced_product(number: int = 130, **more: object) -> Household:
    house = Household(**more).has(*range(1, number + 1))
    await house.sync()
    return house


async def test_a_first_walk_in_one_run_counts_as_a_sweep():
    house = await a_synced_product()

    assert house.coverage.swept_at == house.now
    house.now += WEEK - timedelta(hours=2)
    assert await house.sync() == 1


async def test_a_list_is_swept_when_its_time_has_come():
    house = await a_synced_product()
    house.loses(50)
    house.now += WEEK

    assert await house.sync() > 5
    assert house.stored == house.there
    assert house.coverage.swept_at == house.now
    assert await house.sync() == 1


async def test_products_come_due_each_at_its_own_time():
    house = await a_synced_product(terms=WalkTerms(spread=0.5))
    house.now += WEEK * 0.8

    assert await house.sync() > 5


async def test_a_forced_sync_finds_tests_with_an_old_end_and_those_that_are_gone():
    house = await a_synced_product()
    house.has(500, end_at=a_test(20).end_at)
    house.loses(60, 61)

    await house.sync()
    assert 500 not in house.stored
    await house.sync(options=FORCE)

    assert house.stored == house.there


async def test_a_forced_sync_that_was_killed_loses_nothing_of_what_was_known():
    house = await a_synced_product()
    await house.sync(options=FORCE, killed_at=3)

    assert house.coverage.is_whole
    assert await house.sync() == 1


async def test_a_forced_sync_goes_on_where_its_turn_ended():
    house = await a_synced_product(600)
    await house.sync(options=FORCE)
    in_turns = len(house.source.log)

    once = await a_synced_product(600, terms=WalkTerms(pages_a_turn=1000))
    await once.sync(options=FORCE)

    assert in_turns == len(once.source.log)


async def test_a_test_that_is_gone_from_a_list_of_one_page_is_deleted_at_once():
    house = await a_synced_product(20)
    house.loses(7)

    assert await house.sync() == 1
    assert house.stored == house.there


async def test_a_list_that_is_almost_empty_is_not_believed():
    house = await a_synced_product(20)
    house.loses(*range(1, 20))

    await house.sync()

    assert len(house.stored) == 20


async def test_a_list_whose_length_is_not_what_is_stored_is_swept_by_the_next_sync():
    house = Household().has(*range(1, 131))
    await house.sync(killed_at=3)
    house.has(500, end_at=a_test(90).end_at)  # within what was read

    await house.sync()
    assert 500 not in house.stored
    await house.sync()

    assert house.stored == house.there


async def test_incremental_only_never_sweeps():
    house = await a_synced_product()
    house.now += 2 * WEEK

    assert await house.sync(options=SyncOptions(incremental_only=True)) == 1
