import asyncio

import pytest

from syncsvc.catalogue.model import ErrorClass, RunStatus, SyncPhase, UnitState
from syncsvc.catalogue.work import Done, Failed, Later, Step
from syncsvc.errors import Conflict, Denied, Unavailable
from tests.support.builders import SECOND
from tests.support.executing import ExecutingHouse, with_products
from tests.support.virtual_time import settle


@pytest.fixture
def house() -> ExecutingHouse:
    return ExecutingHouse()


class Stuck:
    """A story's wait that a test ends, once or for all."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.cancelled = 0

    async def __call__(self, desk) -> None:
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def unit_of(house, phase=SyncPhase.NEW_TESTS, product_id=1):
    units = await house.store.units("run-1")
    return next(u for u in units if (u.phase, u.product_id) == (phase, product_id))


async def test_a_task_worker_carries_out_a_run_from_its_first_unit_to_its_last(house):
    await house.begin()

    count = await house.process().executor.work_due()

    assert count == 5
    assert (await house.run()).status is RunStatus.SUCCESS


async def test_the_lock_is_given_back_with_the_runs_end(house):
    await house.begin()
    assert house.lock.held

    await house.process().executor.work_due()

    assert not house.lock.held


async def test_a_lock_that_cannot_be_given_back_does_not_disturb_the_runs_end(house):
    await house.begin()
    house.lock.is_away = True

    await house.process().executor.work_due()

    assert (await house.run()).status is RunStatus.SUCCESS


async def test_what_opens_is_told_to_other_task_workers(house):
    house.source = with_products(20)
    await house.begin()

    await house.process().executor.work_due()

    assert house.nudges.sent[0] == 8  # 20 opened
    assert len(house.nudges.sent) > 1


async def test_a_run_of_one_process_wakes_up_nobody(house):
    await house.begin(holder="host:1")
    driving = house.process()
    driven = driving.starts(driving.executor.drive("run-1", None))

    await house.time.pass_(2 * SECOND)

    assert (await driven).status is RunStatus.SUCCESS
    assert house.nudges.sent == []


async def test_a_run_of_one_process_is_left_alone_by_task_workers(house):
    await house.begin(holder="host:1")

    assert await house.process().executor.work_due() == 0


async def test_units_run_side_by_side_and_no_more_than_allowed(house):
    house.source = with_products(25)
    await house.begin()
    process, stuck = house.process(), Stuck()
    process.tests.instead = stuck

    working = process.starts(process.executor.work_due())
    await settle()
    assert len(process.tests.began) == 10

    stuck.free.set()
    await working
    assert len(process.tests.began) == 25


async def test_who_asks_while_the_process_is_at_it_gets_nothing_at_once(house):
    await house.begin()
    process, stuck = house.process(), Stuck()
    process.tests.instead = stuck
    process.starts(process.executor.work_due())
    await settle()

    assert await process.executor.work_due() == 0

    await process.stops()


async def test_two_processes_share_the_units_and_do_none_twice(house):
    house.source = with_products(30)
    await house.begin()
    one, two = house.process(), house.process()

    counts = await asyncio.gather(one.executor.work_due(), two.executor.drive("run-1"))

    assert counts[1].status is RunStatus.SUCCESS
    assert sorted(one.tests.ended + two.tests.ended) == list(range(1, 31))
    assert one.tests.ended
    assert two.tests.ended


async def test_after_a_denial_everything_ends(house):
    house.source = with_products(30)
    await house.begin()
    house.source.fail(Denied("401"), on=("features", 3))
    process = house.process()

    await process.executor.work_due()

    run = await house.run()
    assert (run.status, run.error_class) == (RunStatus.FAILED, ErrorClass.AUTH)
    assert len(house.source.calls()) <= 1 + 10 + 10
    assert not house.lock.held


async def test_a_denial_ends_at_once_what_else_is_under_way(house):
    await house.begin()
    house.source.fail(Denied("403"), on=("tests", 1))
    process, stuck = house.process(), Stuck()

    async def stuck_in_the_second(desk) -> None:
        await settle() if desk.claimed.product == 1 else await stuck(desk)

    process.tests.instead = stuck_in_the_second
    await process.executor.work_due()

    assert stuck.cancelled == 1
    assert (await house.run()).error_class is ErrorClass.AUTH


async def test_a_product_that_is_gone_does_not_fail_the_run(house):
    await house.begin()
    gone = house.source.here[0]
    house.source.meanwhile = lambda call: (
        house.source.remove(gone) if call.kind == "features" else None
    )

    await house.process().executor.work_due()

    assert (await unit_of(house, SyncPhase.FEATURES)).state is UnitState.DONE
    assert (await house.run()).status is RunStatus.SUCCESS
    assert [active for each, active in await house.store.products("acme") if each.id == 1] == [
        False
    ]


async def test_one_product_fails_and_the_others_complete(house):
    await house.begin()
    house.source.fail(Unavailable("502"), on=("features", 1))

    await house.process().executor.work_due()

    unit = await unit_of(house, SyncPhase.FEATURES)
    assert (unit.state, unit.error_class) == (UnitState.FAILED, ErrorClass.UNAVAILABLE)
    assert (await house.run()).status is RunStatus.PARTIAL


async def test_a_pause_that_was_asked_for_is_kept_and_then_the_unit_goes_on(house):
    await house.begin()
    house.source.fail(Unavailable("429", retry_after=90 * SECOND), on=("features", 1))
    process = house.process()
    driven = process.starts(process.executor.drive("run-1"))

    await house.time.pass_(89 * SECOND)
    assert len(house.source.calls("features", 1)) == 1
    assert not driven.done()

    await house.time.pass_(2 * SECOND)
    assert len(house.source.calls("features", 1)) == 2
    assert (await driven).status is RunStatus.SUCCESS


async def test_a_defect_in_one_unit_does_not_stop_the_others(house):
    await house.begin()
    house.source.fail(KeyError("secret"), on=("tests", 1))

    await house.process().executor.work_due()

    unit = await unit_of(house)
    assert (unit.state, unit.error_class) == (UnitState.FAILED, ErrorClass.OURS)
    assert unit.error == "unexpected KeyError: the log of its process has the trace"
    assert (await house.run()).status is RunStatus.PARTIAL


async def test_a_story_without_an_outcome_has_failed(house):
    class Forgetful:
        async def carry_out(self, desk) -> None:
            await desk.keep(Step())

    await house.begin()
    process = house.process()
    process.executor.stories[SyncPhase.FEATURES] = Forgetful()

    await process.executor.work_due()

    unit = await unit_of(house, SyncPhase.FEATURES)
    assert unit.error == "the story of features ended without an outcome"


async def test_a_customer_that_this_process_does_not_know_fails_the_unit(house):
    await house.begin()
    process = house.process()
    del process.executor.sources.by_name["acme"]

    await process.executor.work_due()

    unit = await unit_of(house, SyncPhase.PRODUCTS, None)
    assert (unit.state, unit.error_class) == (UnitState.FAILED, ErrorClass.REFUSED)


async def test_what_a_killed_process_held_is_taken_over_after_its_term(house):
    await house.begin()
    killed, other = house.process(), house.process()
    killed.tests.instead = Stuck()
    killed.starts(killed.executor.work_due())
    await settle()
    await killed.dies()

    await other.executor.work_due()
    assert other.tests.ended == []

    await house.time.pass_(11 * SECOND)
    await other.executor.work_due()
    assert sorted(other.tests.ended) == [1, 2]
    assert (await house.run()).status is RunStatus.SUCCESS


async def test_a_process_that_stops_gives_its_units_back_at_once(house):
    await house.begin()
    stopped, other = house.process(), house.process()
    stopped.tests.instead = Stuck()
    stopped.starts(stopped.executor.work_due())
    await settle()

    await stopped.stops()
    await other.executor.work_due()

    assert sorted(other.tests.ended) == [1, 2]
    assert (await unit_of(house)).attempt == 1


async def test_a_driver_that_stops_gives_its_units_back_at_once(house):
    await house.begin()
    stopped, other = house.process(), house.process()
    stopped.tests.instead = Stuck()
    stopped.starts(stopped.executor.drive("run-1"))
    await house.time.pass_(SECOND)

    await stopped.stops()
    await other.executor.work_due()

    assert sorted(other.tests.ended) == [1, 2]


async def test_a_process_that_stops_and_reaches_nobody_ends_all_the_same(house):
    await house.begin()
    process = house.process()
    process.tests.instead = Stuck()
    working = process.starts(process.executor.work_due())
    await settle()

    await process.dies()

    assert working.cancelled()


async def test_a_unit_that_ends_its_process_each_time_is_given_up(house):
    await house.begin()
    for _ in range(10):
        killed = house.process()
        killed.tests.instead = Stuck()
        killed.starts(killed.executor.work_due())
        await settle()
        await killed.dies()
        await house.time.pass_(11 * SECOND)

    await house.process().executor.work_due()

    unit = await unit_of(house)
    assert unit.error_class is ErrorClass.OURS
    assert "claimed 10 times without an end" in unit.error


async def test_a_unit_that_goes_on_later_any_number_of_times_is_not_given_up(house):
    turns = []

    class Long:
        async def carry_out(self, desk) -> None:
            turns.append(desk.claimed.product)
            over = turns.count(desk.claimed.product) == 30
            await desk.keep(Step(outcome=Done() if over else Later(desk.clock(), "more")))

    await house.begin()
    process = house.process()
    process.executor.stories[SyncPhase.FEATURES] = Long()

    await process.executor.work_due()

    assert len(turns) == 60
    assert (await house.run()).status is RunStatus.SUCCESS


async def test_setbacks_without_end_fail_the_unit_at_the_twentieth(house):
    await house.begin(SyncPhase.PRODUCTS)
    house.source.fail(Unavailable("429", retry_after=SECOND), times=99)
    process = house.process()

    for _ in range(25):
        await process.executor.work_due()
        await house.time.pass_(2 * SECOND)

    assert len(house.source.calls()) == 20
    unit = await unit_of(house, SyncPhase.PRODUCTS, None)
    assert unit.error_class is ErrorClass.UNAVAILABLE
    assert unit.error == "429 (after 20 attempts)"


async def test_a_store_that_is_away_when_an_outcome_is_kept_leaves_the_unit_to_its_claims_end(
    house,
):
    await house.begin()
    process = house.process()

    async def cut_off(_desk) -> None:
        process.units.is_away = True

    process.tests.instead = cut_off
    with pytest.raises(Unavailable):
        await process.executor.work_due()

    process.units.is_away, process.tests.instead = False, None
    await house.time.pass_(11 * SECOND)
    await process.executor.work_due()
    assert (await house.run()).status is RunStatus.SUCCESS


async def test_a_conflict_drops_the_unit_and_commits_no_failure(house):
    async def late(_desk) -> None:
        raise Conflict("the claim is lost")

    await house.begin()
    process = house.process()
    process.tests.instead = late

    await process.executor.work_due()

    outcomes = [step.outcome for _, _, step in process.units.committed]
    assert not any(isinstance(each, Failed) for each in outcomes)
