"""What every home of syncs promises of a nuke: it is built aside, and takes the old one's place."""

import pytest

from syncsvc.catalogue.model import EntityType, ErrorClass, RunStatus, SyncOptions, SyncScope
from syncsvc.catalogue.walk import Coverage
from syncsvc.catalogue.work import (
    ASIDE,
    LIVE,
    Done,
    Failed,
    FeaturesFound,
    ProductGone,
    ProductsFound,
    Step,
    TestsFound,
)
from tests.support.builders import NOON
from tests.support.catalogue import a_test, feature, order, product
from tests.support.sync_steps import (
    FEATURES,
    NEW_TESTS,
    PRODUCTS,
    begin,
    drive,
    messages,
    shown,
    states,
    take,
)

NUKE = SyncOptions(nuke=True)
TRUSTING = SyncOptions(nuke=True, allow_vanishing=True)
OLD, NEW = 0, 5  # the last digit of what each finds
WHOLE = Coverage((), complete=True, swept_at=NOON)


def finding(last: int, *, products=(1, 2), failing=()):
    """Answer units with a feature, its story and a test a product, whose ids end with a digit."""

    def answer(claimed):
        if claimed.unit.phase is PRODUCTS:
            return Step([ProductsFound([product(key) for key in products])], outcome=Done())
        key = claimed.product
        if (claimed.unit.phase, key) in failing:
            return Step(outcome=Failed(ErrorClass.SHAPE, "odd"))
        number = 10 * key + last
        if claimed.unit.phase is FEATURES:
            found = [FeaturesFound(key, [feature(number, key, stories=[number])])]
            return Step(found, outcome=Done())
        return Step([TestsFound(key, [a_test(number, key)])], coverage=WHOLE, outcome=Done())

    return answer


@pytest.fixture(autouse=True)
async def filled(sync_home):
    await begin(sync_home, "run-0")
    await drive(sync_home, finding(OLD))


async def nuke(home, answer, *phases, run_id="run-1", **more):
    await begin(home, run_id, order("acme", *phases, options=NUKE, **more))
    await drive(home, answer)
    return await home.runs.run(run_id)


async def everything(home) -> list[list[object]]:
    return [await shown(home, kind) for kind in EntityType]


BEFORE = [[1, 2], [10, 20], ["10", "20"], [10, 20]]
AFTER = [[1, 2], [15, 25], ["15", "25"], [15, 25]]


async def test_what_is_built_aside_is_not_seen_before_the_end(sync_home):
    await begin(sync_home, asked=order(options=NUKE))
    seen, stages = [], set()

    def answer(claimed):
        stages.add(claimed.stage)
        return finding(NEW)(claimed)

    while (await sync_home.runs.state("acme")).running:
        seen.append(await everything(sync_home))
        claimed = await take(sync_home)
        await sync_home.units.commit(claimed, answer(claimed), NOON)

    assert stages == {ASIDE}
    assert seen == [BEFORE] * 5
    assert await everything(sync_home) == AFTER


async def test_a_nuke_finds_nothing_stored_where_it_builds(sync_home):
    await begin(sync_home, asked=order(options=NUKE))

    assert await sync_home.stored.coverage("acme", ASIDE, 1) == Coverage()
    assert await sync_home.stored.known_tests("acme", ASIDE, 1, [10]) == {}
    assert set(await sync_home.stored.missing_features("acme", ASIDE, 1, [10])) == {10}


async def test_a_nuke_takes_the_place_of_all_that_was_there(sync_home):
    run = await nuke(sync_home, finding(NEW, products=(2, 3)))

    assert (run.status, run.totals.created, run.totals.deleted) == (RunStatus.SUCCESS, 8, 0)
    assert await everything(sync_home) == [[2, 3], [25, 35], ["25", "35"], [25, 35]]
    assert await sync_home.stored.coverage("acme", LIVE, 3) == WHOLE
    assert await sync_home.stored.coverage("acme", LIVE, 1) == Coverage()
    assert set(await sync_home.stored.known_tests("acme", LIVE, 2, [20, 25])) == {25}


