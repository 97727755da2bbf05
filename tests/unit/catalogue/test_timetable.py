"""Customers are synced once in a period each, spread evenly over it."""

from datetime import timedelta

import pytest

from syncsvc.catalogue.timetable import latest_slot
from tests.support.builders import MINUTE, NOON, SECOND

QUARTER = 15 * MINUTE


def test_customers_are_spread_evenly_over_the_period():
    end = NOON + QUARTER - SECOND

    slots = [latest_slot(index, 3, QUARTER, end) for index in range(3)]

    assert slots == [NOON, NOON + 5 * MINUTE, NOON + 10 * MINUTE]


def test_a_slot_has_come_at_its_very_moment():
    slot = NOON + 5 * MINUTE

    assert latest_slot(1, 3, QUARTER, slot) == slot
    assert latest_slot(1, 3, QUARTER, slot - timedelta(microseconds=1)) == slot - QUARTER


@pytest.mark.parametrize("late", [0 * SECOND, SECOND, 14 * MINUTE])
def test_within_a_period_the_slot_stays_the_same(late):
    assert latest_slot(0, 1, QUARTER, NOON + late) == NOON


def test_after_days_of_silence_only_the_last_slot_is_due():
    assert latest_slot(0, 1, QUARTER, NOON + timedelta(days=9) + SECOND) == NOON + timedelta(days=9)


def test_a_period_that_no_hour_is_made_of_is_kept_too():
    every = timedelta(seconds=7)

    slot = latest_slot(0, 1, every, NOON)

    assert NOON - every < slot <= NOON
    assert latest_slot(0, 1, every, NOON + every) == slot + every


def test_every_process_finds_the_same_slot_whenever_it_looks():
    found = {latest_slot(2, 7, QUARTER, NOON + n * SECOND) for n in range(0, 3600, 5)}

    assert len(found) == 5
    assert {
        later - sooner for sooner, later in zip(sorted(found), sorted(found)[1:], strict=False)
    } == {QUARTER}
