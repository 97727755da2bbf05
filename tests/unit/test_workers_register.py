"""Workers come, say how they are, and go."""

from asyncio import Barrier, gather
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.memory import MemoryOutbox
from syncsvc.runs.memory import MemoryRosters, MemoryRuns
from syncsvc.runs.model import Destination, WorkerStatus
from syncsvc.runs.service import RunService
from tests.support.builders import LIVENESS, NOON, Clock, cut, ids
from tests.support.fakes import Servers

URL, TOKEN = "https://testit.example", "token"
IN_PROGRESS, COMPLETED = WorkerStatus.IN_PROGRESS, WorkerStatus.COMPLETED


@pytest.fixture
def service() -> RunService:
    runs = MemoryRuns()
    rosters = MemoryRosters(auto=True, idle_limit=LIVENESS.idle_limit)
    outbox = MemoryOutbox(runs, ids())
    return RunService(runs, rosters, outbox, Servers(Destination("https://default")), Clock())


@dataclass
class MeetingBeforeTheyAreTold:
    """Holds nothing, and says so once this many heirs have asked."""

    heirs: int
    asked: Barrier = field(init=False)

    def __post_init__(self) -> None:
        self.asked = Barrier(self.heirs)

    async def is_held(self, run_id: str) -> bool:
        if self.heirs:
            self.heirs -= 1
            await self.asked.wait()
        return False


@dataclass
class Meanwhile:
    """Holds nothing, and says so after something else has happened, once."""

    happens: Callable[[], Awaitable[None]]
    has_happened: bool = False

    async def is_held(self, run_id: str) -> bool:
        if not self.has_happened:
            self.has_happened = True
            await self.happens()
        return False


async def begun(service: RunService, worker: str) -> None:
    await service.register("run", worker, None, None)
    await service.report("run", worker, IN_PROGRESS)


async def test_what_a_worker_names_becomes_the_destination_of_the_run(service):
    await service.register("run", "a", URL, TOKEN)

    assert (await service.runs.get("run")).destination == Destination(URL, TOKEN)


async def test_a_worker_that_names_nothing_leaves_the_destination_alone(service):
    await service.register("run", "a", URL, TOKEN)
    service._stored.clear()  # another gateway

    await service.register("run", "java", None, None)

    assert (await service.runs.get("run")).destination == Destination(URL, TOKEN)


async def test_a_run_that_nobody_names_a_server_for_gets_the_configured_one(service):
    await service.register("run", "java", None, None)

    assert (await service.runs.get("run")).destination == Destination("https://default")


async def test_a_new_token_replaces_the_old_one(service):
    await service.register("run", "a", URL, TOKEN)

    await service.register("run", "b", URL, "renewed")

    assert (await service.runs.get("run")).destination.token == "renewed"


async def test_without_any_server_a_worker_is_told_why_it_is_no_master(service):
    service.destinations = Servers(None)

    told = await service.register("run", "java", None, None)

    assert not told.is_master
    assert "SYNCSVC_TESTIT_URL" in told.message
    assert await service.runs.get("run") is None


async def test_of_two_heirs_one_becomes_master(service):
    await service.register("run", "controller", None, None)

    first = await service.register("run", "gw0", None, None)
    await service.report("run", "gw0", IN_PROGRESS)
    second = await service.register("run", "gw1", None, None)

    assert (first.is_master, second.is_master) == (True, False)


async def test_an_heir_that_came_second_asks_again_of_the_new_master(service):
    await service.register("run", "controller", None, None)
    service.holdings = MeetingBeforeTheyAreTold(2)

    told = await gather(*(service.register("run", each, None, None) for each in ("gw0", "gw1")))

    assert [each.is_master for each in told] == [True, True]


async def test_an_heir_whose_new_master_has_begun_is_no_master(service):
    await service.register("run", "controller", None, None)
    service.holdings = Meanwhile(lambda: begun(service, "gw0"))

    assert not (await service.register("run", "gw1", None, None)).is_master


async def test_an_heir_waits_while_a_result_is_held(service):
    await service.register("run", "a", None, None)
    await service.holdings.hold(cut(), NOON)
    await service.report("run", "a", COMPLETED)

    assert not (await service.register("run", "b", None, None)).is_master


async def test_a_stranger_is_told_to_register(service):
    await service.register("run", "a", None, None)

    with pytest.raises(Unknown, match="pid: expected a worker registered"):
        await service.report("run", "stranger", IN_PROGRESS)
    with pytest.raises(Unknown, match="POST /register first"):
        await service.report("no run", "a", IN_PROGRESS)


async def test_a_worker_of_a_roster_that_was_lost_is_taken_back(service):
    await service.register("run", "a", None, None)
    service.rosters.lose("run")

    await service.report("run", "a", IN_PROGRESS)

    assert (await service.rosters.get("run")).worker("a").status is IN_PROGRESS


@pytest.mark.parametrize(("run_id", "worker"), [("", "a"), ("run", ""), ("r\0", "a")])
async def test_a_name_that_cannot_be_is_rejected(service, run_id, worker):
    with pytest.raises(Rejected):
        await service.register(run_id, worker, None, None)
