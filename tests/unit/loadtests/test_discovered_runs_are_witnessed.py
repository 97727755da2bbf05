"""TestRuns that nobody registered are seen although they live between two cycles."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from syncsvc.loadtests.cycle import CycleRunner
from syncsvc.loadtests.jobs import JobDefaults
from syncsvc.loadtests.listeners import AttendanceTerms
from syncsvc.loadtests.model import LogsState, Phase, Reason, Result
from syncsvc.loadtests.polling import Polling
from syncsvc.loadtests.seen import Stage
from syncsvc.loadtests.witness import Witness
from tests.support.builders import MINUTE, SECOND
from tests.support.clusters import FakeClusters, a_test_run, stamped
from tests.support.virtual_time import AtOnce, VirtualTime, settle
from tests.unit.loadtests.watch import Watch

K6 = {"app": "k6"}
INTERVAL = 5 * MINUTE


class World(Watch):
    """A watch whose process polls by itself, far apart, and discovers `app=k6`."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        super().__init__(discovers="app=k6", clock=self.time.clock)
        asyncio.get_running_loop().set_default_executor(AtOnce())
        discovery, clusters = self._discovery(), FakeClusters(self.clusters)
        terms = AttendanceTerms(self.time.pause, patience=timedelta(0))
        witness = Witness(clusters, self.tests, self.logs, terms, discovery)
        runner = CycleRunner(
            witness, self.tests, self.cycles, self.logs, self.terms, self.clock, discovery
        )
        defaults, pause = JobDefaults(interval=INTERVAL), self.time.pause
        self.polling = Polling(runner, self.control, defaults, "a", self.clock, pause, witness)

    async def passes(self, time: timedelta) -> None:
        await self.time.pass_(time)
        await settle()

    async def cycles_of(self, time: timedelta) -> int:
        before = self.shelf.fence
        await self.passes(time)
        return self.shelf.fence - before


@pytest.fixture
async def world():
    world = World()
    await world.polling.poll()
    await settle()
    yield world
    await world.polling.close()


async def test_one_that_cleans_up_is_kept_with_its_log(world):
    world.main.launch("smoke", labels=K6, cleans_up=True)
    await world.passes(3 * SECOND)
    world.main.emit("smoke", stamped(1))
    await settle()
    world.main.end("smoke", 0)
    await settle()
    world.main.remove("smoke")
    for _ in range(20):
        await world.passes(SECOND)

    step = await world.step("smoke")
    assert (step.result, step.logs) == (Result.SUCCEEDED, LogsState.COMPLETE)


async def test_one_that_is_gone_before_a_cycle_looks_keeps_its_verdict(world):
    made = a_test_run("bad", "load", stage=None, labels=K6, cleans_up=True)
    for run in (made, replace(made, stage=Stage.ERROR)):
        world.main.put_run(run)
    world.main.remove("bad")
    await world.passes(3 * SECOND)

    step = await world.step("bad")
    assert (step.phase, step.reason) == (Phase.ERROR, Reason.INIT_FAILED)


async def test_one_of_the_same_name_is_not_taken_for_the_one_before(world):
    for uid in ("first", "second"):
        run = a_test_run("bad", "load", uid=uid, stage=Stage.ERROR, labels=K6, cleans_up=True)
        world.main.put_run(run)
        world.main.remove("bad")
        await world.passes(3 * SECOND)

    assert sorted(step.uid for step in world.shelf.steps.values()) == ["first", "second"]


async def test_a_step_that_waits_is_not_given_the_end_of_an_older_run_of_its_name(world):
    run = a_test_run("load", "load", stage=Stage.ERROR, labels=K6, cleans_up=True)
    world.main.put_run(run)
    world.main.remove("load")
    await world.passes(3 * SECOND)

    waits = await world.watched("load")
    await world.passes(INTERVAL + MINUTE)

    step = await world.tests.step(waits.id)
    assert (step.phase, step.uid) == (Phase.PENDING, None)


async def test_what_a_cycle_knows_asks_for_no_other(world):
    world.main.launch("long", labels=K6)
    await world.passes(3 * SECOND)
    run = world.main.runs["load", "long"]

    for parallelism in range(2, 9):  # whatever else changes in it
        world.main.put_run(replace(run, parallelism=parallelism))
    world.main.launch("shop", labels={"app": "shop"})  # and what is not to be discovered

    assert await world.cycles_of(10 * SECOND) == 0
