"""Cycles run when they are due, and one at a time, whoever polls."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from syncsvc.errors import Conflict, Unavailable
from syncsvc.loadtests.jobs import JobDefaults, SyncJobs
from syncsvc.loadtests.polling import KEPT_EVERY, TERM, Polling
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.clusters import FakeCluster
from tests.support.virtual_time import settle
from tests.support.witnessing import WitnessWorld


@dataclass
class SlowCluster(FakeCluster):
    """One that shows nothing before it is let."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def listed(self, namespace, selector=None):
        await self.gate.wait()
        return await super().listed(namespace, selector)


@pytest.fixture
async def world():
    world = WitnessWorld()
    world.launch()
    yield world
    await world.polling.close()


@pytest.fixture
def gate(world) -> asyncio.Event:
    """Let cycles go on to their end when it is set."""
    main = world.main
    slow = SlowCluster(world.clock, main.runs, main.pods, main.jobs, main.logs)
    world.clusters["main"] = slow
    return slow.gate


def jobs(world) -> SyncJobs:
    return SyncJobs(world.polling.control, world.polling.defaults, world.clock)


async def begun(polling: Polling) -> asyncio.Task:
    """Begin a cycle that does not end by itself."""
    task = asyncio.create_task(polling.poll())
    await settle()
    return task


async def test_the_first_cycle_is_due_at_once(world):
    report = await world.poll()

    assert (report.total, report.updated) == (1, 1)


async def test_the_next_cycle_is_due_an_interval_after_the_last_began(world):
    await world.poll()

    reports = []
    for after in (SECOND * 19.9, SECOND * 0.1, SECOND):
        await world.passes(after)
        reports.append(await world.poll())

    assert [report is not None for report in reports] == [False, True, False]


async def test_a_cycle_that_is_late_begins_at_once_and_only_once(world):
    await world.poll()
    await world.passes(10 * MINUTE)

    reports = [await world.poll() for _ in range(3)]

    assert [report is not None for report in reports] == [True, False, False]


async def test_a_stopped_job_runs_no_cycle(world):
    await jobs(world).stop("ann")
    await world.passes(MINUTE)

    assert await world.poll() is None
    assert world.home.fence == 0


async def test_a_job_that_is_started_again_runs_a_cycle_at_once(world):
    await world.poll()
    await jobs(world).stop("ann")
    await jobs(world).start(None, "ann")

    assert await world.poll() is not None


async def test_a_job_that_the_settings_switch_off_runs_no_cycle_until_it_is_started(world):
    world.polling.defaults = JobDefaults(enabled=False)
    before = await world.poll()

    await jobs(world).start(None, "ann")

    assert before is None
    assert await world.poll() is not None


async def test_an_interval_that_is_told_counts_from_the_last_cycle_on(world):
    await world.poll()
    await jobs(world).start(5 * SECOND, "ann")
    await world.passes(5 * SECOND)

    assert await world.poll() is not None


async def test_an_interval_that_is_told_while_a_cycle_runs_leaves_that_alone(world, gate):
    running = await begun(world.polling)
    await jobs(world).start(5 * SECOND, "ann")
    early = await world.another("other").poll()
    gate.set()

    report = await running

    assert early is None
    assert report.updated == 1
    assert (await jobs(world).state()).interval == 5 * SECOND


async def test_of_two_processes_one_runs_a_cycle_at_a_time(world, gate):
    other = world.another("other")
    running = await begun(world.polling)
    await world.passes(MINUTE)

    meanwhile = [await other.poll(), await world.polling.poll()]
    gate.set()

    assert meanwhile == [None, None]
    assert await running is not None
    assert await other.poll() is not None


async def test_a_turn_is_kept_for_as_long_as_its_cycle_takes(world, gate):
    other = world.another("other")
    running = await begun(world.polling)

    polled = []
    for _ in range(100):
        await world.passes(SECOND)
        polled.append(await other.poll())
    gate.set()

    assert polled == [None] * 100
    assert await running is not None


