"""What can be read of a list is read, whatever stands in it that cannot."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsvc.catalogue.ports import Broken, Misshapen
from tests.support.walking import Household

DAY = timedelta(days=1)


def a_product_with(number: int, *poison: int) -> Household:
    house = Household().has(*range(1, number + 1))
    house.source.poison.update(poison)
    return house


async def places_of(house: Household) -> set[tuple[int | None, int | None]]:
    return {(each.poison.above, each.poison.below) for each in await house.quarantined()}


@pytest.mark.parametrize("poisoned", [130, 120, 106, 105, 82, 60, 2, 1])
async def test_one_poisoned_test_leaves_129_of_130_and_one_quarantined(poisoned):
    house = a_product_with(130, poisoned)

    await house.sync()

    assert house.stored == house.there - {poisoned}
    (place,) = await house.quarantined()
    above = poisoned + 1 if poisoned < 130 else None
    assert (place.poison.above, place.poison.below) == (above, poisoned - 1 or None)
    assert place.poison.per_page == 1
    assert house.coverage.is_whole


async def test_a_poisoned_page_costs_few_calls():
    assert await a_product_with(130, 120).sync() <= await a_product_with(130).sync() + 11


async def test_a_place_that_is_known_is_not_counted_again_before_it_is_due():
    house = a_product_with(40, 35)
    await house.sync()
    (first,) = await house.quarantined()
    house.now -= timedelta(minutes=50)

    calls = await house.sync()

    (second,) = await house.quarantined()
    assert calls <= 12
    assert second == first


async def test_a_place_that_is_due_is_tried_again_and_counted():
    house = a_product_with(130, 60)
    await house.sync()

    house.now += DAY
    await house.sync()

    (place,) = await house.quarantined()
    assert place.attempts == 2
    assert place.next_try_at > house.now


@pytest.mark.parametrize("poisoned", [130, 120, 60, 1])
async def test_a_place_that_can_be_read_again_is_healed_when_it_is_due(poisoned):
    house = a_product_with(130, poisoned)
    await house.sync()
    house.source.poison.clear()

    house.now += DAY
    await house.sync()

    assert house.stored == house.there
    assert not await house.quarantined()
    assert await house.sync() == 1


async def test_a_test_that_was_stored_before_is_read_by_its_id():
    house = a_product_with(40)
    await house.sync()
    house.source.poison.add(35)
    house.source.test = reading_by_id(house)

    await house.sync()

    assert not await house.quarantined()
    assert house.stored == house.there


def reading_by_id(house: Household):
    async def test(_, test_id, spending):
        spending.spend()
        return next(each for each in house.tests if each.id == test_id)

    return test


async def test_a_test_that_was_stored_before_and_cannot_be_read_is_named():
    house = a_product_with(40)
    await house.sync()
    house.source.poison.add(35)

    await house.sync()

    (place,) = await house.quarantined()
    assert place.poison.test_id == 35
    assert house.stored == house.there


async def test_a_new_neighbour_does_not_make_another_place_of_it():
    house = a_product_with(40, 40)
    await house.sync()
    house.has(41, 42)

    await house.sync()

    (place,) = await house.quarantined()
    assert place.poison.below == 39


async def test_an_unreadable_item_is_quarantined_by_its_id_and_counts_as_an_item():
    house = a_product_with(130)
    house.source.unreadable[125] = "title: expected text, found 5"

    await house.sync()

    assert house.stored == house.there - {125}
    (place,) = await house.quarantined()
    assert (place.poison.test_id, place.poison.error) == (125, "title: expected text, found 5")


async def test_unreadable_items_side_by_side_are_each_remembered():
    house = a_product_with(10)
    house.source.unreadable.update({5: "title", 6: "title", 1: "title"})

    await house.sync()

    assert {each.poison.test_id for each in await house.quarantined()} == {1, 5, 6}
    assert house.coverage.is_whole


async def test_a_product_of_which_nothing_is_readable_tells_what_was_expected():
    house = a_product_with(40)
    house.source.unreadable.update(dict.fromkeys(range(1, 41), "title: expected text"))

    with pytest.raises(Misshapen, match="title: expected text"):
        await house.sync()


async def test_a_server_that_answers_to_nothing_is_given_up_after_few_calls():
    house = a_product_with(130, *range(1, 131))

    with pytest.raises(Broken):
        await house.sync()

    assert len(house.source.log) <= 12


async def test_poison_keeps_a_sweep_from_deleting_what_may_stand_there():
    house = a_product_with(130)
    await house.sync()
    house.loses(50)
    house.source.poison.add(70)

    house.now += 30 * DAY
    await house.sync()

    assert 50 in house.stored


@given(st.integers(1, 120), st.sets(st.integers(1, 120), max_size=6), st.integers(0, 60))
@settings(deadline=None, max_examples=100)
async def test_all_but_the_poisoned_tests_are_stored_and_later_all(number, poisoned, kill):
    house = a_product_with(number, *poisoned)

    try:
        await house.sync(killed_at=kill)
        await house.sync()
    except (Broken, Misshapen):
        assert len(poisoned) > 5  # more than are taken for places
    else:
        assert house.stored == house.there - poisoned

    house.source.poison.clear()
    house.now += DAY
    await house.sync()
    assert house.stored == house.there
    assert not await house.quarantined()
