"""What every home of a sync's units promises: claims and commits."""

import asyncio
from dataclasses import replace

import pytest

from syncsvc.catalogue.model import (
    Barrier,
    Counts,
    ErrorClass,
    RunStatus,
    SyncScope,
    UnitState,
)
from syncsvc.catalogue.walk import Coverage, Segment
from syncsvc.catalogue.work import (
    Done,
    Failed,
    Later,
    Poison,
    ProductGone,
    ProductsFound,
    Step,
    TestsFound,
)
from syncsvc.errors import Conflict
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.catalogue import a_test, new_run, order, place, product
from tests.support.sync_steps import (
    FEATURES,
    NEW_TESTS,
    PRODUCTS,
    TERM,
    begin,
    drive,
    go,
    one_unit,
    states,
    stock,
    take,
)

OPEN, WAITING, DONE, FAILED, CANCELLED = (
    UnitState.OPEN,
    UnitState.WAITING,
    UnitState.DONE,
    UnitState.FAILED,
    UnitState.CANCELLED,
)
SOON = NOON + SECOND
AFTER = NOON + TERM  # a claim of noon has run out
LATE = NOON + 5 * MINUTE
COVERED = Coverage((Segment(place(a_test(101)), place(a_test(100))),), complete=True)
FULL = Step(  # something of everything that a step may bring
    [TestsFound(1, [a_test(100), a_test(101)])],
    coverage=COVERED,
    cursor="page 2",
    poisoned=[Poison(1, 2, 25, 101, 100, "500")],
    warnings=["odd"],
    spent=Counts(calls=3),
)


async def unit_of_tests(home, **more):
    """Make product 1 known, begin a run of its tests and claim it."""
    await stock(home, 1)
    return await one_unit(home, NEW_TESTS, **more)


async def traces(home) -> list[object]:
    """Give all that a commit of FULL would have changed."""
    return [
        await home.stored.known_tests("acme", 0, 1, [100, 101]),
        await home.stored.coverage("acme", 0, 1),
        await home.stored.quarantined("acme"),
        await home.runs.units("run-1"),
        await home.runs.events("run-1"),
    ]


async def refused(home, claimed, step=FULL, now=LATE) -> None:
    """Commit what is refused, and see that nothing has changed."""
    before = await traces(home)
    with pytest.raises(Conflict):
        await home.units.commit(claimed, replace(step, outcome=Done()), now)
    assert await traces(home) == before


async def test_an_open_unit_is_claimed_with_its_run(sync_home):
    run = await begin(sync_home)

    claimed = await sync_home.units.claim(SOON, TERM)

    assert (claimed.unit.phase, claimed.unit.product_id) == (PRODUCTS, None)
    assert (claimed.unit.attempt, claimed.unit.started_at) == (1, SOON)
    assert (claimed.run.id, claimed.run.order, claimed.stage) == (run.id, run.order, 0)


async def test_what_somebody_holds_is_not_claimed(sync_home):
    await one_unit(sync_home)

    assert await sync_home.units.claim(AFTER - SECOND, TERM) is None


async def test_where_nothing_is_to_do_nothing_is_claimed(sync_home):
    assert await sync_home.units.claim(NOON, TERM) is None
    assert await sync_home.units.claim(NOON, TERM, "stranger") is None


async def test_two_claims_at_once_are_never_of_the_same_unit(sync_home):
    await stock(sync_home, *range(1, 7))
    await begin(sync_home, asked=order("acme", NEW_TESTS))

    claims = await asyncio.gather(*(sync_home.units.claim(NOON, TERM) for _ in range(10)))

    held = [claimed for claimed in claims if claimed is not None]
    assert sorted(claimed.product for claimed in held) == [1, 2, 3, 4, 5, 6]
    assert len({claimed.claim for claimed in held}) == 6


async def test_a_claim_that_ran_out_goes_to_another_and_the_first_one_changes_nothing(sync_home):
    first = await unit_of_tests(sync_home)

    second = await take(sync_home, AFTER)

    assert (second.unit.id, second.unit.attempt) == (first.unit.id, 2)
    assert second.claim != first.claim
    assert second.unit.started_at == NOON
    await refused(sync_home, first)
    assert (await sync_home.units.commit(second, FULL, AFTER)).counts.created == 2


