"""A worker whose process has ended without a word has completed, if it was that process."""

import os
from dataclasses import dataclass, field

import pytest

from syncsvc.adapters.testit.processes import GONE_FOR, Process, Processes, ProcessTable
from syncsvc.errors import Unavailable, Unknown
from syncsvc.runs.model import WorkerStatus
from tests.support.builders import Clock

IN_PROGRESS, COMPLETED = WorkerStatus.IN_PROGRESS, WorkerStatus.COMPLETED
WORKER, PORT = "worker-4711-1795225145000", 50_000


@dataclass
class Table:
    """A host with one process, which holds one connection."""

    process: Process | None = field(default_factory=lambda: Process(4711, started=100))
    port: int = PORT

    def find(self, pid: int) -> Process | None:
        return self.process if self.process and self.process.pid == pid else None

    def holds(self, pid: int, port: int) -> bool:
        return port == self.port


@dataclass
class World:
    table: Table = field(default_factory=Table)
    clock: Clock = field(default_factory=Clock)
    heard: list[tuple[str, str, WorkerStatus | None]] = field(default_factory=list)
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.processes = Processes(self.report, self.clock, self.table)

    async def report(self, run_id: str, worker: str, status: WorkerStatus | None) -> None:
        if self.failure is not None:
            raise self.failure
        self.heard.append((run_id, worker, status))

    async def note(self, status=None, worker=WORKER, port=PORT) -> None:
        await self.processes.note("run", worker, status, port)

    async def look_twice(self) -> None:
        await self.processes.look()
        self.clock.pass_(GONE_FOR)
        await self.processes.look()


@pytest.fixture
def world() -> World:
    return World()


async def test_a_process_that_has_been_gone_for_a_while_has_completed(world):
    await world.note()
    world.table.process = None

    await world.processes.look()
    assert world.heard == []
    await world.look_twice()
    await world.look_twice()

    assert world.heard == [("run", WORKER, COMPLETED)]


async def test_a_process_that_lives_is_left_alone(world):
    await world.note(IN_PROGRESS)

    await world.look_twice()

    assert world.heard == []


async def test_another_process_of_the_same_number_is_not_the_worker(world):
    await world.note(IN_PROGRESS)
    world.table.process = Process(4711, started=999)

    await world.look_twice()

    assert world.heard == [("run", WORKER, COMPLETED)]


@pytest.mark.parametrize(
    ("worker", "port"),
    [
        (WORKER, None),  # it came from another host
        (WORKER, PORT + 1),  # that process here is not at the other end: another container's
        ("worker-4712-1795225145000", PORT),  # no such process here
        ("worker-140561896254336-1795225145", PORT),  # a thread's number, and seconds
        ("mine", PORT),
    ],
)
async def test_nothing_is_concluded_of_a_worker_that_is_not_proven_to_be_a_process(
    world, worker, port
):
    await world.note(worker=worker, port=port)
    world.table.process = None

    await world.look_twice()

    assert world.heard == []


async def test_a_worker_that_said_it_has_completed_needs_no_last_word(world):
    await world.note()
    await world.note(COMPLETED)
    world.table.process = None

    await world.look_twice()

    assert world.heard == []


async def test_a_last_word_that_cannot_be_told_is_told_later(world):
    await world.note()
    world.table.process, world.failure = None, Unavailable("Redis did not serve")
    await world.look_twice()

    world.failure = None
    await world.processes.look()

    assert world.heard == [("run", WORKER, COMPLETED)]


async def test_a_worker_whose_run_was_forgotten_is_watched_no_more(world):
    await world.note()
    world.table.process, world.failure = None, Unknown("no such run")
    await world.look_twice()

    world.failure = None
    await world.look_twice()

    assert world.heard == []


def test_a_system_without_a_process_table_knows_nothing(tmp_path):
    table = ProcessTable(tmp_path)

    assert table.find(os.getpid()) is None
    assert not table.holds(os.getpid(), 1)
