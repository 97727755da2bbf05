"""Who waits sees news, runs cycles where nobody else does, and gives up in time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from syncsvc.cli.loadtests.polling import StandIn
from syncsvc.cli.loadtests.telling import Teller
from syncsvc.cli.loadtests.waiting import Waiting
from syncsvc.errors import Unavailable
from syncsvc.loadtests.jobs import JobDefaults, SyncJobs
from syncsvc.loadtests.memory import MemoryControl
from syncsvc.loadtests.memory_rows import Shelf
from syncsvc.loadtests.model import LogsState, Phase, Result, Step
from syncsvc.loadtests.ports import CycleReport
from tests.support.builders import MINUTE, SECOND
from tests.support.load_tests import a_change, a_step, a_turn
from tests.support.virtual_time import VirtualTime, settle

OVER = {"phase": Phase.FINISHED, "result": Result.SUCCEEDED}


class Told(Teller):
    """Notes what is said."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def tell(self, steps) -> None:
        self.world.told.extend(steps)

    def say(self, line: str) -> None:
        self.world.said.append(line)


@dataclass
class Polling:
    """Takes the turn when a cycle is due."""

    control: MemoryControl
    clock: Callable[[], datetime]
    cycles: int = 0

    async def poll(self) -> CycleReport | None:
        job = await self.control.job()
        turn = a_turn("me", version=job.version, interval=20 * SECOND)
        if not await self.control.take_due(turn, self.clock()):
            return None
        await self.control.done("me")
        self.cycles += 1
        return CycleReport()


@dataclass
class World:
    """A watch as who waits needs it; each look at the steps may change them, or fail."""

    time: VirtualTime = field(default_factory=VirtualTime)
    control: MemoryControl = field(default_factory=lambda: MemoryControl(Shelf()))
    step: Step = field(default_factory=a_step)
    at_look: Callable[[], None] = lambda: None
    said: list[str] = field(default_factory=list)
    told: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = self.time.clock
        self.jobs = SyncJobs(self.control, JobDefaults(), self.clock)
        self.polling = Polling(self.control, self.clock)
        self.tests = self

    async def steps_of(self, test_ids) -> list[Step]:
        self.at_look()
        return [self.step]

    async def waits(self, timeout: timedelta | None = None) -> Step:
        """Wait, and let time pass until that ends."""
        waiting = Waiting(self, Told(self), self.clock, self.time.pause)
        task = asyncio.create_task(waiting.until_over([self.step], timeout))
        for _ in range(200):
            await settle()
            if task.done():
                break
            await self.time.pass_(SECOND)
        (step,) = await asyncio.wait_for(task, 1)
        return step

    def becomes(self, *changes: dict) -> None:
        """Change the step with each look."""
        left = list(changes)

        def change() -> None:
            if left:
                self.step = replace(self.step, **left.pop(0))

        self.at_look = change


async def test_it_waits_until_steps_are_over_and_their_logs_are_read():
    world = World()
    world.becomes({}, {"phase": Phase.RUNNING}, OVER, {"logs": LogsState.COMPLETE})

    step = await world.waits()

    assert (step.result, step.logs) == (Result.SUCCEEDED, LogsState.COMPLETE)
    assert [each.phase for each in world.told][1:] == [
        Phase.RUNNING,
        Phase.FINISHED,
        Phase.FINISHED,
    ]


async def test_logs_that_are_never_whole_are_waited_for_half_a_minute():
    world = World(step=a_step(**OVER))
    began = world.clock()

    await world.waits()

    assert world.clock() - began == 30 * SECOND


async def test_it_waits_no_longer_than_it_may():
    world = World()
    began = world.clock()

    step = await world.waits(10 * SECOND)

    assert (step.is_over, world.clock() - began) == (False, 10 * SECOND)


async def test_a_database_that_is_away_for_a_while_ends_no_wait():
    world = World()
    world.becomes(OVER, {"logs": LogsState.COMPLETE})
    change, looks = world.at_look, []

    def look() -> None:
        looks.append(1)
        if len(looks) < 30:
            raise Unavailable("the database did not serve")
        change()

    world.at_look = look

    assert (await world.waits()).result is Result.SUCCEEDED


async def test_a_database_that_stays_away_ends_it():
    world = World()
    began = world.clock()

    def look() -> None:
        raise Unavailable("the database did not serve")

    world.at_look = look

    with pytest.raises(Unavailable):
        await world.waits()
    assert world.clock() - began == MINUTE


async def test_a_sync_job_that_is_stopped_is_told():
    world = World()
    await world.jobs.stop("somebody")

    await world.waits(SECOND)

    assert world.said[0].startswith("warning: the sync job is stopped")


class TestStandIn:
    async def test_a_cycle_that_nobody_begins_is_run_and_the_next_at_once_when_due(self):
        world = World()
        stand_in = StandIn(world, world.clock)
        ran = []

        for _ in range(30):
            await stand_in.look()
            ran.append(world.polling.cycles)
            await world.time.pass_(SECOND)

        assert ran == [*[0] * 3, *[1] * 20, *[2] * 7]

    async def test_cycles_are_left_to_task_workers_where_there_are_some(self):
        world = World()
        stand_in = StandIn(world, world.clock)

        for second in range(100):
            if second % 20 == 2:
                await world.control.take_due(a_turn("worker"), world.clock())
                await world.control.done("worker")
            await stand_in.look()
            await world.time.pass_(SECOND)

        assert world.polling.cycles == 0

    async def test_while_the_job_is_stopped_none_is_run(self):
        world = World()
        await world.control.change(0, a_change(enabled=False, due_at=None), world.clock())
        stand_in = StandIn(world, world.clock)

        for _ in range(10):
            await stand_in.look()
            await world.time.pass_(SECOND)

        assert world.polling.cycles == 0