async def test_a_turn_that_cannot_be_kept_for_a_moment_is_kept_the_next_time(world, gate):
    class Flaky(type(world.polling.control)):
        async def keep(self, holder, until):
            if world.time.now < NOON + 2 * KEPT_EVERY:
                raise Unavailable("the database did not serve")
            return await super().keep(holder, until)

    world.polling.control = Flaky(world.shelf)
    running = await begun(world.polling)
    await world.passes(2 * TERM)

    early = await world.another("other").poll()
    gate.set()

    assert early is None
    assert await running is not None


async def test_the_turn_of_a_process_that_died_in_a_cycle_is_free_after_its_term(world, gate):
    await begun(world.polling)
    await world.passes(9 * SECOND)
    await world.is_killed()
    gate.set()
    world.shelf.job = replace(world.job, busy_by="process 1", busy_until=world.clock() + TERM)
    await world.passes(TERM - SECOND)

    early = await world.poll()
    await world.passes(SECOND)
    late = await world.poll()

    assert early is None
    assert late.updated == 1


async def test_a_cycle_that_was_overtaken_ends_without_a_report_and_keeps_nothing(world, gate):
    running = await begun(world.polling)
    world.shelf.job = replace(world.job, busy_by="newer", busy_until=NOON + MINUTE)
    await world.home.begin(NOON)
    gate.set()

    report = await running

    assert report is None
    assert world.home.saves == []
    assert world.job.busy_by == "newer"


async def test_a_record_that_is_away_is_said_and_the_turn_given_back(world):
    async def away(_at):
        raise Unavailable("the database did not serve")

    world.home.begin = away

    with pytest.raises(Unavailable):
        await world.poll()

    assert world.job.busy_by is None


async def test_a_cycle_runs_at_once_when_somebody_asks_for_it(world):
    await world.poll()
    await world.passes(SECOND)

    report = await world.polling.poll_now(SECOND)

    assert report.updated == 1


async def test_a_cycle_runs_when_somebody_asks_for_it_also_while_the_job_is_stopped(world):
    await jobs(world).stop("ann")

    report = await world.polling.poll_now(SECOND)

    assert report.updated == 1
    assert not (await jobs(world).state()).is_running


async def test_who_asks_for_a_cycle_waits_for_the_one_that_runs(world, gate):
    running = await begun(world.polling)
    asked = asyncio.create_task(world.another("cli").poll_now(30 * SECOND))
    await world.passes(10 * SECOND)
    gate.set()
    await world.passes(SECOND)

    report = await asked

    assert (await running).total == report.total == 1
    assert world.home.fence == 2


async def test_who_asks_for_a_cycle_gives_up_when_the_one_that_runs_takes_too_long(world, gate):
    running = await begun(world.polling)
    asked = asyncio.create_task(world.another("cli").poll_now(5 * SECOND))
    await world.passes(6 * SECOND)

    with pytest.raises(Conflict, match="a cycle over load tests runs already"):
        await asked

    gate.set()
    assert await running is not None


async def test_who_asks_for_a_cycle_is_no_more_patient_with_its_own_process(world, gate):
    running = await begun(world.polling)
    asked = asyncio.create_task(world.polling.poll_now(5 * SECOND))
    await world.passes(6 * SECOND)

    is_answered = asked.done()
    gate.set()
    await asyncio.gather(running, asked, return_exceptions=True)

    assert is_answered
    assert isinstance(asked.exception(), Conflict)


async def test_many_who_poll_at_once_run_one_cycle(world):
    all_of_them = [world.another(f"process {number}") for number in range(5)]

    reports = await asyncio.gather(*(each.poll() for each in [*all_of_them, *all_of_them]))

    assert [report is not None for report in reports].count(True) == 1
    assert world.home.fence == 1
