"""Tests that may have changed are read again, with the fewest calls."""

from datetime import timedelta

from syncsvc.catalogue.model import SyncOptions
from syncsvc.catalogue.walk import WalkTerms
from tests.support.catalogue import a_test
from tests.support.walking import Household

MANY = range(1, 131)


async def a_product(*mutable: int) -> Household:
    house = Household().has(*MANY).has(*mutable, status="running")
    await house.sync()
    house.now += timedelta(hours=1)
    return house


async def test_a_status_far_down_the_list_is_read_again():
    house = await a_product(30)
    house.has(30, status="archived")

    calls = await house.sync()

    assert house.status_of(30) == "archived"
    assert calls == 2
    assert await house.sync() == 1


async def test_tests_on_the_first_page_need_no_call_more():
    house = await a_product(125, 126)

    assert await house.sync() == 1


async def test_several_on_one_page_are_read_with_it():
    house = await a_product(30, 31, 32, 100)
    house.has(30, 31, 32, 100, status="locked")

    calls = await house.sync()

    assert calls <= 4
    assert {house.status_of(each) for each in (30, 31, 32, 100)} == {"locked"}


async def test_what_was_read_lately_is_not_read_again():
    house = await a_product(30)
    await house.sync()
    house.now -= timedelta(minutes=50)

    assert await house.sync() == 1


async def test_a_test_that_is_not_known_any_more_is_deleted():
    house = await a_product(30)
    house.loses(30)

    await house.sync()

    assert house.stored == house.there


async def test_a_test_that_cannot_be_read_is_quarantined_and_does_not_hold_up_the_others():
    house = await a_product(30, 90)
    house.source.poison.add(30)
    house.has(90, status="archived")

    await house.sync()

    (place,) = await house.quarantined()
    assert place.poison.test_id == 30
    assert house.status_of(90) == "archived"


async def test_many_stale_tests_take_several_turns():
    house = Household().has(*range(1, 1001), status="running")
    await house.sync()
    house.has(*range(1, 1001), status="archived")
    house.now += timedelta(hours=1)

    calls = await house.sync()

    assert {house.status_of(each) for each in range(1, 1001)} == {"archived"}
    assert calls <= 50


async def test_stale_tests_far_apart_are_all_read_though_below_the_floor():
    house = Household(WalkTerms(page_size=2, pages_a_turn=7)).has(*range(1, 131))
    house.has(*range(1, 131, 2), status="running")
    await house.sync()
    house.has(*range(1, 131, 2), status="archived")
    house.now += timedelta(hours=1)

    await house.sync(since=a_test(125).end_at)

    assert {house.status_of(each) for each in range(1, 131)} == {"archived"}


async def test_stale_tests_below_the_floor_that_share_a_page_are_read_with_it():
    house = await a_product(30, 31)
    house.has(30, 31, status="locked")

    assert await house.sync(since=a_test(120).end_at) == 2
    assert {house.status_of(each) for each in (30, 31)} == {"locked"}


async def test_incremental_only_refreshes_nothing():
    house = await a_product(30)

    assert await house.sync(options=SyncOptions(incremental_only=True)) == 1
