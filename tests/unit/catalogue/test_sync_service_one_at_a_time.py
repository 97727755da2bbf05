"""One sync of a customer at a time, whoever asks, and for as long as it lives."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from syncsvc.catalogue.locks.file import FileLock
from syncsvc.catalogue.locks.lease import LeaseLock
from syncsvc.catalogue.memory import MemorySync
from syncsvc.catalogue.model import IfRunning, RunStatus
from syncsvc.catalogue.ports import Customer, LockHeld, RunFilter
from syncsvc.catalogue.request import Request
from syncsvc.errors import Unavailable
from tests.support.builders import MINUTE, SECOND, ids
from tests.support.syncing import FAIL, JOIN, World


@pytest.fixture
def world() -> World:
    return World()


async def statuses(world: World) -> list[RunStatus]:
    return [run.status for run in await world.record.runs(RunFilter(limit=100))][::-1]


async def test_who_does_not_wait_is_told_at_once_which_run_it_is_and_what_to_do(world):
    first = world.process(busy=True)
    run_id = await first.begins()

    with pytest.raises(LockHeld) as caught:
        await world.process().syncs.execute_sync(request=FAIL)

    assert caught.value.run_id == run_id
    assert f"run {run_id} of the task workers for 0 s now" in str(caught.value)
    assert f"syncsvc sync cancel {run_id}" in str(caught.value)
    assert world.pauses == []
    await first.ends()


async def test_who_waits_goes_on_when_the_other_is_through(world):
    first = world.process(busy=True)
    await first.begins()
    world.at_pause = lambda: first.hands.may_go.set() if len(world.pauses) == 3 else None

    result = await world.process().syncs.execute_sync()

    assert (result.status, result.joined) == (RunStatus.SUCCESS, False)
    assert await statuses(world) == [RunStatus.SUCCESS, RunStatus.SUCCESS]
    assert (await first.task).run_id != result.run_id


async def test_who_waits_gives_up_after_thirty_seconds(world):
    first = world.process(busy=True)
    run_id = await first.begins()

    with pytest.raises(LockHeld, match=run_id):
        await world.process().syncs.execute_sync()

    assert sum(world.pauses) == pytest.approx(30)
    assert all(0.2 <= pause <= 1 for pause in world.pauses[:-1])
    await first.ends()


async def test_patience_is_as_long_as_was_asked_for(world):
    first = world.process(busy=True)
    await first.begins()

    with pytest.raises(LockHeld):
        await world.process().syncs.execute_sync(request=Request(patience=2 * SECOND))

    assert sum(world.pauses) == pytest.approx(2)
    await first.ends()


async def test_who_joins_helps_with_the_run_and_gets_its_result(world):
    first, second = world.process(busy=True), world.process()
    run_id = await first.begins()

    result = await second.syncs.execute_sync(request=JOIN)

    assert (result.run_id, result.joined, result.status) == (run_id, True, RunStatus.SUCCESS)
    assert second.hands.drives == [run_id]
    assert (await first.ends()).joined is False
    assert await statuses(world) == [RunStatus.SUCCESS]


async def test_who_joins_what_a_process_drives_alone_only_waits_for_its_end(world, tmp_path):
    first = world.process(FileLock(tmp_path / "lock", world.clock), "host:1", busy=True)
    second = world.process(FileLock(tmp_path / "lock", world.clock), "host:2")
    run_id = await first.begins()
    told = []
    world.at_pause = lambda: first.hands.may_go.set() if len(world.pauses) == 3 else None

    result = await second.syncs.execute_sync(
        request=replace(JOIN, progress=lambda run, _: told.append(run.status))
    )

    assert (result.run_id, result.joined, result.status) == (run_id, True, RunStatus.SUCCESS)
    assert second.hands.drives == []
    assert told[-1] is RunStatus.SUCCESS


async def test_who_joins_one_that_dies_finds_it_abandoned(world, tmp_path):
    first = world.process(FileLock(tmp_path / "lock", world.clock), "host:1", busy=True)
    second = world.process(FileLock(tmp_path / "lock", world.clock), "host:2")
    run_id = await first.begins(lives=False)

    result = await second.syncs.execute_sync(request=JOIN)

    assert (result.run_id, result.status) == (run_id, RunStatus.ABANDONED)
    assert 15 <= result.duration_seconds < 17
    first.task.cancel()
    await asyncio.wait({first.task})


async def test_a_stopped_joiner_leaves_the_run_to_the_others(world):
    first, second = world.process(busy=True), world.process(busy=True)
    run_id = await first.begins()
    await second.begins(JOIN)

    second.task.cancel()
    await asyncio.wait({second.task})

    assert (await world.record.run(run_id)).status is RunStatus.RUNNING
    assert (await first.ends()).status is RunStatus.SUCCESS


async def test_starting_with_join_gives_the_run_that_is_there(world):
    syncs = world.process().syncs
    started = await syncs.start()

    assert (await syncs.start(request=JOIN)).id == started.id
    with pytest.raises(LockHeld):
        await syncs.start(request=FAIL)


@pytest.mark.parametrize("kind", ["lease", "file"])
async def test_one_that_lives_for_two_hours_stays_the_only_one(world, tmp_path, kind):
    holder = None if kind == "lease" else "host:"

    def lock():
        if kind == "lease":
            return LeaseLock(world.leases)
        return FileLock(tmp_path / "lock", world.clock)

    first = world.process(lock(), holder and holder + "1", busy=True)
    second = world.process(lock(), holder and holder + "2")
    await first.begins()
    world.each_look = 10 * SECOND

    with pytest.raises(LockHeld, match="for 7200 s now"):
        await second.syncs.execute_sync(request=Request(patience=timedelta(hours=2)))

    assert second.hands.drives == []
    assert await statuses(world) == [RunStatus.RUNNING]
    assert (await first.ends()).status is RunStatus.SUCCESS


async def test_a_process_that_died_alone_gives_way_when_its_silence_is_long_enough(world):
    first, second = (world.process(holder=f"{host}:1", busy=True) for host in ("one", "two"))
    dead = await first.begins(lives=False)
    second.hands.may_go.set()

    with capture_logs() as logs:
        result = await second.syncs.execute_sync()

    assert sum(world.pauses) == pytest.approx(15, abs=1)
    assert result.status is RunStatus.SUCCESS
    assert (await world.record.run(dead)).status is RunStatus.ABANDONED
    assert (await world.record.run(result.run_id)).resumed_from == dead
    assert [line["gone"] for line in logs if line["log_level"] == "warning"] == [dead]
    assert any(dead in warning for warning in result.warnings)
    first.task.cancel()
    await asyncio.wait({first.task})


async def test_who_has_the_file_lock_knows_at_once_that_a_run_of_its_host_is_dead(world, tmp_path):
    first = world.process(FileLock(tmp_path / "lock", world.clock), "host:1", busy=True)
    dead = await first.begins(lives=False)
    await first.lock.release("acme", dead, (await world.record.run(dead)).lease_token)

    second = world.process(FileLock(tmp_path / "lock", world.clock), "host:2")
    result = await second.syncs.execute_sync(request=FAIL)

    assert result.status is RunStatus.SUCCESS
    assert (await world.record.run(dead)).status is RunStatus.ABANDONED
    first.task.cancel()
    await asyncio.wait({first.task})


async def test_task_workers_that_are_all_gone_give_way_to_one_who_waited_in_vain(world):
    abandoned = await world.process().syncs.start()

    result = await world.process().syncs.execute_sync()

    assert sum(world.pauses) == pytest.approx(30)
    assert result.status is RunStatus.SUCCESS
    assert (await world.record.run(abandoned.id)).status is RunStatus.ABANDONED


async def test_task_workers_that_were_silent_for_a_while_do_not_give_way_at_once(world):
    await world.process().syncs.start()
    world.clock.pass_(20 * MINUTE)

    with pytest.raises(LockHeld, match=r"last sign of life 1200 s ago"):
        await world.process().syncs.execute_sync(request=FAIL)

    assert await statuses(world) == [RunStatus.RUNNING]


async def test_a_shared_run_is_dead_after_half_an_hour_whoever_asks(world):
    await world.process().syncs.start()
    world.clock.pass_(31 * MINUTE)

    await world.process().syncs.execute_sync(request=FAIL)

    assert await statuses(world) == [RunStatus.ABANDONED, RunStatus.SUCCESS]


async def test_a_lock_that_an_ended_run_has_left_is_free(world):
    process = world.process(busy=True)
    run_id = await process.begins()
    await world.record.close(run_id, RunStatus.FAILED, world.clock(), reason="by its last unit")

    run = await world.process().syncs.start(request=FAIL)

    assert run.status is RunStatus.RUNNING
    await process.ends()


async def test_a_lock_without_a_run_is_waited_for_and_told(world):
    await LeaseLock(world.leases).acquire("acme", "about-to-begin")

    with pytest.raises(LockHeld, match=r"held by run about-to-begin.*try again soon"):
        await world.process().syncs.execute_sync(request=FAIL)
    with pytest.raises(LockHeld):
        await world.process().syncs.execute_sync(request=replace(JOIN, patience=SECOND))


async def test_two_syncs_in_one_process_take_turns_and_the_loop_goes_on(world, tmp_path):
    process = world.process(FileLock(tmp_path / "lock", world.clock), "host:1", busy=True)
    await process.begins()
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    world.at_pause = lambda: process.hands.may_go.set() if len(world.pauses) == 20 else None

    second = await process.syncs.execute_sync()

    ticking.cancel()
    assert ticks >= len(world.pauses) >= 20
    assert (await process.task).status is second.status is RunStatus.SUCCESS
    assert len(process.hands.drives) == 2


async def test_a_run_that_was_given_up_leaves_this_process_before_the_next_begins(world):
    process = world.process(busy=True)
    first = await process.begins(lives=False)
    await world.process().syncs.cancel(first)

    with pytest.raises(LockHeld):
        await process.syncs.execute_sync(request=FAIL)
    await process.ends()

    assert (await process.syncs.execute_sync(request=FAIL)).status is RunStatus.SUCCESS


async def test_a_run_that_finds_its_turn_taken_is_taken_back(world):
    class Slow(LeaseLock):
        async def acquire(self, customer, run_id):
            await process.syncs._part.turns.take(customer)
            return await super().acquire(customer, run_id)

    process = world.process(Slow(world.leases))

    with pytest.raises(LockHeld, match="try again soon"):
        await process.syncs.execute_sync(request=FAIL)

    assert await statuses(world) == [RunStatus.CANCELLED]
    assert await process.lock.holder("acme") is None


@pytest.mark.parametrize("was_recorded", [True, False])
async def test_a_beginning_that_fails_leaves_neither_lock_nor_run(was_recorded):
    class Failing(MemorySync):
        async def begin(self, new):
            if was_recorded:
                await super().begin(new)
            raise Unavailable("no answer")

    world = World(record=Failing(ids()))
    process = world.process()

    with pytest.raises(Unavailable, match="no answer"):
        await process.syncs.execute_sync()

    assert await statuses(world) == [RunStatus.CANCELLED] * was_recorded
    assert await process.lock.holder("acme") is None


async def test_a_lock_that_cannot_be_given_back_does_not_spoil_the_result(world):
    class Lost(LeaseLock):
        async def release(self, customer, run_id, token):
            raise Unavailable("Redis is away")

    with capture_logs() as logs:
        result = await world.process(Lost(world.leases)).syncs.execute_sync()

    assert result.status is RunStatus.SUCCESS
    assert [line["reason"] for line in logs] == ["Redis is away"]


async def test_two_customers_do_not_disturb_each_other():
    world = World(customers=(Customer("acme"), Customer("other")))
    process = world.process(busy=True)
    await process.begins(Request("acme"))
    process.hands.may_go.set()

    result = await process.syncs.execute_sync(request=Request("other", if_running=IfRunning.FAIL))

    assert (result.customer, result.status) == ("other", RunStatus.SUCCESS)
    assert (await process.task).status is RunStatus.SUCCESS
