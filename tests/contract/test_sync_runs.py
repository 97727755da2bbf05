"""What every home of the record of syncs promises."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from syncsvc.catalogue.model import (
    Barrier,
    Counts,
    EntityType,
    ErrorClass,
    RunStatus,
    SyncEvent,
    SyncOptions,
    SyncScope,
    Trigger,
    UnitState,
)
from syncsvc.catalogue.ports import CustomerPulse, RunFilter
from syncsvc.catalogue.walk import Coverage
from syncsvc.catalogue.work import (
    Failed,
    FeaturesFound,
    Later,
    Poison,
    ProductGone,
    ProductsFound,
    Step,
    TestsFound,
)
from syncsvc.errors import Conflict, Unknown
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.catalogue import a_test, feature, new_run, order, product
from tests.support.sync_steps import (
    FEATURES,
    NEW_TESTS,
    PRODUCTS,
    TERM,
    begin,
    drive,
    go,
    kinds,
    messages,
    one_unit,
    states,
    stock,
    take,
)

OPEN, WAITING = UnitState.OPEN, UnitState.WAITING
SOON = NOON + 20 * SECOND  # a run that began at noon is live still
LATE = NOON + 5 * MINUTE  # and here it is dead


async def test_a_run_begins_with_the_list_of_products(sync_home):
    begun = await sync_home.runs.begin(new_run("run-1", lease_token=7))

    assert (begun.is_new, begun.reclaimed) == (True, None)
    assert (begun.run.status, begun.run.started_at) == (RunStatus.RUNNING, NOON)
    assert (begun.run.heartbeat_at, begun.run.lease_token) == (NOON, 7)
    assert await states(sync_home) == {(PRODUCTS, None): OPEN}


async def test_a_run_remembers_all_that_was_asked_for(sync_home):
    since = datetime(2025, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
    asked = order(
        "acme",
        PRODUCTS,
        NEW_TESTS,
        scope=SyncScope((3, 1), since, (EntityType.PRODUCTS, EntityType.TESTS)),
        options=SyncOptions(force_refresh=True, allow_vanishing=True),
        trigger=Trigger.BEAT,
        barrier=Barrier.PHASE,
    )

    begun = await begin(sync_home, asked=asked, holder="host:9")

    assert begun == await sync_home.runs.run("run-1")
    assert (begun.order, begun.holder, begun.is_shared) == (asked, "host:9", False)


async def test_without_the_list_there_are_units_for_what_is_known(sync_home):
    await stock(sync_home, 2, 1)

    await begin(sync_home, asked=order("acme", FEATURES, NEW_TESTS))

    assert await states(sync_home) == {
        (FEATURES, 1): OPEN,
        (FEATURES, 2): OPEN,
        (NEW_TESTS, 1): WAITING,
        (NEW_TESTS, 2): WAITING,
    }


async def test_units_are_listed_by_phase_and_product(sync_home):
    await stock(sync_home, 10, 2)

    await begin(sync_home, asked=order("acme", FEATURES, NEW_TESTS))

    units = await sync_home.runs.units("run-1")
    places = [(unit.phase, unit.product_id) for unit in units]
    assert places == [(FEATURES, 2), (FEATURES, 10), (NEW_TESTS, 2), (NEW_TESTS, 10)]


async def test_without_features_tests_wait_for_nothing(sync_home):
    await stock(sync_home, 1)

    await begin(sync_home, asked=order("acme", NEW_TESTS))

    assert await states(sync_home) == {(NEW_TESTS, 1): OPEN}


async def test_units_are_of_active_products_in_scope_only(sync_home):
    await stock(sync_home, 1, 2, 3)
    await begin(sync_home, "run-0b", order("acme", PRODUCTS))
    await go(sync_home, ProductGone(2))

    await begin(sync_home, asked=order("acme", NEW_TESTS, scope=SyncScope((2, 3, 4))))

    assert await states(sync_home) == {(NEW_TESTS, 3): OPEN}


async def test_a_run_with_no_product_to_plan_ends_at_once(sync_home):
    begun = await sync_home.runs.begin(new_run("run-1", order("acme", FEATURES, NEW_TESTS)))

    assert (begun.is_new, begun.run.status) == (True, RunStatus.SUCCESS)
    assert begun.run.ended_at == NOON
    assert (await kinds(sync_home))[-1] == "completed"


async def test_while_a_live_one_runs_it_is_given_and_nothing_begins(sync_home):
    first = await begin(sync_home)

    begun = await sync_home.runs.begin(new_run("run-2", now=SOON))

    assert (begun.run, begun.is_new, begun.reclaimed) == (first, False, None)
    assert [run.id for run in await sync_home.runs.runs(RunFilter())] == ["run-1"]


async def test_a_heartbeat_at_the_very_moment_is_one_of_a_live_run(sync_home):
    await begin(sync_home)

    begun = await sync_home.runs.begin(new_run("run-2", now=SOON, dead_after=SOON - NOON))

    assert not begun.is_new


async def test_a_dead_run_is_closed_as_abandoned_for_the_new_one(sync_home):
    old = await begin(sync_home)

    begun = await sync_home.runs.begin(new_run("run-2", now=LATE))

    assert begun.is_new
    assert begun.run.fence > old.fence
    assert begun.run.resumed_from == "run-1"
    assert begun.reclaimed == await sync_home.runs.run("run-1")
    assert (begun.reclaimed.status, begun.reclaimed.ended_at) == (RunStatus.ABANDONED, LATE)
    assert (await kinds(sync_home))[-1] == "abandoned"
    assert await states(sync_home) == {(PRODUCTS, None): UnitState.CANCELLED}


async def test_alone_on_a_host_another_run_of_it_is_dead_for_sure(sync_home):
    await begin(sync_home, holder="here:1")

    begun = await sync_home.runs.begin(new_run("run-2", holder="here:2", is_alone=True))

    assert (begun.is_new, begun.reclaimed.status) == (True, RunStatus.ABANDONED)


@pytest.mark.parametrize(
    ("holder", "ours", "is_alone"),
    [
        ("there:1", "here:1", True),
        ("here:1", "here:2", False),
        (None, "here:1", True),
        ("hereabouts:1", "here:1", True),
    ],
)
async def test_any_other_run_with_a_heartbeat_is_live(sync_home, holder, ours, is_alone):
    await begin(sync_home, holder=holder)

    begun = await sync_home.runs.begin(new_run("run-2", holder=ours, is_alone=is_alone))

    assert not begun.is_new


async def test_of_many_that_begin_at_once_one_does(sync_home):
    begins = [sync_home.runs.begin(new_run(f"run-{n}")) for n in range(5)]

    begun = await asyncio.gather(*begins)

    assert sum(each.is_new for each in begun) == 1
    assert len({each.run.id for each in begun}) == 1


async def test_customers_do_not_disturb_each_other(sync_home):
    await begin(sync_home, "run-1", order("acme"))

    begun = await sync_home.runs.begin(new_run("run-2", order("other")))

    assert begun.is_new
    assert (await sync_home.runs.state("acme")).running == "run-1"
    assert (await sync_home.runs.state("other")).running == "run-2"


async def test_a_run_is_resumed_by_the_next_unless_it_succeeded(sync_home):
    await stock(sync_home, 1)
    after_success = await begin(sync_home, "run-1")
    await sync_home.runs.close("run-1", RunStatus.CANCELLED, NOON, reason="enough")
    after_cancelling = await begin(sync_home, "run-2")

    assert after_success.resumed_from is None
    assert after_cancelling.resumed_from == "run-1"


async def test_a_run_that_is_not_recorded_is_unknown(sync_home):
    with pytest.raises(Unknown, match="'stranger'"):
        await sync_home.runs.run("stranger")
    with pytest.raises(Unknown, match="'stranger'"):
        await sync_home.runs.close("stranger", RunStatus.CANCELLED, NOON, reason="enough")


async def test_runs_are_listed_newest_first(sync_home):
    for number, customer in enumerate(["acme", "other", "acme", "acme"]):
        await stock(sync_home, 1, customer=customer, run_id=f"run-{number}")
    await begin(sync_home, "run-4")

    async def listed(**which) -> list[str]:
        return [run.id for run in await sync_home.runs.runs(RunFilter(**which))]

    assert await listed() == ["run-4", "run-3", "run-2", "run-1", "run-0"]
    assert await listed(customer="other") == ["run-1"]
    assert await listed(status=RunStatus.RUNNING) == ["run-4"]
    assert await listed(customer="acme", limit=2) == ["run-4", "run-3"]
    assert await listed(before="run-2") == ["run-1", "run-0"]


async def test_a_phase_says_how_many_units_are_over_and_what_they_changed(sync_home):
    await begin(sync_home, asked=order("acme", PRODUCTS, FEATURES))
    await go(sync_home, ProductsFound([product(1), product(2), product(3)]))
    await go(sync_home, FeaturesFound(1, [feature(10)]), now=SOON, spent=Counts(calls=2))
    await go(sync_home, outcome=Failed(ErrorClass.SHAPE, "odd"), spent=Counts(calls=1))

    first, second = await sync_home.runs.phases("run-1")

    assert (first.phase, first.planned, first.done, first.is_over) == (PRODUCTS, 1, 1, True)
    assert (first.started_at, first.ended_at) == (NOON, NOON)
    assert (second.phase, second.planned, second.done, second.failed) == (FEATURES, 3, 1, 1)
    assert second.counts == Counts(created=1, calls=3)
    assert (second.started_at, second.is_over) == (SOON, False)


async def test_a_runs_totals_are_those_of_its_units(sync_home):
    await begin(sync_home, asked=order("acme", PRODUCTS, FEATURES))
    await go(sync_home, ProductsFound([product(1)]), spent=Counts(calls=1, retries=1))
    await go(sync_home, FeaturesFound(1, [feature(10)]), spent=Counts(calls=2, throttled_ms=5))

    totals = Counts(created=2, calls=3, retries=1, throttled_ms=5)
    assert (await sync_home.runs.run("run-1")).totals == totals
    assert (await sync_home.runs.runs(RunFilter()))[0].totals == totals


async def test_what_is_noted_is_in_the_history_in_its_order(sync_home):
    await begin(sync_home)
    noted = [
        SyncEvent("run-1", "acme", NOON + n * SECOND, "warning", f"no {n}", FEATURES, n)
        for n in range(3)
    ]

    for event in noted:
        await sync_home.runs.note(event)
    await sync_home.runs.note(SyncEvent(None, "acme", NOON, "skipped", "one runs"))

    assert list(await sync_home.runs.events("run-1"))[-3:] == noted


async def test_closing_ends_a_run_with_its_units_and_says_how_long_it_took(sync_home):
    await begin(sync_home)
    await go(sync_home, ProductsFound([product(1)]))
    end = NOON + 90 * SECOND

    closed = await sync_home.runs.close("run-1", RunStatus.CANCELLED, end, reason="SIGTERM")

    assert closed == await sync_home.runs.run("run-1")
    assert (closed.status, closed.ended_at, closed.error) == (RunStatus.CANCELLED, end, "SIGTERM")
    assert set((await states(sync_home)).values()) == {UnitState.DONE, UnitState.CANCELLED}
    (last,) = await messages(sync_home, "cancelled")
    assert "SIGTERM" in last
    assert "90.0 s" in last
    assert (await sync_home.runs.state("acme")).running is None


async def test_closing_may_name_the_class_of_an_error(sync_home):
    await begin(sync_home)

    closed = await sync_home.runs.close(
        "run-1", RunStatus.FAILED, NOON, reason="no lock", error_class=ErrorClass.OURS
    )

    assert (closed.status, closed.error_class) == (RunStatus.FAILED, ErrorClass.OURS)
    assert (await kinds(sync_home))[-1] == "failed"


async def test_a_run_that_is_over_stays_so(sync_home):
    await begin(sync_home)
    first = await sync_home.runs.close("run-1", RunStatus.CANCELLED, NOON, reason="enough")
    history = await sync_home.runs.events("run-1")

    again = await sync_home.runs.close("run-1", RunStatus.FAILED, LATE, reason="other")

    assert again == first
    assert await sync_home.runs.events("run-1") == history


async def test_what_is_committed_after_closing_is_refused(sync_home):
    claimed = await one_unit(sync_home)
    await sync_home.runs.close("run-1", RunStatus.CANCELLED, NOON, reason="enough")

    with pytest.raises(Conflict):
        await sync_home.units.commit(claimed, Step([ProductsFound([product(1)])]), NOON)

    assert await sync_home.stored.products("acme") == []


async def test_no_unit_of_a_closed_run_is_claimed(sync_home):
    await begin(sync_home)
    await sync_home.runs.close("run-1", RunStatus.CANCELLED, NOON, reason="enough")

    assert await sync_home.units.claim(LATE, TERM) is None


async def test_dead_runs_are_those_without_a_sign_of_life_since(sync_home):
    await begin(sync_home, "run-1", order("a"))
    await begin(sync_home, "run-2", order("b"), holder="here:1")
    await begin(sync_home, "run-3", order("c"), now=SOON)
    await begin(sync_home, "run-4", order("d"))
    await sync_home.runs.close("run-4", RunStatus.CANCELLED, NOON, reason="enough")

    async def dead(shared_since, alone_since) -> list[str]:
        return sorted(run.id for run in await sync_home.runs.dead(shared_since, alone_since))

    assert await dead(NOON, NOON) == []
    assert await dead(SOON, NOON) == ["run-1"]
    assert await dead(NOON, SOON) == ["run-2"]
    assert await dead(LATE, LATE) == ["run-1", "run-2", "run-3"]


async def put_off(home, until, **more):
    await begin(home, **more)
    await go(home, outcome=Later(until, "429", is_setback=True))


async def test_a_run_whose_units_are_put_off_is_not_dead_before_it_could_go_on(sync_home):
    runs, due_at = sync_home.runs, NOON + timedelta(hours=2)
    await put_off(sync_home, due_at)

    assert await runs.dead(due_at - MINUTE, due_at - MINUTE) == []
    assert await runs.dead(due_at, due_at) == []
    assert [run.id for run in await runs.dead(due_at + SECOND, NOON)] == ["run-1"]


async def test_a_run_that_one_process_drove_alone_is_dead_even_if_it_was_put_off(sync_home):
    await begin(sync_home, holder="host:1")
    claimed = await take(sync_home, run_id="run-1")
    later = Step(outcome=Later(LATE + MINUTE, "429", is_setback=True))
    await sync_home.units.commit(claimed, later, NOON)

    assert [run.id for run in await sync_home.runs.dead(LATE, LATE)] == ["run-1"]


async def test_nothing_begins_in_the_place_of_a_run_that_is_put_off(sync_home):
    await put_off(sync_home, LATE + MINUTE)

    begun = await sync_home.runs.begin(new_run("run-2", now=LATE))
    after = await sync_home.runs.begin(new_run("run-3", now=LATE + 2 * MINUTE))

    assert (begun.run.id, begun.is_new) == ("run-1", False)
    assert (after.run.id, after.is_new) == ("run-3", True)
    assert after.reclaimed.status is RunStatus.ABANDONED


async def test_a_slot_of_the_timetable_is_taken_once(sync_home):
    take_slot = sync_home.runs.take_slot

    assert await take_slot("acme", NOON)
    assert not await take_slot("acme", NOON)
    assert not await take_slot("acme", NOON - SECOND)
    assert await take_slot("acme", NOON + SECOND)
    assert await take_slot("other", NOON)


async def test_a_slot_that_was_returned_may_be_taken_again(sync_home):
    runs = sync_home.runs
    await runs.take_slot("acme", NOON)
    await runs.return_slot("acme", NOON)

    assert await runs.take_slot("acme", NOON)
    assert not await runs.take_slot("acme", NOON)


async def test_a_slot_before_the_last_one_is_not_returned(sync_home):
    runs = sync_home.runs
    await runs.take_slot("acme", NOON)
    await runs.take_slot("acme", SOON)

    await runs.return_slot("acme", NOON)
    await runs.return_slot("nobody", NOON)

    assert not await runs.take_slot("acme", SOON)
    assert await runs.take_slot("nobody", NOON)


async def test_of_many_that_take_a_slot_at_once_one_has_it(sync_home):
    taken = await asyncio.gather(*(sync_home.runs.take_slot("acme", NOON) for _ in range(5)))

    assert sum(taken) == 1


async def test_nothing_is_known_of_a_customer_who_was_never_synced(sync_home):
    state = await sync_home.runs.state("nobody")

    assert (state.customer, state.products, state.tests, state.quarantined) == ("nobody", 0, 0, 0)
    assert (state.last_success_at, state.running) == (None, None)


async def test_a_customers_state_counts_what_readers_see(sync_home):
    await stock(sync_home, 1, 2)
    await begin(sync_home, now=SOON)
    await go(sync_home, ProductsFound([product(1), product(2), product(3)]), now=SOON)
    claimed = await take(sync_home, SOON)
    found = [
        FeaturesFound(1, [feature(10, stories=[1, 2]), feature(11)]),
        FeaturesFound(1, [feature(10, stories=[1])], whole=False),
        TestsFound(1, [a_test(100), a_test(101)]),
        ProductGone(3),
    ]
    poisoned = [Poison(1, 1, 25, None, None, "500")]
    await sync_home.units.commit(claimed, Step(found, Coverage(), poisoned=poisoned), SOON)

    state = await sync_home.runs.state("acme")

    assert (state.products, state.inactive_products) == (3, 1)
    assert (state.features, state.user_stories, state.tests) == (2, 1, 2)
    assert (state.quarantined, state.incomplete) == (1, 1)
    assert (state.last_success_at, state.running) == (NOON, "run-1")
    assert await sync_home.runs.pulse("acme") == CustomerPulse(NOON, "run-1", 1, 1)


async def test_old_runs_are_forgotten_with_all_that_hangs_on_them(sync_home):
    await stock(sync_home, 1, run_id="run-1")
    newer = await begin(sync_home, "run-2", now=LATE)
    await drive(sync_home, now=LATE)
    await stock(sync_home, 1, customer="other", run_id="run-3")

    assert await sync_home.runs.forget(LATE) == 1

    assert [run.id for run in await sync_home.runs.runs(RunFilter())] == ["run-3", "run-2"]
    assert await sync_home.runs.events("run-1") == []
    assert await sync_home.runs.units("run-1") == []
    assert (await sync_home.runs.events("run-3")) != []
    assert [key for key, _ in await sync_home.stored.products("acme")] == [product(1)]
    assert (await begin(sync_home, "run-4", now=LATE)).fence > newer.fence


async def test_neither_the_newest_nor_a_running_run_is_forgotten(sync_home):
    await stock(sync_home, 1, run_id="run-1")
    await begin(sync_home, "run-2", order("other"))

    assert await sync_home.runs.forget(NOON + timedelta(days=365)) == 0