async def test_a_claim_that_ran_out_and_nobody_has_taken_still_commits(sync_home):
    claimed = await unit_of_tests(sync_home)

    committed = await sync_home.units.commit(claimed, FULL, LATE)

    assert committed.counts.created == 2


async def test_a_run_that_one_process_drives_alone_is_claimed_by_its_name_only(sync_home):
    await begin(sync_home, "run-1", order("acme"), holder="here:1")
    await begin(sync_home, "run-2", order("other"))

    shared = await take(sync_home)
    nothing = await sync_home.units.claim(NOON, TERM)
    alone = await take(sync_home, run_id="run-1")

    assert (shared.run.id, nothing, alone.run.id) == ("run-2", None, "run-1")


async def test_by_a_runs_name_no_other_is_claimed(sync_home):
    await begin(sync_home, "run-1", order("acme"))
    await begin(sync_home, "run-2", order("other"))

    assert (await take(sync_home, run_id="run-2")).run.id == "run-2"
    assert await sync_home.units.claim(NOON, TERM, "run-2") is None


async def test_runs_take_turns(sync_home):
    for customer in ("acme", "other"):
        await stock(sync_home, 1, 2, 3, customer=customer, run_id=f"stock-{customer}")
    for customer in ("acme", "other"):
        await begin(sync_home, f"run-{customer}", order(customer, NEW_TESTS))

    served = [(await take(sync_home, NOON + n * SECOND)).run.order.customer for n in range(6)]

    assert served == ["acme", "other"] * 3


async def test_a_sign_of_life_keeps_a_claim_and_its_run(sync_home):
    claimed = await one_unit(sync_home)
    almost = AFTER - SECOND

    lost = await sync_home.units.keep([claimed.claim], ["run-1"], almost, TERM)

    assert list(lost) == []
    assert await sync_home.units.claim(AFTER, TERM) is None
    assert await sync_home.units.claim(almost + TERM, TERM) is not None
    assert (await sync_home.runs.run("run-1")).started_at == NOON


async def test_a_sign_of_life_is_the_runs_heartbeat(sync_home):
    await begin(sync_home)

    await sync_home.units.keep([], ["run-1", "stranger"], LATE, TERM)

    assert (await sync_home.runs.run("run-1")).heartbeat_at == LATE
    assert not (await sync_home.runs.begin(new_run("run-2", now=LATE))).is_new


async def test_lost_claims_are_named(sync_home):
    first = await one_unit(sync_home)
    second = await take(sync_home, AFTER)

    lost = await sync_home.units.keep([first.claim, second.claim, "no claim"], [], AFTER, TERM)

    assert set(lost) == {first.claim, "no claim"}


async def test_claims_of_a_run_that_is_over_are_lost(sync_home):
    claimed = await one_unit(sync_home)
    ended = await sync_home.runs.close("run-1", RunStatus.CANCELLED, SOON, reason="enough")

    lost = await sync_home.units.keep([claimed.claim], ["run-1"], AFTER, TERM)

    assert set(lost) == {claimed.claim}
    assert await sync_home.runs.run("run-1") == ended


async def test_a_claim_of_a_unit_that_was_given_back_is_lost(sync_home):
    claimed = await one_unit(sync_home)
    await sync_home.units.commit(claimed, Step(outcome=Later(LATE, "paused")), NOON)

    assert set(await sync_home.units.keep([claimed.claim], [], SOON, TERM)) == {claimed.claim}
    assert (await take(sync_home, LATE)).unit.id == claimed.unit.id


