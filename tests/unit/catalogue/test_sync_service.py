"""A sync is one call: it begins, is worked on, and tells what came of it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from syncsvc.catalogue.memory import MemorySync
from syncsvc.catalogue.model import (
    Counts,
    ErrorClass,
    RunStatus,
    SyncPhase,
    SyncScope,
    Trigger,
    UnitState,
)
from syncsvc.catalogue.ports import Customer, RunFilter
from syncsvc.catalogue.request import Request, SyncTerms
from syncsvc.catalogue.work import Failed, Step
from syncsvc.errors import Conflict, Rejected, Unavailable, Unknown
from tests.support.builders import SECOND, ids
from tests.support.catalogue import new_run
from tests.support.syncing import World, done

PRODUCTS, FEATURES, NEW_TESTS = SyncPhase


@pytest.fixture
def world() -> World:
    return World()


async def test_phases_are_carried_out_in_their_order_however_they_are_asked_for(world):
    process = world.process()

    result = await process.syncs.execute_sync([NEW_TESTS, PRODUCTS, FEATURES])

    phases = [phase for phase, _ in process.hands.works]
    assert phases[0] is PRODUCTS
    assert set(phases) == {PRODUCTS, FEATURES, NEW_TESTS}
    assert result.phases_completed == (PRODUCTS, FEATURES, NEW_TESTS)


async def test_a_result_has_numbers_for_each_phase_and_in_total(world):
    def step(claimed):
        return Step(found=done(claimed).found, spent=Counts(calls=3), outcome=done(claimed).outcome)

    process = world.process()
    process.hands.step = step

    result = await process.syncs.execute_sync()

    assert {name: counts.calls for name, counts in result.stats.items()} == {
        "products": 3,
        "features": 6,
        "new_tests": 6,
        "total": 15,
    }
    assert result.stats["products"].created == 2
    assert (result.status, result.joined, result.errors) == (RunStatus.SUCCESS, False, ())


async def test_only_the_phases_that_were_asked_for_have_numbers(world):
    result = await world.process().syncs.execute_sync([PRODUCTS])

    assert set(result.stats) == {"products", "total"}
    assert result.phases_completed == (PRODUCTS,)


async def test_a_result_says_how_long_it_took(world):
    process = world.process()

    def step(claimed):
        world.clock.pass_(2 * SECOND)
        return done(claimed)

    process.hands.step = step

    assert (await process.syncs.execute_sync()).duration_seconds == 10


async def test_a_result_of_a_run_that_goes_on_says_how_long_it_has_taken(world):
    process = world.process(busy=True)
    run_id = await process.begins()
    world.clock.pass_(7 * SECOND)

    result = await process.syncs.result(run_id)

    assert (result.status, result.duration_seconds) == (RunStatus.RUNNING, 7)
    assert result.phases_completed == ()
    await process.ends()


async def test_one_product_that_fails_leaves_the_others_their_success(world):
    def step(claimed):
        if (claimed.unit.phase, claimed.unit.product_id) == (FEATURES, 2):
            return Step(outcome=Failed(ErrorClass.UNAVAILABLE, "503 each time"))
        return done(claimed)

    process = world.process()
    process.hands.step = step

    result = await process.syncs.execute_sync()

    assert result.status is RunStatus.PARTIAL
    assert result.errors == ("features of product 2: 503 each time",)
    assert result.phases_completed == (PRODUCTS, NEW_TESTS)


async def test_refused_credentials_fail_the_run_and_are_told_once(world):
    process = world.process()
    process.hands.step = lambda _: Step(outcome=Failed(ErrorClass.AUTH, "401: token refused"))

    result = await process.syncs.execute_sync()

    assert (result.status, result.error_class) == (RunStatus.FAILED, ErrorClass.AUTH)
    assert result.errors == ("products: 401: token refused",)
    assert result.phases_completed == ()


async def test_warnings_are_repeated_in_the_result(world):
    process = world.process()
    process.hands.step = lambda claimed: Step(
        found=done(claimed).found,
        warnings=["all 3 would be deleted"] if claimed.unit.phase is PRODUCTS else [],
        outcome=done(claimed).outcome,
    )

    (warning,) = (await process.syncs.execute_sync()).warnings

    assert "all 3 would be deleted" in warning


async def test_the_last_event_says_how_long_it_took(world):
    result = await world.process().syncs.execute_sync()

    events = await world.record.events(result.run_id)

    assert events[0].kind == "started"
    assert events[-1].kind == "completed"
    assert " s" in events[-1].message


async def test_progress_is_told_while_it_runs_and_at_its_end(world):
    told = []

    await world.process().syncs.execute_sync(
        request=Request(progress=lambda run, phases: told.append((run.status, len(phases))))
    )

    assert len(told) == 6
    assert told[-1] == (RunStatus.SUCCESS, 3)


async def test_progress_that_cannot_be_read_stops_nothing():
    class Unreadable(MemorySync):
        reads = 0

        async def phases(self, run_id):
            self.reads += 1
            if self.reads < 4:
                raise Unavailable("the database is away")
            return await super().phases(run_id)

    told = []
    process = World(record=Unreadable(ids())).process()
    request = Request(progress=lambda run, _: told.append(run.status))

    result = await process.syncs.execute_sync(request=request)

    assert (result.status, len(told)) == (RunStatus.SUCCESS, 3)


async def test_task_workers_are_woken_up_for_a_shared_run(world):
    await world.process().syncs.execute_sync()

    assert world.nudges.sent == [world.terms.woken]


async def test_nobody_is_woken_up_for_a_run_that_one_process_drives_alone(world):
    result = await world.process(holder="host:1").syncs.execute_sync()

    assert (await world.record.run(result.run_id)).holder == "host:1"
    assert world.nudges.sent == []


async def test_a_started_run_is_left_to_the_task_workers(world):
    process = world.process()

    run = await process.syncs.start(request=Request(trigger=Trigger.API))

    assert (run.status, run.order.trigger) == (RunStatus.RUNNING, Trigger.API)
    assert (process.hands.drives, world.nudges.sent) == ([], [world.terms.woken])
    assert run.id in await process.lock.holder("acme")


async def test_a_started_run_that_has_nothing_to_do_leaves_no_lock(world):
    process = world.process()

    run = await process.syncs.start([FEATURES])

    assert run.status.is_over
    assert await process.lock.holder("acme") is None


async def test_nothing_can_be_left_to_task_workers_that_are_not_there(world):
    with pytest.raises(Rejected, match="needs Redis, found none"):
        await world.process(holder="host:1").syncs.start()


async def test_a_process_that_is_stopped_closes_its_run_and_frees_its_lock(world):
    process = world.process(busy=True)
    run_id = await process.begins()

    process.task.cancel()
    await asyncio.wait({process.task})

    assert process.task.cancelled()
    assert (await world.record.run(run_id)).status is RunStatus.CANCELLED
    assert {unit.state for unit in await world.record.units(run_id)} == {UnitState.CANCELLED}
    assert await process.lock.holder("acme") is None
    process.hands.may_go.set()
    assert (await process.syncs.execute_sync()).status is RunStatus.SUCCESS


async def test_a_record_that_hangs_does_not_keep_a_stopped_process():
    class Hanging(MemorySync):
        async def close(self, *_args, **_more):
            await asyncio.Event().wait()

    process = World(record=Hanging(ids()), terms=SyncTerms(closing=SECOND / 100)).process(busy=True)
    await process.begins()

    process.task.cancel()
    await asyncio.wait({process.task}, timeout=5)

    assert process.task.cancelled()


async def test_a_record_that_cannot_be_reached_does_not_keep_a_stopped_process():
    class Away(MemorySync):
        async def close(self, *_args, **_more):
            raise Unavailable("the database is away")

    process = World(record=Away(ids())).process(busy=True)
    await process.begins()
    process.task.cancel()

    with capture_logs() as logs:
        await asyncio.wait({process.task}, timeout=5)

    assert process.task.cancelled()
    assert [line["reason"] for line in logs] == ["the database is away"]


async def test_a_defect_while_closing_is_told_with_its_trace():
    class Broken(MemorySync):
        async def close(self, *_args, **_more):
            raise KeyError("ours")

    process = World(record=Broken(ids())).process(busy=True)
    await process.begins()
    process.task.cancel()

    with capture_logs() as logs:
        await asyncio.wait({process.task}, timeout=5)

    assert process.task.cancelled()
    assert [type(line["exc_info"]) for line in logs] == [KeyError]


async def test_a_process_that_fails_alone_closes_its_run(world):
    process = world.process(holder="host:1")
    process.hands.failure = Unavailable("no database")

    with pytest.raises(Unavailable):
        await process.syncs.execute_sync()

    (run,) = await world.record.runs(RunFilter())
    assert run.status is RunStatus.FAILED
    assert "no database" in run.error
    assert await process.lock.holder("acme") is None


async def test_task_workers_go_on_when_one_that_helps_them_fails(world):
    process = world.process()
    process.hands.failure = Unavailable("no database")

    with pytest.raises(Unavailable):
        await process.syncs.execute_sync()

    (run,) = await world.record.runs(RunFilter())
    assert run.status is RunStatus.RUNNING
    assert run.id in await process.lock.holder("acme")


async def test_a_run_is_cancelled_by_its_id(world):
    process = world.process(busy=True)
    run_id = await process.begins()

    run = await world.process().syncs.cancel(run_id, reason="enough")

    assert (run.status, run.error) == (RunStatus.CANCELLED, "enough")
    assert await process.lock.holder("acme") is None
    result = await process.ends()
    assert (result.status, result.errors) == (RunStatus.CANCELLED, ("enough",))


async def test_without_an_id_the_run_of_the_customer_is_cancelled(world):
    started = await world.process().syncs.start()

    assert (await world.process().syncs.cancel(customer="acme")).id == started.id


async def test_a_run_that_never_had_a_lock_is_cancelled_too(world):
    run = (await world.record.begin(new_run())).run

    assert (await world.process().syncs.cancel(run.id)).status is RunStatus.CANCELLED


async def test_what_is_over_cannot_be_cancelled(world):
    process = world.process()
    result = await process.syncs.execute_sync()

    with pytest.raises(Conflict, match=f"run {result.run_id}: expected one that runs.*success"):
        await process.syncs.cancel(result.run_id)
    with pytest.raises(Unknown, match="no sync of customer acme runs"):
        await process.syncs.cancel()


async def test_a_run_of_another_customer_is_not_cancelled_by_mistake():
    world = World(customers=(Customer("acme"), Customer("other")))
    process = world.process()
    run = await process.syncs.start(request=Request("acme"))

    with pytest.raises(Unknown, match="expected one of customer other"):
        await process.syncs.cancel(run.id, "other")
    with pytest.raises(Unknown):
        await process.syncs.cancel("nothing")

    assert not (await process.syncs.run(run.id)).status.is_over


async def test_everything_recorded_can_be_read(world):
    syncs = world.process().syncs
    run_id = (await syncs.execute_sync(scope=SyncScope(product_ids=(1,)))).run_id

    assert (await syncs.run(run_id)).id == run_id
    assert [run.id for run in await syncs.history(RunFilter("acme"))] == [run_id]
    assert [phase.phase for phase in await syncs.phases(run_id)] == [PRODUCTS, FEATURES, NEW_TESTS]
    assert [unit.product_id for unit in await syncs.units(run_id)] == [None, 1, 1]
    assert (await syncs.events(run_id))[0].kind == "started"
    assert (await syncs.state()).products == 2
    assert (await syncs.quarantined(), await syncs.retry_quarantined()) == ([], 0)
    assert (syncs.customer(), list(syncs.customers())) == ("acme", ["acme"])
