"""Beat starts syncs on their timetable, and clears away what has died."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from syncsvc.catalogue.locks.lease import LeaseLock
from syncsvc.catalogue.memory import MemorySync
from syncsvc.catalogue.model import RunStatus, Trigger
from syncsvc.catalogue.ports import Customer, RunFilter
from syncsvc.catalogue.request import Request, SyncTerms
from syncsvc.catalogue.work import Later, Step
from syncsvc.errors import Unavailable
from tests.support.builders import MINUTE, NOON, SECOND, ids
from tests.support.syncing import TERM, World

THREE = tuple(Customer(name) for name in ("one", "two", "three"))


async def customers(world: World) -> list[str]:
    return [run.order.customer for run in await world.record.runs(RunFilter(limit=100))][::-1]


async def over(world: World) -> None:
    for run in await world.record.runs(RunFilter(status=RunStatus.RUNNING)):
        await world.process().syncs.cancel(run.id)


async def test_each_customer_is_started_at_its_own_moment_once():
    world = World(customers=THREE)
    syncs = world.process().syncs
    await syncs.start_due()  # the slots before noon, and the first at noon
    await over(world)
    started = []

    for _ in range(14):
        world.clock.pass_(MINUTE)
        before = await customers(world)
        await syncs.start_due()
        started += [
            (name, world.clock() - NOON) for name in (await customers(world))[len(before) :]
        ]

    assert started == [("two", 5 * MINUTE), ("three", 10 * MINUTE)]


async def test_what_beat_starts_says_so():
    world = World()

    assert await world.process().syncs.start_due() == 1

    (run,) = await world.record.runs(RunFilter())
    assert run.order.trigger is Trigger.BEAT
    assert world.nudges.sent == [world.terms.woken]


async def test_where_syncs_begin_only_when_asked_for_beat_starts_none():
    world = World(terms=SyncTerms(by_itself=False))

    assert await world.process().syncs.start_due() == 0
    assert (await world.process().syncs.start()).status is RunStatus.RUNNING


async def test_the_record_of_old_runs_is_removed_but_that_of_the_newest():
    world = World()
    syncs = world.process().syncs
    for _ in range(3):
        await syncs.execute_sync()
    world.clock.pass_(timedelta(days=2))

    assert await syncs.forget(timedelta(days=3)) == 0
    assert await syncs.forget(timedelta(days=1)) == 2


async def test_two_beats_start_a_sync_once():
    world = World()

    counts = [await world.process().syncs.start_due() for _ in range(2)]

    assert counts == [1, 0]
    assert await customers(world) == ["acme"]


async def test_a_day_without_beat_is_caught_up_on_once():
    world = World()
    syncs = world.process().syncs
    await syncs.start_due()
    await over(world)
    world.clock.pass_(timedelta(days=1))

    counts = [await syncs.start_due() for _ in range(3)]

    assert counts == [1, 0, 0]


async def test_while_one_runs_the_next_is_left_out_and_that_is_told():
    world = World()
    syncs = world.process().syncs
    run = await syncs.start()

    assert await syncs.start_due() == 0

    skipped = (await world.record.events(run.id))[-1]
    assert (skipped.kind, skipped.customer) == ("skipped", "acme")
    assert "the sync due at 2026-01-01T12:00:00+00:00 is left out" in skipped.message
    assert await customers(world) == ["acme"]


async def test_one_customer_that_cannot_be_started_does_not_stop_the_others():
    class Picky(MemorySync):
        async def begin(self, new):
            if new.order.customer == "one":
                raise Unavailable("not now")
            return await super().begin(new)

    world = World(customers=THREE, record=Picky(ids()))

    with capture_logs() as logs:
        assert await world.process().syncs.start_due() == 2

    assert await customers(world) == ["two", "three"]
    assert ("one", "not now") in [(line.get("customer"), line["reason"]) for line in logs]


async def test_a_start_that_was_prevented_for_now_is_tried_again_at_the_next_tick():
    class Flaky(MemorySync):
        fails = True

        async def begin(self, new):
            if self.fails:
                raise Unavailable("not now")
            return await super().begin(new)

    world = World(record=Flaky(ids()))
    beats = [world.process().syncs for _ in range(2)]

    counts = [await beat.start_due() for beat in beats]
    world.record.fails = False
    counts += [await beat.start_due() for beat in beats]

    assert counts == [0, 0, 1, 0]
    assert await customers(world) == ["acme"]


async def test_a_run_whose_units_are_put_off_is_not_closed():
    world = World()
    syncs = world.process().syncs
    run = await syncs.start()
    claimed = await world.record.claim(world.clock(), TERM)
    later = Later(world.clock() + 60 * MINUTE, "429", is_setback=True)
    await world.record.commit(claimed, Step(outcome=later), world.clock())

    world.clock.pass_(59 * MINUTE)
    assert await syncs.reap() == 0
    world.clock.pass_(32 * MINUTE)
    assert await syncs.reap() == 1

    assert (await syncs.run(run.id)).status is RunStatus.ABANDONED


async def test_without_task_workers_nothing_starts_by_itself():
    world = World()

    with capture_logs() as logs:
        assert await world.process(holder="host:1").syncs.start_due() == 0

    assert "needs Redis" in logs[0]["reason"]


@pytest.mark.parametrize(("holder", "limit"), [("host:1", 15 * SECOND), (None, 30 * MINUTE)])
async def test_a_run_without_a_sign_of_life_is_closed_and_its_lock_freed(holder, limit):
    world = World()
    process = world.process(holder=holder, busy=True)
    run_id = await process.begins(lives=False)

    world.clock.pass_(limit - SECOND)
    assert await process.syncs.reap() == 0
    world.clock.pass_(2 * SECOND)
    assert await process.syncs.reap() == 1

    run = await world.record.run(run_id)
    assert run.status is RunStatus.ABANDONED
    assert "no sign of life" in run.error
    assert await process.lock.holder("acme") is None
    assert await process.syncs.reap() == 0
    await process.ends()


async def test_task_workers_are_woken_up_for_a_run_that_stalls():
    world = World()
    syncs = world.process().syncs
    await syncs.start()
    world.nudges.sent.clear()

    await syncs.reap()
    assert world.nudges.sent == []

    world.clock.pass_(16 * SECOND)
    assert await syncs.reap() == 0
    assert world.nudges.sent == [1]


async def test_one_dead_run_that_cannot_be_closed_does_not_stop_the_others():
    class Picky(MemorySync):
        async def close(self, run_id, *args, **more):
            if (await self.run(run_id)).order.customer == "one":
                raise Unavailable("not now")
            return await super().close(run_id, *args, **more)

    world = World(customers=THREE[:2], record=Picky(ids()))
    syncs = world.process().syncs
    for name in ("one", "two"):
        await syncs.start(request=Request(name))
    world.clock.pass_(31 * MINUTE)

    assert await syncs.reap() == 1

    (running,) = await world.record.runs(RunFilter(status=RunStatus.RUNNING))
    assert running.order.customer == "one"


async def test_a_run_that_has_ended_meanwhile_is_not_counted_as_dead():
    class Quick(MemorySync):
        async def dead(self, shared_since, alone_since):
            found = await super().dead(shared_since, alone_since)
            for run in found:
                await self.close(run.id, RunStatus.CANCELLED, world.clock(), reason="just now")
            return found

    world = World(record=Quick(ids()))
    syncs = world.process(LeaseLock(world.leases)).syncs
    await syncs.start()
    world.clock.pass_(31 * MINUTE)

    assert await syncs.reap() == 0
