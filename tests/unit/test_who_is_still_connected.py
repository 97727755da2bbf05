"""A worker that has completed is heard of while it is connected, because it may be uploading."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from syncsvc.adapters.testit.presence import Presence
from syncsvc.errors import Unavailable
from syncsvc.runs.model import Caller, WorkerStatus
from tests.support.builders import MINUTE, NOON, SECOND

IN_PROGRESS, COMPLETED = WorkerStatus.IN_PROGRESS, WorkerStatus.COMPLETED


@dataclass
class World:
    """A roster that notes who was spoken for, a clock, and a connection."""

    heard: list[tuple[str, str, WorkerStatus | None]] = field(default_factory=list)
    now: datetime = NOON
    open: bool = True
    failure: Exception | None = None

    async def report(
        self, run_id: str, worker: str, status: WorkerStatus | None, _caller: Caller
    ) -> None:
        self.heard.append((run_id, worker, status))
        if self.failure:
            raise self.failure

    def is_open(self) -> bool:
        return self.open


@pytest.fixture
def world():
    return World()


@pytest.fixture
def presence(world):
    return Presence(world.report, lambda: world.now, every=SECOND, limit=30 * MINUTE)


async def test_a_worker_that_completed_is_heard_of_while_it_is_connected(world, presence):
    presence.note("run", "worker", COMPLETED, world.is_open)

    await presence.speak_once()
    await presence.speak_once()
    world.open = False
    await presence.speak_once()

    assert world.heard == [("run", "worker", COMPLETED)] * 2


async def test_a_worker_that_goes_on_speaks_for_itself(world, presence):
    presence.note("run", "worker", COMPLETED, world.is_open)
    presence.note("run", "worker", IN_PROGRESS, world.is_open)

    await presence.speak_once()

    assert world.heard == []


async def test_a_process_that_never_ends_is_not_waited_for_longer_than_the_limit(world, presence):
    presence.note("run", "worker", COMPLETED, world.is_open)

    world.now = NOON + 30 * MINUTE
    await presence.speak_once()

    assert world.heard == []


async def test_a_connection_that_nobody_knows_is_no_presence(world, presence):
    presence.note("run", "worker", COMPLETED, None)

    await presence.speak_once()

    assert world.heard == []


async def test_a_roster_that_does_not_answer_is_told_again(world, presence):
    presence.note("run", "worker", COMPLETED, world.is_open)
    world.failure = Unavailable("Redis did not serve")

    await presence.speak_once()
    await presence.speak_once()

    assert len(world.heard) == 2
