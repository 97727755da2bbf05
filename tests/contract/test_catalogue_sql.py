"""What only the SQL home of a catalogue promises of its rows."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import json
from sqlalchemy import Table, select, text

from syncsvc.catalogue.entities import Platform, Section, TestFeature
from syncsvc.catalogue.model import Counts, EntityType
from syncsvc.catalogue.sql_entities import keep_found, plan_products
from syncsvc.catalogue.sql_rows import Kept, Place
from syncsvc.catalogue.sql_stored import SqlStored
from syncsvc.catalogue.sql_swapping import drop_aside, swap
from syncsvc.catalogue.walk import Coverage, Mark, Segment
from syncsvc.catalogue.work import (
    ASIDE,
    LIVE,
    FeaturesFound,
    ProductGone,
    ProductsFound,
    TestsFound,
    TestsGone,
)
from syncsvc.errors import Unknown
from syncsvc.stores.sql.catalogue_tables import (
    catalogue_features,
    catalogue_products,
    catalogue_test_features,
    catalogue_test_platforms,
    catalogue_tests,
    catalogue_user_stories,
    sync_quarantine,
    sync_state,
)
from tests.support.builders import MINUTE, NOON
from tests.support.catalogue import a_test, feature, place, product, story


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def keep(database):
    async def keep_(
        *found: object,
        run: str = "run-1",
        now=NOON,
        stage: int = LIVE,
        customer: str = "acme",
        allow: bool = False,
    ) -> Kept:
        here = Place(customer, stage, run, allow_vanishing=allow)
        kept = [await database.write(lambda c, f=f: keep_found(c, here, f, now)) for f in found]
        return kept[-1]

    return keep_


@pytest.fixture
def rows(database):
    async def rows_(table: Table, **such: object) -> list:
        query = select(table).filter_by(**such).order_by(*table.primary_key.columns)
        return list(await database.read(lambda c: c.execute(query).all()))

    return rows_


def covering(*links: int, **more: object):
    """Build a test that covers features 10, 11, ... by links with these ids."""
    covered = tuple(TestFeature(link, 10 + n) for n, link in enumerate(links))
    return a_test(features=covered, **more)


async def test_a_test_is_kept_with_all_that_it_names(keep, rows):
    whole = a_test(
        start_at=NOON,
        goal="see",
        environment_id=3,
        environment_title="Staging",
        enable_low=False,
        features=(TestFeature(5, 10, "login", enable_visual=True, user_stories=("as a user",)),),
        platforms=(Platform(6, "Computers", 7, "Windows", ("Chrome", "Firefox")),),
    )

    kept = await keep(TestsFound(1, [whole]))

    assert kept == Kept(Counts(created=1))
    (row,) = await rows(catalogue_tests)
    assert (row.id, row.product_id, row.start_at, row.end_at) == (100, 1, NOON, whole.end_at)
    assert (row.goal, row.environment_title, row.enable_low) == ("see", "Staging", False)
    assert (row.is_mutable, row.first_seen_run, row.read_at) == (False, "run-1", NOON)
    (covered,) = await rows(catalogue_test_features)
    assert (covered.test_id, covered.id, covered.feature_id) == (100, 5, 10)
    assert (covered.enable_visual, json.decode(covered.user_stories)) == (True, ["as a user"])
    (platform,) = await rows(catalogue_test_platforms)
    assert (platform.test_id, platform.operating_system) == (100, "Windows")
    assert json.decode(platform.browsers) == ["Chrome", "Firefox"]


async def test_an_unchanged_test_is_only_noted_as_read(keep, rows):
    await keep(TestsFound(1, [covering(5)]))

    kept = await keep(TestsFound(1, [covering(5)]), run="run-2", now=NOON + MINUTE)

    assert kept.counts == Counts(unchanged=1)
    (row,) = await rows(catalogue_tests)
    assert (row.first_seen_run, row.last_seen_run) == ("run-1", "run-2")
    assert row.read_at == NOON + MINUTE


async def test_what_a_changed_test_no_longer_covers_is_removed(keep, rows):
    await keep(TestsFound(1, [covering(5, 6)]))

    kept = await keep(TestsFound(1, [covering(6, 7)]), run="run-2")

    assert kept.counts == Counts(updated=1)
    assert [row.id for row in await rows(catalogue_test_features)] == [6, 7]
    assert [row.first_seen_run for row in await rows(catalogue_tests)] == ["run-1"]


async def test_a_test_that_moves_to_another_product_is_one_row_there(keep, rows):
    await keep(TestsFound(1, [covering(5)]))

    kept = await keep(TestsFound(2, [covering(5, product_id=2)]))

    assert kept.counts == Counts(updated=1)
    assert [(row.id, row.product_id) for row in await rows(catalogue_tests)] == [(100, 2)]
    assert len(await rows(catalogue_test_features)) == 1


async def test_an_item_that_an_answer_repeats_is_one_row(keep, rows):
    twice = covering(5, 5)

    kept = await keep(TestsFound(1, [twice, twice]))

    assert kept.counts == Counts(created=1)
    assert len(await rows(catalogue_test_features)) == 1


async def test_two_writers_of_the_same_tests_do_not_collide(keep, rows):
    tests = [a_test(number) for number in range(50)]

    await asyncio.gather(
        keep(TestsFound(1, tests)), keep(TestsFound(1, tests[::-1])), keep(TestsFound(1, tests))
    )

    assert len(await rows(catalogue_tests)) == 50


async def test_more_than_fit_one_statement_are_found_again(keep):
    tests = [a_test(number) for number in range(1, 1102)]
    await keep(TestsFound(1, tests))

    assert (await keep(TestsFound(1, tests), run="run-2")).counts == Counts(unchanged=1101)
    assert (await keep(TestsGone(1, range(1, 1102)))).counts == Counts(deleted=1101)


async def test_a_deleted_test_keeps_what_it_held_and_is_undeleted_when_it_returns(keep, rows):
    await keep(TestsFound(1, [covering(5), a_test(101)]))

    gone = await keep(TestsGone(1, [100, 999]), now=NOON + MINUTE)

    assert gone.counts == Counts(deleted=1)
    (row, other) = await rows(catalogue_tests)
    assert (row.title, row.deleted_at, other.deleted_at) == ("test 100", NOON + MINUTE, None)
    assert len(await rows(catalogue_test_features)) == 1

    back = await keep(TestsFound(1, [covering(5)]))

    assert back.counts == Counts(updated=1)
    assert (await rows(catalogue_tests, id=100))[0].deleted_at is None


async def test_a_sweep_deletes_what_it_has_not_seen_of_its_product_alone(keep, rows):
    await keep(TestsFound(1, [a_test(n) for n in (1, 2, 3)]), TestsFound(2, [a_test(9, 2)]))
    await keep(TestsFound(1, [a_test(1), a_test(2)]), run="run-2")

    kept = await keep(TestsGone(1), run="run-2")

    assert kept == Kept(Counts(deleted=1))
    gone = [row.id for row in await rows(catalogue_tests) if row.deleted_at]
    assert gone == [3]


async def test_a_sweep_that_has_seen_nothing_deletes_nothing_unless_it_may(keep):
    await keep(TestsFound(1, [a_test(1), a_test(2)]))

    refused = await keep(TestsGone(1), run="run-2")
    allowed = await keep(TestsGone(1), run="run-2", allow=True)

    (warning,) = refused.warnings
    assert "tests of product 1: all 2 would be deleted" in warning
    assert "--allow-vanishing" in warning
    assert (refused.counts, allowed) == (Counts(), Kept(Counts(deleted=2)))


async def test_a_product_is_kept_with_its_sections(keep, database):
    whole = product(1, type="website", description="a shop", sections=(Section(5, "one"),))

    await keep(ProductsFound([whole, product(2)]))

    assert await SqlStored(database).products("acme") == [(whole, True), (product(2), True)]
    assert await SqlStored(database).products("other") == []


async def test_a_product_that_the_list_lacks_is_inactive_until_it_returns(keep, database, rows):
    listed = [product(n) for n in (1, 2, 3)]
    await keep(ProductsFound(listed))

    lacking = await keep(ProductsFound(listed[:2]))
    planned = await database.read(lambda c: plan_products(c, "acme", LIVE, None))
    back = await keep(ProductsFound(listed))

    assert lacking.counts == Counts(unchanged=2, deleted=1)
    assert "product 3: expected in the list, not found" in lacking.warnings[0]
    assert planned == [1, 2]
    assert back == Kept(Counts(updated=1, unchanged=2))
    assert all(row.is_active for row in await rows(catalogue_products))


async def test_an_empty_list_of_products_makes_none_inactive_unless_it_may(keep, database):
    await keep(ProductsFound([product(1), product(2)]))

    refused = await keep(ProductsFound([]))
    planned = await database.read(lambda c: plan_products(c, "acme", LIVE, None))
    allowed = await keep(ProductsFound([]), allow=True)

    assert refused.counts == Counts()
    assert "--allow-vanishing" in refused.warnings[0]
    assert planned == [1, 2]
    assert allowed.counts == Counts(deleted=2)


async def test_only_products_that_were_asked_for_are_missed(keep, database):
    await keep(ProductsFound([product(1), product(2)]))

    kept = await keep(ProductsFound([], asked=[2, 9]))

    assert kept.counts == Counts(deleted=1)
    assert [warning.partition(":")[0] for warning in kept.warnings] == ["product 2", "product 9"]
    assert await database.read(lambda c: plan_products(c, "acme", LIVE, None)) == [1]


async def test_a_list_that_is_not_whole_makes_nothing_inactive(keep):
    await keep(ProductsFound([product(1), product(2), product(3)]))

    kept = await keep(ProductsFound([product(1), product(2)], whole=False))

    assert kept == Kept(Counts(unchanged=2))


async def test_a_product_that_the_server_does_not_know_is_inactive(keep, database):
    await keep(ProductsFound([product(1), product(2)]))

    kept = await keep(ProductGone(2))

    assert kept.counts == Counts(deleted=1)
    assert "product 2" in kept.warnings[0]
    assert await keep(ProductGone(2)) == Kept(Counts())
    assert await database.read(lambda c: plan_products(c, "acme", LIVE, [2, 1])) == [1]


async def test_a_feature_that_vanishes_is_deleted_with_its_stories(keep, rows):
    features = [feature(n, stories=[n * 10]) for n in (10, 11, 12)]
    await keep(FeaturesFound(1, features))

    kept = await keep(FeaturesFound(1, features[:2]), now=NOON + MINUTE)

    assert kept == Kept(Counts(unchanged=4, deleted=2))
    (row,) = await rows(catalogue_features, deleted_at=NOON + MINUTE)
    (told,) = await rows(catalogue_user_stories, deleted_at=NOON + MINUTE)
    assert (row.id, row.title, told.key) == (12, "feature 12", "120")


async def test_when_all_features_vanish_they_stay_with_their_stories_unless_they_may(keep):
    await keep(FeaturesFound(1, [feature(10, stories=[1]), feature(11)]))

    refused = await keep(FeaturesFound(1, []))
    allowed = await keep(FeaturesFound(1, []), allow=True)

    assert refused.counts == Counts()
    assert "features of product 1: all 2 would be deleted" in refused.warnings[0]
    assert allowed == Kept(Counts(deleted=3))


async def test_a_story_that_vanishes_from_a_listed_feature_is_deleted(keep, rows):
    untitled = story(None, 10, "as a guest")
    await keep(FeaturesFound(1, [feature(10, stories=[1]), feature(11, stories=[2])]))

    await keep(FeaturesFound(1, [replace(feature(10), stories=(untitled,))], whole=False))

    stories = {row.key: row.deleted_at is None for row in await rows(catalogue_user_stories)}

    assert stories == {"1": False, "2": True, untitled.key: True}


async def test_features_read_without_stories_leave_them_and_are_unchanged(keep, rows):
    await keep(FeaturesFound(1, [feature(10, stories=[1]), feature(11, stories=[2])]))

    kept = await keep(FeaturesFound(1, [feature(10)], with_stories=False), allow=True)

    assert kept.counts == Counts(unchanged=1, deleted=1)
    assert all(row.deleted_at is None for row in await rows(catalogue_user_stories))


async def test_features_that_are_not_whole_delete_none(keep):
    await keep(FeaturesFound(1, [feature(n) for n in (10, 11, 12)]))

    kept = await keep(FeaturesFound(1, [feature(10), feature(13)], whole=False))

    assert kept == Kept(Counts(created=1, unchanged=1))


async def test_a_feature_that_moved_is_not_missed_where_it_was(keep, rows):
    await keep(FeaturesFound(1, [feature(10, stories=[1]), feature(11)]))
    moved = await keep(FeaturesFound(2, [feature(10, 2, stories=[1])]))

    kept = await keep(FeaturesFound(1, [feature(11)]))

    assert moved.counts == Counts(updated=1, unchanged=1)
    assert kept == Kept(Counts(unchanged=1))
    assert [row.product_id for row in await rows(catalogue_features)] == [2, 1]


async def test_customers_with_the_same_ids_do_not_meet(keep, rows):
    await keep(TestsFound(1, [covering(5)]), FeaturesFound(1, [feature(stories=[1])]))
    other = await keep(TestsFound(1, [covering(6)]), customer="other")

    await keep(TestsGone(1, [100]), customer="other")

    assert other.counts == Counts(created=1)
    (row,) = await rows(catalogue_tests, customer="acme")
    assert row.deleted_at is None
    assert [row.id for row in await rows(catalogue_test_features, customer="acme")] == [5]


async def fill(keep, stage: int, number: int, run: str) -> None:
    """Keep products 1 and 2 with a feature, a story and two tests each, named by a number."""
    name = str(number)
    await keep(ProductsFound([product(1, name), product(2, name)]), stage=stage, run=run)
    for n in (1, 2):
        described = feature(10 * n, n, stories=[10 * n], description=name)
        tests = [covering(number, test_id=100 * n + k, product_id=n) for k in (0, number)]
        found = FeaturesFound(n, [described]), TestsFound(n, tests)
        await keep(*found, stage=stage, run=run)


async def cover(database, stage: int, product_id: int, coverage: Coverage) -> None:
    row = {"customer": "acme", "stage": stage, "product_id": product_id, "is_whole": True}
    row["coverage"] = json.encode(coverage).decode()
    await database.write(lambda c: c.execute(sync_state.insert(), row))


TABLES = (
    catalogue_products,
    catalogue_features,
    catalogue_user_stories,
    catalogue_tests,
    catalogue_test_features,
    sync_state,
)


async def test_what_stands_aside_takes_the_place_of_what_is_live(keep, database, rows):
    await fill(keep, LIVE, 1, "run-1")
    await fill(keep, ASIDE, 2, "run-2")
    await cover(database, LIVE, 1, Coverage())
    await cover(database, ASIDE, 1, Coverage(complete=True))

    await database.write(lambda c: swap(c, "acme", None))

    for table in TABLES:
        assert await rows(table, stage=ASIDE) == []
    assert [row.id for row in await rows(catalogue_tests)] == [100, 102, 200, 202]
    assert {row.id for row in await rows(catalogue_test_features)} == {2}
    assert [row.description for row in await rows(catalogue_features)] == ["2", "2"]
    assert await SqlStored(database).coverage("acme", LIVE, 1) == Coverage(complete=True)


async def test_a_swap_keeps_who_saw_a_row_first(keep, database, rows):
    await fill(keep, LIVE, 1, "run-1")
    await fill(keep, ASIDE, 2, "run-2")

    await database.write(lambda c: swap(c, "acme", None))

    seen = [(row.id, row.first_seen_run) for row in await rows(catalogue_tests, product_id=1)]
    assert seen == [(100, "run-1"), (102, "run-2")]


async def test_of_a_swap_of_some_products_the_others_see_nothing(keep, database, rows):
    await fill(keep, LIVE, 1, "run-1")
    await fill(keep, ASIDE, 2, "run-2")

    await database.write(lambda c: swap(c, "acme", [2]))
    await database.write(lambda c: drop_aside(c, "acme"))

    for table in TABLES:
        assert await rows(table, stage=ASIDE) == []
    assert [row.id for row in await rows(catalogue_tests)] == [100, 101, 200, 202]
    links = [(row.test_id, row.id) for row in await rows(catalogue_test_features)]
    assert links == [(100, 1), (101, 1), (200, 2), (202, 2)]
    assert [row.name for row in await rows(catalogue_products)] == ["1", "2"]
    assert [row.key for row in await rows(catalogue_user_stories)] == ["10", "20"]


async def test_a_swap_takes_what_has_moved_from_another_product(keep, database, rows):
    await keep(TestsFound(1, [covering(5)]), FeaturesFound(1, [feature(stories=[1])]))
    await keep(
        TestsFound(2, [covering(6, product_id=2)]),
        FeaturesFound(2, [feature(product_id=2, stories=[1])]),
        stage=ASIDE,
    )

    await database.write(lambda c: swap(c, "acme", [2]))

    assert [(row.id, row.product_id) for row in await rows(catalogue_tests)] == [(100, 2)]
    assert [row.id for row in await rows(catalogue_test_features)] == [6]
    assert [row.product_id for row in await rows(catalogue_features)] == [2]


@pytest.mark.parametrize(("old", "new"), [(1, 1100), (1100, 1)])
async def test_a_swap_of_many_products_takes_what_has_moved_among_them(
    keep, database, rows, old, new
):
    await keep(TestsFound(old, [covering(5, product_id=old)]), run="run-1")
    await keep(TestsFound(new, [covering(6, product_id=new)]), stage=ASIDE, run="run-2")

    await database.write(lambda c: swap(c, "acme", range(1, 1102)))

    (row,) = await rows(catalogue_tests)
    assert (row.product_id, row.first_seen_run, row.stage) == (new, "run-1", LIVE)
    assert [link.id for link in await rows(catalogue_test_features)] == [6]


async def test_kinds_that_a_nuke_has_not_read_stay(keep, database, rows):
    await fill(keep, LIVE, 1, "run-1")
    await keep(FeaturesFound(1, [feature(15)]), stage=ASIDE)

    await database.write(lambda c: swap(c, "acme", [1], {EntityType.FEATURES}))

    assert [row.id for row in await rows(catalogue_features)] == [15, 20]
    assert len(await rows(catalogue_user_stories)) == 2
    assert len(await rows(catalogue_tests)) == 4


async def test_what_stands_aside_of_another_customer_stays(keep, database, rows):
    await keep(TestsFound(1, [a_test()]), stage=ASIDE)
    await keep(TestsFound(1, [a_test()]), stage=ASIDE, customer="other")

    await database.write(lambda c: drop_aside(c, "acme"))

    assert [row.customer for row in await rows(catalogue_tests)] == ["other"]


ENDLESS = [a_test(n, end_at=None, status="running") for n in (3, 4)]
TIED = [a_test(n, end_at=NOON) for n in (1, 2)]
LATER = a_test(7, end_at=NOON + MINUTE)
ALL = [*ENDLESS, *TIED, LATER]  # from the top: 4, 3, 7, 2, 1


@pytest.mark.parametrize(
    ("mark", "above"),
    [
        (place(ENDLESS[1]), 0),
        (place(ENDLESS[0]), 1),
        (place(LATER), 2),
        (place(TIED[1]), 3),
        (place(TIED[0]), 4),
        (Mark(NOON - MINUTE, 99), 5),
    ],
)
async def test_tests_above_a_place_are_counted_by_end_then_id(keep, database, mark, above):
    await keep(TestsFound(1, [*ALL, a_test(50)]), TestsFound(2, [a_test(60, 2)]))
    await keep(TestsGone(1, [50]))

    assert await SqlStored(database).tests_above("acme", LIVE, 1, mark) == above


@pytest.mark.parametrize(
    ("above", "below", "named"),
    [
        (None, None, [4, 3, 7, 2, 1]),
        (None, place(ENDLESS[0]), [4]),
        (place(ENDLESS[1]), place(LATER), [3]),
        (place(ENDLESS[1]), None, [3, 7, 2, 1]),
        (place(LATER), place(TIED[0]), [2]),
        (place(TIED[1]), place(TIED[0]), []),
    ],
)
async def test_tests_between_two_places_are_named_newest_first(keep, database, above, below, named):
    await keep(TestsFound(1, ALL))

    assert await SqlStored(database).tests_between("acme", LIVE, 1, above, below) == named


async def test_at_most_twenty_tests_between_two_places_are_named(keep, database):
    await keep(TestsFound(1, [*ENDLESS, *(a_test(n) for n in range(10, 40))]))

    named = await SqlStored(database).tests_between("acme", LIVE, 1, None, None)

    assert named == [4, 3, *range(39, 21, -1)]


async def test_stale_tests_may_change_and_were_read_before(keep, database):
    fresh = a_test(9, status="running")
    await keep(TestsFound(1, ALL))
    await keep(TestsFound(1, [fresh]), now=NOON + MINUTE)

    stale = await SqlStored(database).stale_tests("acme", LIVE, 1, NOON + MINUTE)

    assert stale == [Mark(None, 4), Mark(None, 3)]


async def test_known_tests_are_those_of_the_product_that_are_not_deleted(keep, database):
    await keep(TestsFound(1, ALL), TestsFound(2, [a_test(60, 2)]), TestsGone(1, [3]))

    known = await SqlStored(database).known_tests("acme", LIVE, 1, [1, 3, 4, 60, 99])

    assert known == {1: Mark(NOON, 1), 4: Mark(None, 4)}


async def test_features_that_are_stored_are_not_missing_even_if_deleted(keep, database):
    await keep(FeaturesFound(1, [feature(10), feature(11)]), FeaturesFound(1, [feature(10)]))

    missing = await SqlStored(database).missing_features("acme", LIVE, 1, [10, 11, 12])

    assert set(missing) == {12}


async def test_coverage_is_read_as_it_was_written(database):
    whole = Coverage((Segment(Mark(None, 5), Mark(NOON, 1)),), complete=True, swept_at=NOON)
    await cover(database, LIVE, 1, whole)

    stored = SqlStored(database)

    assert await stored.coverage("acme", LIVE, 1) == whole
    assert await stored.coverage("acme", ASIDE, 1) == Coverage()


async def poison(database, name: str, *, customer="acme", product_id=1, healed_at=None, age=0):
    row = {
        "id": name,
        "customer": customer,
        "product_id": product_id,
        "page": 1,
        "per_page": 25,
        "error": "500",
        "attempts": 1,
        "found_at": NOON - timedelta(minutes=age),
        "next_try_at": NOON + timedelta(days=1),
        "healed_at": healed_at,
    }
    await database.write(lambda c: c.execute(sync_quarantine.insert(), row))


async def test_quarantined_places_are_listed_oldest_first_until_they_heal(database):
    await poison(database, "new")
    await poison(database, "old", product_id=2, age=5)
    await poison(database, "well", healed_at=NOON)
    await poison(database, "else", customer="other", age=9)
    stored = SqlStored(database)

    assert [place.id for place in await stored.quarantined()] == ["else", "old", "new"]
    assert [place.id for place in await stored.quarantined("acme")] == ["old", "new"]
    (only,) = await stored.quarantined("acme", 2)
    assert (only.poison.product_id, only.poison.per_page, only.attempts) == (2, 25, 1)


async def test_a_quarantined_place_may_be_tried_again_at_once(database):
    await poison(database, "one")
    await poison(database, "two")
    await poison(database, "well", healed_at=NOON)
    await poison(database, "else", customer="other")
    stored = SqlStored(database)

    assert await stored.retry_quarantined(NOON, "one") == 1
    due = {place.id for place in await stored.quarantined() if place.next_try_at == NOON}
    assert due == {"one"}
    assert await stored.retry_quarantined(NOON, customer="acme") == 2
    assert await stored.retry_quarantined(NOON) == 3
    with pytest.raises(Unknown, match="found 'well'"):
        await stored.retry_quarantined(NOON, "well")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_stands_above_a_place_is_found_by_the_index(database):
    plan = text(
        "EXPLAIN QUERY PLAN SELECT count(*) FROM catalogue_tests WHERE customer = 'a'"
        " AND stage = 0 AND product_id = 1 AND deleted_at IS NULL"
        " AND end_at IS NOT NULL AND (end_at, id) > (5, 6)"
    )

    (step,) = await database.read(lambda c: c.execute(plan).all())

    assert "USING INDEX ix_catalogue_tests_place" in step.detail
    assert "product_id=? AND (end_at,id)>(?,?)" in step.detail
