"""One fixture a port: every home of it keeps the same promises."""

import uuid
from collections.abc import AsyncIterator

import pytest

from syncsvc.results.held.memory import MemoryOutbox
from syncsvc.results.held.ports import Outbox
from syncsvc.results.held.sql import SqlOutbox
from syncsvc.runs.memory import MemoryRosters, MemoryRuns
from syncsvc.runs.ports import Rosters, Runs
from syncsvc.runs.redis import RedisRosters
from syncsvc.runs.sql import SqlRuns
from syncsvc.stores.redis.scripts import Scripts, connect
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
