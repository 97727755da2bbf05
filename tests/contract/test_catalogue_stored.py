"""What every home of a catalogue tells of what is stored."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncsvc.catalogue.entities import CatalogueTest
from syncsvc.catalogue.model import Counts
from syncsvc.catalogue.walk import Coverage, Mark, Segment
from syncsvc.catalogue.work import FeaturesFound, Poison, Step, TestsFound, TestsGone
from syncsvc.errors import Unknown
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.catalogue import a_test, feature, order, place
from tests.support.sync_steps import NEW_TESTS, begin, stock, take

DAY, HALF_AN_HOUR = timedelta(days=1), timedelta(minutes=30)
HERE = ("acme", 0, 1)  # customer, stage and product
POISON = Poison(1, 2, 25, 110, 109, "GET tests: 500")


@pytest.fixture
async def held(sync_home):
    await stock(sync_home, 1)
    await begin(sync_home, asked=order("acme", NEW_TESTS))
    return await take(sync_home)


@pytest.fixture
def keep(sync_home, held):
    async def keep(*found, now=NOON, **more) -> Counts:
        return (await sync_home.units.commit(held, Step(found, **more), now)).counts

    return keep


@pytest.fixture
def stored(sync_home):
    return sync_home.stored


def at(test_id: int, minutes: float | None) -> CatalogueTest:
    return a_test(test_id, end_at=None if minutes is None else NOON + minutes * MINUTE)


# newest first: without an end before all others, and of the same end the larger id
LISTED = [at(7, None), at(3, None), at(5, 9), at(9, 8), at(8, 8), at(1, 8), at(6, 2)]
IDS = [7, 3, 5, 9, 8, 1, 6]


@pytest.fixture
async def listed(keep):
    others = [replace(at(20, 8), product_id=2), replace(at(21, None), product_id=2)]
    gone = [at(30, 8), at(31, None)]
    await keep(TestsFound(1, [*LISTED[::-1], *gone]), TestsFound(2, others))
    await keep(TestsGone(1, [30, 31]))


async def test_where_nothing_is_stored_nothing_is_covered(stored):
    assert await stored.coverage(*HERE) == Coverage()


async def test_coverage_is_kept_as_it_is(stored, keep):
    segments = [
        Segment(place(at(9, 8)), place(at(8, 7.5))),
        Segment(Mark(None, 3), place(at(1, 0))),
    ]
    whole = Coverage(tuple(segments), complete=True, swept_at=NOON + timedelta(microseconds=5))

    await keep(coverage=whole)

    assert await stored.coverage(*HERE) == whole
    assert await stored.coverage("acme", 0, 2) == Coverage()
    assert await stored.coverage("acme", 1, 1) == Coverage()


@pytest.mark.usefixtures("listed")
async def test_known_tests_are_those_that_are_stored_and_not_deleted(stored):
    known = await stored.known_tests(*HERE, [7, 5, 20, 30, 999])

    assert known == {7: Mark(None, 7), 5: Mark(NOON + 9 * MINUTE, 5)}
    assert await stored.known_tests(*HERE, []) == {}
    assert await stored.known_tests("acme", 0, 2, [7, 20]) == {20: Mark(NOON + 8 * MINUTE, 20)}
    assert await stored.known_tests("other", 0, 1, [7]) == {}


@pytest.mark.parametrize("number", range(len(LISTED)))
@pytest.mark.usefixtures("listed")
async def test_tests_above_a_place_are_those_before_it_in_the_list(stored, number):
    assert await stored.tests_above(*HERE, place(LISTED[number])) == number


@pytest.mark.usefixtures("listed")
async def test_tests_above_a_place_that_is_not_stored_are_counted_too(stored):
    assert await stored.tests_above(*HERE, place(at(4, 8))) == 5
    assert await stored.tests_above(*HERE, place(at(4, 0))) == 7
    assert await stored.tests_above(*HERE, place(at(99, None))) == 0
    assert await stored.tests_above("acme", 0, 3, place(at(4, 0))) == 0


@pytest.mark.parametrize(
    ("above", "below"),
    [(a, b) for a in (None, 0, 1, 2, 3, 5, 6) for b in (None, 0, 1, 2, 4, 6)],
)
@pytest.mark.usefixtures("listed")
async def test_tests_between_two_places_are_newest_first(stored, above, below):
    marks = [None if n is None else place(LISTED[n]) for n in (above, below)]

    between = await stored.tests_between(*HERE, *marks)

    assert list(between) == IDS[0 if above is None else above + 1 : below]


async def test_at_most_twenty_tests_between_two_places_are_named(stored, keep):
    await keep(TestsFound(1, [at(100 + n, n) for n in range(30)]), TestsFound(1, LISTED[:2]))

    between = await stored.tests_between(*HERE, place(at(7, None)), None)

    assert list(between) == [3, *range(129, 110, -1)]


async def test_stale_tests_may_change_and_were_read_before(stored, keep):
    running = [at(n, n) for n in (1, 2, 3)]
    running = [replace(test, status="running") for test in running]
    odd = a_test(4, status="a status nobody knows")
    rest = [a_test(5), a_test(6, status="cancelled"), a_test(7, 2, status="running")]
    await keep(TestsFound(1, [*running, odd, *rest[:2]]), TestsFound(2, rest[2:]))
    await keep(TestsGone(1, [2]))
    await keep(TestsFound(1, [running[2]]), now=NOON + MINUTE)  # unchanged, and read again

    assert [m.id for m in await stored.stale_tests(*HERE, NOON + MINUTE)] == [4, 1]
    assert [m.id for m in await stored.stale_tests(*HERE, NOON + 2 * MINUTE)] == [4, 3, 1]
    assert list(await stored.stale_tests(*HERE, NOON)) == []


async def test_features_that_are_not_stored_are_missing(stored, keep):
    await keep(FeaturesFound(1, [feature(10), feature(11)]))

    assert set(await stored.missing_features(*HERE, [10, 12, 11, 13])) == {12, 13}
    assert set(await stored.missing_features(*HERE, [])) == set()


async def test_a_place_that_could_not_be_read_is_remembered(stored, keep):
    assert await keep(poisoned=[POISON]) == Counts(quarantined=1)

    (found,) = await stored.quarantined()
    assert (found.customer, found.poison, found.attempts) == ("acme", POISON, 1)
    assert (found.found_at, found.healed_at) == (NOON, None)
    assert found.next_try_at == NOON + HALF_AN_HOUR


async def test_the_same_place_again_is_another_attempt_and_waits_longer(stored, keep):
    await keep(poisoned=[POISON])
    (first,) = await stored.quarantined()

    waits = []
    for _ in range(8):
        again = replace(POISON, page=3, error="GET tests: 500 again")
        assert (await keep(poisoned=[again], now=NOON + MINUTE)).quarantined == 0
        (found,) = await stored.quarantined()
        waits.append(found.next_try_at - NOON - MINUTE)

    assert (found.id, found.attempts, found.found_at) == (first.id, 9, NOON)
    assert found.poison.error == "GET tests: 500 again"
    assert waits == [min(HALF_AN_HOUR * 2**n, DAY) for n in range(1, 9)]


@pytest.mark.parametrize(
    "other", [{"above": None}, {"below": 108}, {"product_id": 2}, {"above": 111}]
)
async def test_another_place_is_remembered_by_itself(stored, keep, other):
    counts = await keep(poisoned=[POISON, replace(POISON, **other)])

    assert counts.quarantined == 2
    assert [place.attempts for place in await stored.quarantined()] == [1, 1]


async def test_a_place_whose_test_is_known_is_the_same_whatever_stands_next_to_it(stored, keep):
    named = replace(POISON, test_id=7)
    await keep(poisoned=[named, POISON, replace(POISON, test_id=8, above=None, below=None)])

    moved = replace(named, above=200, below=7)
    assert await keep(poisoned=[moved]) == Counts()
    assert sorted(p.attempts for p in await stored.quarantined()) == [1, 1, 2]


async def test_a_place_at_either_end_of_the_list_is_the_same_again(stored, keep):
    edge = replace(POISON, above=None, below=None)
    await keep(poisoned=[edge])

    assert await keep(poisoned=[edge]) == Counts()
    assert [place.attempts for place in await stored.quarantined()] == [2]


async def test_what_has_healed_is_not_listed_and_would_be_remembered_anew(stored, keep):
    await keep(poisoned=[POISON])
    (first,) = await stored.quarantined()
    await keep(healed=[first.id, "no place"])

    assert await stored.quarantined() == []
    assert await keep(poisoned=[POISON]) == Counts(quarantined=1)
    (second,) = await stored.quarantined()
    assert (second.id != first.id, second.attempts) == (True, 1)


async def test_quarantined_places_are_listed_oldest_first(stored, keep):
    for number in range(3):
        poison = replace(POISON, product_id=1 + number % 2, above=number)
        await keep(poisoned=[poison], now=NOON + number * SECOND)

    async def aboves(*which) -> list[int]:
        return [place.poison.above for place in await stored.quarantined(*which)]

    assert await aboves() == [0, 1, 2]
    assert await aboves("acme", 1) == [0, 2]
    assert await aboves(None, 2) == [1]
    assert await aboves("other") == []


async def test_a_quarantined_place_may_be_tried_at_once(stored, keep):
    await keep(poisoned=[POISON, replace(POISON, above=5)])
    first, second = await stored.quarantined()

    assert await stored.retry_quarantined(NOON, first.id) == 1

    changed = {place.id: place.next_try_at for place in await stored.quarantined()}
    assert changed == {first.id: NOON, second.id: second.next_try_at}


async def test_all_quarantined_places_may_be_tried_at_once(stored, keep):
    await keep(poisoned=[POISON, replace(POISON, above=5)])

    assert await stored.retry_quarantined(NOON, customer="other") == 0
    assert await stored.retry_quarantined(NOON, customer="acme") == 2
    assert {place.next_try_at for place in await stored.quarantined()} == {NOON}


async def test_a_place_that_is_not_quarantined_cannot_be_tried(stored, keep):
    await keep(poisoned=[POISON])
    (place,) = await stored.quarantined()
    await keep(healed=[place.id])

    for quarantine_id in ("stranger", place.id):
        with pytest.raises(Unknown):
            await stored.retry_quarantined(NOON, quarantine_id)
