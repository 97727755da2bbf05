"""One fixture a port: every home of it keeps the same promises."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from syncsvc.catalogue.memory import MemorySync
from syncsvc.catalogue.ports import Stored, SyncRuns, SyncUnits
from syncsvc.catalogue.sql import SqlSync
from syncsvc.catalogue.sql_stored import SqlStored
from syncsvc.loadtests.memory import MemoryControl, MemoryCycles, MemoryLoadTests
from syncsvc.loadtests.memory_logs import MemoryLogs
from syncsvc.loadtests.memory_rows import Shelf
from syncsvc.loadtests.ports import Control, Cycles, LoadTests, Logs
from syncsvc.loadtests.sql import SqlControl, SqlCycles, SqlLoadTests, SqlLogs
from syncsvc.results.held.memory import MemoryOutbox
from syncsvc.results.held.ports import Outbox
from syncsvc.results.held.sql import SqlOutbox
from syncsvc.results.pushed.memory import MemoryPushOutbox
from syncsvc.results.pushed.memory_files import MemoryFiles
from syncsvc.results.pushed.ports import Files, PushOutbox
from syncsvc.results.pushed.sql import SqlPushOutbox
from syncsvc.results.pushed.sql_files import SqlFiles
from syncsvc.runs.memory import MemoryRosters, MemoryRuns
from syncsvc.runs.ports import Rosters, Runs
from syncsvc.runs.redis import RedisRosters
from syncsvc.runs.sql import SqlRuns
from syncsvc.stores.redis.scripts import Scripts, connect
from syncsvc.stores.sql.database import Database
from syncsvc.stores.sql.sealing import Seal
from tests.support.builders import LIVENESS, NOON, ids


@pytest.fixture
def run_id() -> str:
    return f"run-{uuid.uuid4().hex}"


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def home(request) -> tuple[Runs, Outbox]:
    if request.param == "memory":
        runs = MemoryRuns()
        return runs, MemoryOutbox(runs, ids())
    database = request.getfixturevalue(request.param)
    return SqlRuns(database, Seal("a key")), SqlOutbox(database, ids())


@pytest.fixture
def runs(home) -> Runs:
    return home[0]


@pytest.fixture
def outbox(home) -> Outbox:
    return home[1]


LARGEST_FILE, QUOTA = 400_000, 1_000_000  # bytes, of the files that contract tests store


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def push_home(request) -> tuple[Runs, PushOutbox, Files]:
    if request.param == "memory":
        runs = MemoryRuns()
        pushed = MemoryPushOutbox(ids(), runs)
        return runs, pushed, MemoryFiles(pushed, LARGEST_FILE, QUOTA)
    database = request.getfixturevalue(request.param)
    return (
        SqlRuns(database, Seal("a key")),
        SqlPushOutbox(database, ids()),
        SqlFiles(database, ids("content"), LARGEST_FILE, QUOTA),
    )


@pytest.fixture
def pushed(push_home) -> PushOutbox:
    return push_home[1]


@pytest.fixture
def files(push_home) -> Files:
    return push_home[2]


class InStep(RedisRosters):
    """Its server's time moves with the moments that a test names."""

    async def _run(self, script, run_id, worker, now, *more):
        self.clock_shift = now - NOON
        return await super()._run(script, run_id, worker, now, *more)


@pytest.fixture(params=["memory", "redis"])
async def rosters(request) -> AsyncIterator[Rosters]:
    if request.param == "memory":
        yield MemoryRosters(auto=True, idle_limit=LIVENESS.idle_limit)
        return
    scripts = Scripts(connect(request.getfixturevalue("valkey_url")))
    yield InStep(scripts, auto=True, idle_limit=LIVENESS.idle_limit)
    await scripts.close()


@dataclass(frozen=True)
class SyncHome:
    """The three ports of a home of syncs, and the database that the last is in."""

    runs: SyncRuns
    units: SyncUnits
    stored: Stored
    database: Database | None = None


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def sync_home(request) -> SyncHome:
    if request.param == "memory":
        sync = MemorySync(ids())
        return SyncHome(sync, sync, sync)
    database = request.getfixturevalue(request.param)
    sync = SqlSync(database, ids())
    return SyncHome(sync, sync, SqlStored(database), database)


@dataclass(frozen=True)
class LoadTestHome:
    """The four ports of a home of load tests, and the database that they are in."""

    tests: LoadTests
    cycles: Cycles
    logs: Logs
    control: Control
    database: Database | None = None


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def load_tests(request) -> LoadTestHome:
    if request.param == "memory":
        shelf = Shelf()
        return LoadTestHome(
            MemoryLoadTests(shelf), MemoryCycles(shelf), MemoryLogs(shelf), MemoryControl(shelf)
        )
    database = request.getfixturevalue(request.param)
    return LoadTestHome(
        SqlLoadTests(database),
        SqlCycles(database),
        SqlLogs(database),
        SqlControl(database),
        database,
    )