@pytest.mark.parametrize("failed", [FEATURES, NEW_TESTS])
async def test_a_product_that_failed_keeps_its_old_rows(sync_home, failed):
    run = await nuke(sync_home, finding(NEW, failing=[(failed, 2)]))

    assert run.status is RunStatus.PARTIAL
    assert await everything(sync_home) == [[1, 2], [15, 20], ["15", "20"], [15, 20]]


async def test_what_no_nuke_has_taken_is_removed(sync_home):
    await nuke(sync_home, finding(NEW, failing=[(NEW_TESTS, 2)]))

    assert await sync_home.stored.known_tests("acme", ASIDE, 1, [15]) == {}
    assert set(await sync_home.stored.missing_features("acme", ASIDE, 2, [25])) == {25}


async def test_a_nuke_that_is_cut_short_changes_nothing_and_leaves_nothing(sync_home):
    await begin(sync_home, asked=order(options=NUKE))
    for _ in range(4):
        claimed = await take(sync_home)
        await sync_home.units.commit(claimed, finding(NEW)(claimed), NOON)

    await sync_home.runs.close("run-1", RunStatus.CANCELLED, NOON, reason="enough")

    assert await everything(sync_home) == BEFORE
    assert set(await sync_home.stored.missing_features("acme", ASIDE, 1, [15])) == {15}
    assert await sync_home.stored.known_tests("acme", ASIDE, 1, [15]) == {}


async def test_a_nuke_of_some_products_leaves_the_others(sync_home):
    answer = finding(NEW, products=(2,))

    run = await nuke(sync_home, answer, scope=SyncScope((2,)))

    assert run.status is RunStatus.SUCCESS
    assert await everything(sync_home) == [[1, 2], [10, 25], ["10", "25"], [10, 25]]


async def test_a_nuke_of_some_phases_leaves_what_the_others_read(sync_home):
    await nuke(sync_home, finding(NEW), PRODUCTS, FEATURES)

    assert await everything(sync_home) == [[1, 2], [15, 25], ["15", "25"], [10, 20]]
    assert await sync_home.stored.coverage("acme", LIVE, 1) == WHOLE


async def test_a_nuke_without_the_list_builds_the_known_products_anew(sync_home):
    await nuke(sync_home, finding(NEW), FEATURES, NEW_TESTS)

    assert (await states(sync_home)).keys() == {
        (phase, key) for phase in (FEATURES, NEW_TESTS) for key in (1, 2)
    }
    assert await everything(sync_home) == AFTER


async def test_another_customers_catalogue_is_left_alone(sync_home):
    await begin(sync_home, "run-0b", order("other"))
    await drive(sync_home, finding(OLD))

    await nuke(sync_home, finding(NEW))

    assert [await shown(sync_home, kind, "other") for kind in EntityType] == BEFORE


async def test_a_nuke_whose_credentials_are_refused_changes_nothing_that_is_unfinished(sync_home):
    await begin(sync_home, asked=order(options=NUKE))
    claimed = await take(sync_home)
    await sync_home.units.commit(claimed, finding(NEW)(claimed), NOON)

    claimed = await take(sync_home)
    await sync_home.units.commit(claimed, Step(outcome=Failed(ErrorClass.AUTH, "401")), NOON)

    assert await everything(sync_home) == BEFORE


def answering(special, otherwise=None):
    """Answer some units, by phase and product, with a step of their own."""
    usual = otherwise or finding(NEW)

    def answer(claimed):
        step = special.get((claimed.unit.phase, claimed.unit.product_id))
        return usual(claimed) if step is None else step

    return answer


def listing(*products, **more):
    found = ProductsFound([product(key) for key in products], **more)
    return {(PRODUCTS, None): Step([found], outcome=Done())}


async def test_a_product_that_could_not_be_read_in_the_list_keeps_its_rows(sync_home):
    run = await nuke(sync_home, answering(listing(1, whole=False)))

    assert run.status is RunStatus.SUCCESS
    assert await everything(sync_home) == [[1, 2], [15, 20], ["15", "20"], [15, 20]]


