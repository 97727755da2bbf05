"""TestRuns that the operator removes at their end, with their pods: `cleanup: post`."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from syncsvc.errors import Unknown
from syncsvc.loadtests.cycle import CycleRunner, CycleTerms
from syncsvc.loadtests.jobs import JobDefaults
from syncsvc.loadtests.listeners import AttendanceTerms
from syncsvc.loadtests.model import LogsState, Phase, Reason, Result, Step
from syncsvc.loadtests.polling import Polling
from syncsvc.loadtests.ports import Place
from syncsvc.loadtests.registering import Discovery
from syncsvc.loadtests.selecting import selector
from syncsvc.loadtests.sql import SqlControl, SqlCycles, SqlLoadTests, SqlLogs
from syncsvc.loadtests.witness import Witness
from tests.integration.loadtests.watched import Watched, a_watched
from tests.support.kubernetes import NAMESPACE

INTERVAL = timedelta(seconds=60)  # longer than any test here
PATIENCE = 20  # seconds
LOOK_AGAIN = 0.02
SETTLED = (LogsState.COMPLETE, LogsState.LOST)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Process:
    """One that polls; `is_killed` leaves its turn reserved, as kill -9 does."""

    watched: Watched
    holder: str
    discovers: bool = False
    polling: Polling = field(init=False)

    def __post_init__(self) -> None:
        database, clusters = self.watched.database, self.watched.clusters
        tests, logs = SqlLoadTests(database), SqlLogs(database)
        terms = AttendanceTerms(beside=("k6-init-*",))
        discovery = self._discovery() if self.discovers else None
        self.witness = Witness(clusters, tests, logs, terms, discovery)
        cycles = SqlCycles(database)
        runner = CycleRunner(self.witness, tests, cycles, logs, CycleTerms(), now, discovery)
        self.polling = Polling(
            runner,
            SqlControl(database),
            JobDefaults(interval=INTERVAL),
            self.holder,
            now,
            asyncio.sleep,
            self.witness,
        )

    def _discovery(self) -> Discovery:
        everything = selector("discover", "*")
        return Discovery(self.watched.registering, everything, [Place("main", NAMESPACE)])

    async def attends(self, name: str) -> None:
        """Run a cycle, and wait until all that was written is heard or kept."""
        await self.polling.poll()
        await self.hears(name)

    async def hears(self, name: str) -> None:
        """Wait until all that is written is heard or kept."""
        async with asyncio.timeout(PATIENCE):
            while not await self._has_all(name):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(LOOK_AGAIN)

    async def _has_all(self, name: str) -> bool:
        kept = await self.watched.kept(await self.watched.step(name))
        written = self.watched.emitted(name)
        return all(log in (self.heard(*key), kept.get(key, b"")) for key, log in written.items())

    def heard(self, pod: str, container: str) -> bytes | None:
        attendance = self.witness.of("main").places.get(Place("main", NAMESPACE))
        listening = attendance.of(pod, container) if attendance else None
        return listening.heard.text(None, None) if listening else None


@dataclass
class Processes:
    """The processes of a test, one after the other."""

    watched: Watched
    numbers: count = field(default_factory=count)
    begun: list[Process] = field(default_factory=list)

    def another(self, *, discovers: bool = False) -> Process:
        process = Process(self.watched, f"process {next(self.numbers)}", discovers)
        self.begun.append(process)
        return process

    async def settled(self, name: str) -> Step:
        """Wait until a step is over with its logs."""
        async with asyncio.timeout(PATIENCE):
            while True:
                step = await self.watched.step(name)
                if step.is_over and step.logs in SETTLED:
                    return step
                await asyncio.sleep(LOOK_AGAIN)

    async def discovered(self, name: str) -> None:
        """Wait until there is a step of this name."""
        async with asyncio.timeout(PATIENCE):
            while await self._step(name) is None:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(LOOK_AGAIN)

    async def _step(self, name: str) -> Step | None:
        try:
            return await self.watched.step(name)
        except Unknown:
            return None


@pytest.fixture
async def world(sqlite) -> AsyncIterator[Processes]:
    async with a_watched(sqlite) as watched:
        processes = Processes(watched)
        yield processes
        for process in processes.begun:
            await process.polling.close()


async def is_under_load(process: Process) -> None:
    """Take a TestRun to where only its runners are left, as slowly as one hears."""
    await process.polling.poll()
    beat = {"next": ""}
    while beat["next"] != "runner 1 ended":
        beat = await process.watched.k8s.step("beat", name="load")
        await process.hears("load")


async def all_is_kept(watched: Watched, step: Step) -> bool:
    """Whether each log is complete, byte by byte."""
    assert (step.logs, step.logs_detail) == (LogsState.COMPLETE, None)
    return await watched.kept(step) == watched.emitted(step.name)


async def test_the_result_and_every_line_are_kept_though_all_is_removed_at_once(world):
    watched = world.watched
    scenario = {"exits": [0, 0, 99, 0]}
    await watched.k8s.testruns(name="load", cleanup=True, parallelism=4, scenario=scenario)
    await watched.watch("load")
    await is_under_load(world.another())
    await watched.emit("load", lines=500)

    await watched.k8s.step("end", name="load")
    step = await world.settled("load")

    assert (step.phase, step.result, step.reason) == (
        Phase.FINISHED,
        Result.FAILED,
        Reason.THRESHOLDS,
    )
    assert "runner 3 of 4" in step.detail
    assert await all_is_kept(watched, step)


async def test_a_success_is_one_with_its_summary(world):
    watched = world.watched
    scenario = {"exits": [0, 0], "summary": "v2"}
    await watched.k8s.testruns(name="load", cleanup=True, scenario=scenario)
    await watched.watch("load")
    await is_under_load(world.another())

    await watched.k8s.step("end", name="load")
    step = await world.settled("load")

    assert step.result is Result.SUCCEEDED
    assert set(await watched.logs.summaries(step.id)) == {1, 2}
    assert await all_is_kept(watched, step)


async def test_a_run_that_is_born_after_it_was_registered_is_witnessed_from_its_first_pod(world):
    watched = world.watched
    await watched.watch("load")
    process = world.another()
    await process.polling.poll()
    await watched.k8s.testruns(name="load", cleanup=True)
    await is_under_load(process)

    await watched.k8s.step("end", name="load")
    step = await world.settled("load")

    assert step.result is Result.SUCCEEDED
    assert await all_is_kept(watched, step)


async def test_a_run_that_is_refused_before_it_has_a_pod_keeps_its_verdict(world):
    watched = world.watched
    await watched.watch("load")
    process = world.another()
    await process.polling.poll()

    scenario = {"initialization": "bad_arguments"}
    await watched.k8s.testruns(name="load", cleanup=True, scenario=scenario, until="end")
    step = await world.settled("load")

    assert (step.phase, step.reason) == (Phase.ERROR, Reason.INIT_FAILED)


async def test_a_run_that_nobody_registered_is_kept_whole_between_two_cycles(world):
    watched = world.watched
    process = world.another(discovers=True)
    await process.polling.poll()
    scenario = {"exits": [0, 99]}
    await watched.k8s.testruns(name="load", cleanup=True, parallelism=2, scenario=scenario)
    await world.discovered("load")
    await is_under_load(process)
    await watched.emit("load", lines=200)

    await watched.k8s.step("end", name="load")
    step = await world.settled("load")

    assert (step.result, step.reason) == (Result.FAILED, Reason.THRESHOLDS)
    assert await all_is_kept(watched, step)


async def test_streams_that_are_cut_while_it_runs_leave_no_gap_and_no_line_twice(world):
    watched = world.watched
    await watched.k8s.testruns(name="load", cleanup=True)
    await watched.watch("load")
    process = world.another()
    await is_under_load(process)
    for _ in range(5):
        await watched.emit("load", lines=200)
        await watched.k8s.tell("PUT", "/switches", {"kubelet": False})
        await watched.emit("load", lines=50)  # and who follows sees that the kubelet is away
        await watched.k8s.tell("PUT", "/switches", {})
        await process.hears("load")

    await watched.k8s.step("end", name="load")
    step = await world.settled("load")

    assert step.result is Result.SUCCEEDED
    assert await all_is_kept(watched, step)


async def test_another_process_that_witnessed_nothing_states_the_loss(world):
    watched = world.watched
    await watched.k8s.testruns(name="load", cleanup=True)
    await watched.watch("load")
    killed = world.another()
    await is_under_load(killed)
    await is_killed(killed)
    await watched.k8s.step("end", name="load")
    await free_the_turn(watched)

    await world.another().polling.poll_now(timedelta(0))

    step = await watched.step("load")
    assert (step.phase, step.result, step.reason) == (Phase.GONE, Result.UNKNOWN, Reason.UNKNOWN)
    assert step.logs is LogsState.LOST
    assert step.logs_detail


async def is_killed(process: Process) -> None:
    """End what it does, without a word to anybody."""
    mine = [task for task in asyncio.all_tasks() if "_attended" in repr(task.get_coro())]
    for task in mine:
        task.cancel()
    await asyncio.gather(*mine, return_exceptions=True)
    await process.witness.rest()


async def free_the_turn(watched: Watched) -> None:
    """Let the reservation of a process that died run out."""
    await SqlControl(watched.database).done("process 0")