async def test_a_step_is_kept_whole(sync_home):
    claimed = await unit_of_tests(sync_home)

    committed = await sync_home.units.commit(claimed, FULL, SOON)

    assert committed.counts == Counts(created=2, quarantined=1, calls=3)
    assert (committed.opened, committed.run.status) == (0, RunStatus.RUNNING)
    assert set(await sync_home.stored.known_tests("acme", 0, 1, [100, 101])) == {100, 101}
    assert await sync_home.stored.coverage("acme", 0, 1) == COVERED
    (unit,) = await sync_home.runs.units("run-1")
    assert (unit.cursor, unit.counts, unit.state) == ("page 2", committed.counts, OPEN)
    (quarantined,) = await sync_home.stored.quarantined("acme")
    assert quarantined.poison == FULL.poisoned[0]
    (warning,) = [e for e in await sync_home.runs.events("run-1") if e.kind == "warning"]
    assert (warning.message, warning.phase, warning.product_id) == ("odd", NEW_TESTS, 1)
    assert (warning.customer, warning.at) == ("acme", SOON)


async def test_without_an_outcome_the_unit_goes_on_under_the_same_claim(sync_home):
    claimed = await unit_of_tests(sync_home)
    await sync_home.units.commit(claimed, FULL, NOON)

    await sync_home.units.commit(claimed, Step(spent=Counts(calls=1)), NOON)

    (unit,) = await sync_home.runs.units("run-1")
    assert (unit.cursor, unit.counts.calls, unit.counts.created) == ("page 2", 4, 2)
    assert await sync_home.stored.coverage("acme", 0, 1) == COVERED
    assert await sync_home.units.claim(NOON, TERM) is None


async def test_who_claims_again_goes_on_from_the_stored_cursor(sync_home):
    claimed = await unit_of_tests(sync_home)
    await sync_home.units.commit(claimed, FULL, NOON)

    again = await take(sync_home, AFTER)

    assert (again.unit.cursor, again.unit.counts.calls) == ("page 2", 3)


async def test_what_is_committed_again_is_refused_once_the_unit_is_done(sync_home):
    await stock(sync_home, 1, 2)
    claimed = await one_unit(sync_home, NEW_TESTS)
    await sync_home.units.commit(claimed, Step(outcome=Done()), NOON)

    await refused(sync_home, claimed)


async def test_an_older_run_is_refused_after_a_newer_began(sync_home):
    claimed = await unit_of_tests(sync_home)
    await begin(sync_home, "run-2", now=LATE)

    await refused(sync_home, claimed)


async def test_a_unit_that_goes_on_later_is_given_back_with_its_cursor(sync_home):
    claimed = await unit_of_tests(sync_home)

    await sync_home.units.commit(claimed, replace(FULL, outcome=Later(LATE, "429")), NOON)

    assert await sync_home.units.claim(LATE - SECOND, TERM) is None
    again = await take(sync_home, LATE)
    assert (again.unit.id, again.unit.cursor, again.unit.error) == (claimed.unit.id, "page 2", None)
    assert (again.unit.attempt, again.unit.started_at) == (1, NOON)


async def test_a_setback_counts_as_an_attempt_and_keeps_its_reason(sync_home):
    claimed = await one_unit(sync_home)
    setback = Later(SOON, "503", is_setback=True)
    await sync_home.units.commit(claimed, Step(outcome=setback), NOON)

    again = await take(sync_home, SOON)
    await sync_home.units.commit(again, Step(outcome=Later(LATE, "429")), SOON)

    assert (again.unit.attempt, again.unit.error, again.unit.error_class) == (2, "503", None)
    (unit,) = await sync_home.runs.units("run-1")
    assert (unit.attempt, unit.error) == (1, None)


@pytest.mark.parametrize(
    ("outcome", "state"), [(Done(), DONE), (Failed(ErrorClass.SHAPE, "name: found 1"), FAILED)]
)
async def test_a_unit_that_is_over_says_when_and_why(sync_home, outcome, state):
    await stock(sync_home, 1, 2)
    claimed = await one_unit(sync_home, NEW_TESTS)

    await sync_home.units.commit(claimed, Step(outcome=outcome), SOON)

    unit = next(u for u in await sync_home.runs.units("run-1") if u.id == claimed.unit.id)
    assert (unit.state, unit.started_at, unit.ended_at) == (state, NOON, SOON)
    assert unit.error == getattr(outcome, "error", None)
    assert unit.error_class == getattr(outcome, "error_class", None)