@pytest.mark.parametrize("asked", [None, (1, 2)])
async def test_an_empty_list_removes_no_product_unless_it_may(sync_home, asked):
    scope = SyncScope(asked)

    await nuke(sync_home, answering(listing(asked=asked)), scope=scope)

    assert await everything(sync_home) == BEFORE
    (warning,) = await messages(sync_home, "warning")
    assert "products: all 2 would be deleted" in warning
    assert "--allow-vanishing" in warning

    await begin(sync_home, "run-2", order(options=TRUSTING, scope=scope))
    await drive(sync_home, answering(listing(asked=asked)))

    assert await everything(sync_home) == [[], [], [], []]


async def test_products_that_are_missing_stay_while_something_has_failed(sync_home):
    run = await nuke(sync_home, finding(NEW, products=(2,), failing=[(NEW_TESTS, 2)]))

    assert run.status is RunStatus.PARTIAL
    assert await everything(sync_home) == BEFORE


async def test_a_product_that_vanished_is_told_and_goes_with_all_that_it_had(sync_home):
    await nuke(sync_home, answering(listing(2, 3)), PRODUCTS)

    assert await messages(sync_home, "warning") == ["product 1: expected in the list, not found"]
    assert await everything(sync_home) == [[2, 3], [20], ["20"], [20]]


@pytest.mark.parametrize("phase", [FEATURES, NEW_TESTS])
async def test_a_product_of_which_nothing_is_found_stays_as_it_was_unless_it_may(sync_home, phase):
    found = {
        FEATURES: FeaturesFound(2, []),
        NEW_TESTS: TestsFound(2, []),
    }[phase]
    answer = answering({(phase, 2): Step([found], outcome=Done())})

    run = await nuke(sync_home, answer)

    subject = "features" if phase is FEATURES else "tests"
    assert run.status is RunStatus.SUCCESS
    assert await everything(sync_home) == [[1, 2], [15, 20], ["15", "20"], [15, 20]]
    (warning,) = await messages(sync_home, "warning")
    assert warning.startswith(f"{subject} of product 2: all 1 would be deleted; the product stays")
    assert "--allow-vanishing" in warning

    await begin(sync_home, "run-2", order(options=TRUSTING))
    await drive(sync_home, answer)

    (empty,) = {str(key) for key in (15, 25)} - set(map(str, await everything_of(sync_home, phase)))
    assert empty == "25"


async def everything_of(home, phase):
    return await shown(home, EntityType.FEATURES if phase is FEATURES else EntityType.TESTS)


async def test_tests_that_ended_before_the_scope_begins_are_not_missed(sync_home):
    since = a_test(20).end_at
    early = a_test(3, 2)
    await begin(sync_home, "run-0b")
    await drive(
        sync_home,
        answering({(NEW_TESTS, 2): Step([TestsFound(2, [early])], outcome=Done())}, finding(OLD)),
    )

    await nuke(sync_home, finding(NEW), scope=SyncScope(since_date=since))

    assert await messages(sync_home, "warning") == []
    assert await everything(sync_home) == AFTER


@pytest.mark.parametrize("phases", [(), (FEATURES, NEW_TESTS)])
async def test_a_product_that_the_server_does_not_know_keeps_its_rows_and_is_inactive(
    sync_home, phases
):
    gone = Step([ProductGone(2)], outcome=Done())

    run = await nuke(sync_home, answering({(FEATURES, 2): gone, (NEW_TESTS, 2): gone}), *phases)

    assert (run.status, run.totals.deleted) == (RunStatus.SUCCESS, 1)
    assert await everything(sync_home) == [[1], [15, 20], ["15", "20"], [15, 20]]
    (warning,) = await messages(sync_home, "warning")
    assert warning.startswith("product 2: the server does not know it")


async def test_a_list_that_is_refused_removes_nothing_even_if_it_may(sync_home):
    await begin(sync_home, asked=order(options=TRUSTING))
    await drive(sync_home, lambda _: Step(outcome=Failed(ErrorClass.AUTH, "401")))

    assert await everything(sync_home) == BEFORE


async def test_a_nuke_of_many_products_takes_the_place_of_all(sync_home):
    many = tuple(range(1, 1103))
    listed = {
        (PRODUCTS, None): Step([ProductsFound([product(key) for key in many])], outcome=Done())
    }

    await nuke(sync_home, answering(listed), PRODUCTS)

    assert await shown(sync_home, EntityType.PRODUCTS) == list(many)