async def test_a_failure_is_an_event_of_its_phase_and_product(sync_home):
    claimed = await unit_of_tests(sync_home)

    failed = Failed(ErrorClass.UNAVAILABLE, "GET tests: 503")
    await sync_home.units.commit(claimed, Step(outcome=failed), SOON)

    (event,) = [e for e in await sync_home.runs.events("run-1") if e.kind == "unit_failed"]
    assert (event.phase, event.product_id, event.at) == (NEW_TESTS, 1, SOON)
    assert "GET tests: 503" in event.message


async def test_the_list_of_products_plans_the_units_after_it(sync_home):
    await begin(sync_home, asked=order())

    committed = await go(sync_home, ProductsFound([product(2), product(1)]))

    assert committed.opened == 2
    assert await states(sync_home) == {
        (PRODUCTS, None): DONE,
        (FEATURES, 1): OPEN,
        (FEATURES, 2): OPEN,
        (NEW_TESTS, 1): WAITING,
        (NEW_TESTS, 2): WAITING,
    }


async def test_without_features_the_list_opens_the_tests(sync_home):
    await begin(sync_home, asked=order("acme", PRODUCTS, NEW_TESTS))

    committed = await go(sync_home, ProductsFound([product(1), product(2)]))

    assert committed.opened == 2
    assert (await states(sync_home))[NEW_TESTS, 2] is OPEN


async def test_a_list_that_failed_plans_what_was_known_before(sync_home):
    await stock(sync_home, 1, 2, 3)
    await begin(sync_home, "run-0b", order("acme", PRODUCTS))
    await go(sync_home, ProductGone(3))
    await begin(sync_home, asked=order("acme", scope=SyncScope((2, 3))))

    committed = await go(sync_home, outcome=Failed(ErrorClass.UNAVAILABLE, "503"))

    assert (committed.opened, committed.run.status) == (1, RunStatus.RUNNING)
    assert await states(sync_home) == {
        (PRODUCTS, None): FAILED,
        (FEATURES, 2): OPEN,
        (NEW_TESTS, 2): WAITING,
    }


@pytest.mark.parametrize("outcome", [Done(), Failed(ErrorClass.SHAPE, "odd")])
async def test_a_products_tests_open_when_its_features_are_over(sync_home, outcome):
    await stock(sync_home, 1, 2)
    await begin(sync_home, asked=order("acme", FEATURES, NEW_TESTS, barrier=Barrier.PRODUCT))

    claimed = await take(sync_home)
    committed = await sync_home.units.commit(claimed, Step(outcome=outcome), NOON)

    assert committed.opened == 1
    open_tests = [
        k for k, v in (await states(sync_home)).items() if k[0] is NEW_TESTS and v is OPEN
    ]
    assert open_tests == [(NEW_TESTS, claimed.product)]


@pytest.mark.parametrize("outcome", [Done(), Failed(ErrorClass.SHAPE, "odd")])
async def test_all_tests_open_with_the_last_features_if_the_phase_is_the_barrier(
    sync_home, outcome
):
    await stock(sync_home, 1, 2)
    await begin(sync_home, asked=order("acme", FEATURES, NEW_TESTS, barrier=Barrier.PHASE))

    first = await go(sync_home, outcome=outcome)
    between = await states(sync_home)
    last = await go(sync_home, outcome=outcome)

    assert (first.opened, last.opened) == (0, 2)
    assert {state for (phase, _), state in between.items() if phase is NEW_TESTS} == {WAITING}
    after = await states(sync_home)
    assert {state for (phase, _), state in after.items() if phase is NEW_TESTS} == {OPEN}


async def test_of_two_last_units_at_once_one_opens_the_next_phase(sync_home):
    await stock(sync_home, 1, 2)
    await begin(sync_home, asked=order("acme", FEATURES, NEW_TESTS, barrier=Barrier.PHASE))
    claims = [await take(sync_home), await take(sync_home)]

    commits = [sync_home.units.commit(c, Step(outcome=Done()), NOON) for c in claims]
    committed = await asyncio.gather(*commits)

    assert sorted(each.opened for each in committed) == [0, 2]


async def test_a_phase_ends_with_its_last_unit_and_an_event(sync_home):
    await begin(sync_home)
    await go(sync_home, ProductsFound([product(1)]))

    await drive(sync_home, now=SOON)

    events = await sync_home.runs.events("run-1")
    assert [e.phase for e in events if e.kind == "phase_completed"] == [
        PRODUCTS,
        FEATURES,
        NEW_TESTS,
    ]
    phases = await sync_home.runs.phases("run-1")
    assert [phase.ended_at for phase in phases] == [NOON, SOON, SOON]


def failing(*products: int):
    """Answer the units of these products with a failure."""

    def answer(claimed):
        if claimed.unit.phase is PRODUCTS:
            return Step([ProductsFound([product(1), product(2)])], outcome=Done())
        failed = claimed.unit.product_id in products
        return Step(outcome=Failed(ErrorClass.REFUSED, "422") if failed else Done())

    return answer


@pytest.mark.parametrize(
    ("phases", "products", "status"),
    [
        ((PRODUCTS, FEATURES, NEW_TESTS), (), RunStatus.SUCCESS),
        ((PRODUCTS, FEATURES, NEW_TESTS), (1,), RunStatus.PARTIAL),
        ((PRODUCTS, FEATURES, NEW_TESTS), (1, 2), RunStatus.PARTIAL),  # the list is done
        ((FEATURES, NEW_TESTS), (1,), RunStatus.PARTIAL),
        ((FEATURES, NEW_TESTS), (1, 2), RunStatus.FAILED),
        ((PRODUCTS,), (), RunStatus.SUCCESS),
    ],
)
async def test_the_last_unit_ends_the_run(sync_home, phases, products, status):
    await stock(sync_home, 1, 2)
    await begin(sync_home, asked=order("acme", *phases))

    await drive(sync_home, failing(*products), LATE)

    run = await sync_home.runs.run("run-1")
    assert (run.status, run.ended_at) == (status, LATE)
    last = (await sync_home.runs.events("run-1"))[-1]
    assert last.kind == ("failed" if status is RunStatus.FAILED else "completed")
    assert "300.0 s" in last.message
    assert (await sync_home.runs.state("acme")).running is None


async def test_a_run_whose_only_unit_failed_has_failed_and_says_why(sync_home):
    await begin(sync_home)

    committed = await go(sync_home, outcome=Failed(ErrorClass.SHAPE, "products: found none"))

    assert committed.run.status is RunStatus.FAILED
    assert (committed.run.error_class, committed.run.error) == (
        ErrorClass.SHAPE,
        "products: found none",
    )


async def test_a_list_without_products_is_a_success(sync_home):
    await begin(sync_home)

    committed = await go(sync_home, ProductsFound([]))

    assert (committed.opened, committed.run.status) == (0, RunStatus.SUCCESS)
    assert all(phase.is_over for phase in await sync_home.runs.phases("run-1"))


async def test_credentials_that_are_refused_end_the_run_at_once(sync_home):
    await stock(sync_home, 1, 2, 3)
    await begin(sync_home, asked=order("acme", NEW_TESTS))
    done, held = await take(sync_home), await take(sync_home)
    await sync_home.units.commit(done, Step(outcome=Done()), NOON)

    committed = await go(sync_home, outcome=Failed(ErrorClass.AUTH, "401"))

    assert (committed.run.status, committed.opened) == (RunStatus.FAILED, 0)
    assert (committed.run.error_class, committed.run.error) == (ErrorClass.AUTH, "401")
    units = await sync_home.runs.units("run-1")
    assert sorted(unit.state for unit in units) == [CANCELLED, DONE, FAILED]
    with pytest.raises(Conflict):
        await sync_home.units.commit(held, Step(outcome=Done()), NOON)
    assert [e.kind for e in await sync_home.runs.events("run-1")][-2:] == ["unit_failed", "failed"]


async def test_the_next_run_of_the_customer_may_begin_once_one_has_ended(sync_home):
    await begin(sync_home)
    await drive(sync_home)

    assert (await begin(sync_home, "run-2")).id == "run-2"
