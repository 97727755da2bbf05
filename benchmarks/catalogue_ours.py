"""A sync by syncsvc: real processes on a fresh database, as an operator runs them."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from benchmarks.catalogue_sample import Sample
from benchmarks.catalogue_spent import carried_out, peak_mb
from benchmarks.catalogue_world import World, token
from benchmarks.machine import cpu_seconds
from benchmarks.servers import state
from syncsvc.settings import load
from syncsvc.stores.sql.catalogue_tables import sync_runs
from syncsvc.stores.sql.database import Database, open_database
from syncsvc.telemetry import READY_FILE
from tests.support.waiting import until

SYNCSVC = (sys.executable, "-m", "syncsvc")
STARTING, STOPPING = 60, 20  # seconds
LOOK_AGAIN = 0.02  # seconds
RUNNING = "running"


@dataclass(frozen=True)
class Crew:
    """Task workers on one Valkey and one database, and the settings of who joins them."""

    environment: Mapping[str, str]
    valkey: tuple[int, ...]
    workers: tuple[int, ...]
    started: float  # CPU seconds until all were ready
    starting: float  # of a command

    @property
    def pids(self) -> tuple[int, ...]:
        return *self.valkey, *self.workers


@contextmanager
def crew(
    folder: Path, world: World, workers: int, more: Mapping[str, str], *, beat: bool = False
) -> Iterator[Crew]:
    """Start a Valkey and task workers; with 0 there is neither, and commands work alone.

    Without a beat a sync that nobody waits for must not take longer than one task, half a minute.
    """
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        kept = stack.enter_context(state(folder, {**_settings(world), **more}))
        environment = kept.environment
        if not workers:
            alone = {name: text for name, text in environment.items() if "REDIS" not in name}
            environment = {**alone, "SYNCSVC_DATA_DIR": str(folder / "alone")}
        names = [f"worker-{number}" for number in range(workers)]
        started = [_process(folder, name, _worker(name), environment) for name in names]
        pids = tuple(map(stack.enter_context, started))
        if beat:
            stack.enter_context(_process(folder, "beat", ["beat"], environment))
        for name in names:
            until((folder / f"{name}.ready").exists, f"{name} is ready", STARTING)
        valkey = (kept.pid,) if workers else ()
        spent = cpu_seconds((*valkey, *pids))
        status = carried_out([*SYNCSVC, "sync", "status", "--json"], environment)
        yield Crew(environment, valkey, pids, spent, status.cpu)


def waited_for(crew: Crew, world: World) -> Sample:
    """Sync as a person does: with a command that helps, and ends when all is in step."""
    world.forget()
    before, sandbox = _by_kind(crew), cpu_seconds([world.pid])
    spent = carried_out([*SYNCSVC, "sync", "run", "--json"], crew.environment)
    shares = _since(crew, before) | {"command": spent.cpu}
    told = json.loads(spent.output)
    assert told["status"] == "success", told
    found = _sample(crew, world, shares, sandbox, (spent.seconds, told["duration_seconds"]))
    return replace(found, command_mb=spent.peak_mb)


def left_to_workers(crew: Crew, world: World) -> Sample:
    """Sync as beat or the API does: the task workers alone do it."""
    world.forget()
    before, sandbox = _by_kind(crew), cpu_seconds([world.pid])
    started = time.perf_counter()
    spent = carried_out([*SYNCSVC, "sync", "run", "--no-wait", "--json"], crew.environment)
    took = _over(crew.environment, json.loads(spent.output)["id"])
    wall = time.perf_counter() - started
    shares = _since(crew, before) | {"command": spent.cpu}
    found = _sample(crew, world, shares, sandbox, (wall, took.total_seconds()))
    return replace(found, command_mb=spent.peak_mb)


def _sample(
    crew: Crew,
    world: World,
    shares: Mapping[str, float],
    sandbox: float,
    times: tuple[float, float],
) -> Sample:
    asked = world.asked()
    outside = cpu_seconds([world.pid]) - sandbox
    return Sample(
        wall=times[0],
        run=times[1],
        cpu=sum(shares.values()),
        starting=crew.starting,
        asked=asked,
        rows=_rows(crew.environment),
        crew=crew.started,
        workers_mb=peak_mb(crew.workers),
        shares={**shares, "and sandbox": outside},
    )


def _by_kind(crew: Crew) -> dict[str, float]:
    return {"workers": cpu_seconds(crew.workers), "Valkey": cpu_seconds(crew.valkey)}


def _since(crew: Crew, before: Mapping[str, float]) -> dict[str, float]:
    return {name: now - before[name] for name, now in _by_kind(crew).items()}


def _settings(world: World) -> dict[str, str]:
    """One account, which a database that is not fresh has never seen."""
    account = {"name": f"bench-{uuid4().hex[:12]}", "token": token(), "url": world.testio}
    return {
        "SYNCSVC_TESTIO_CUSTOMERS": json.dumps([account]),
        "SYNCSVC_TESTIO_PER_SECOND": "100000",  # the server has no limit
        "SYNCSVC_SYNC_BY_ITSELF": "false",
        "SYNCSVC_LOG_LEVEL": "warning",
    }


@contextmanager
def _process(
    folder: Path, name: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> Iterator[int]:
    log, ready = folder / f"{name}.log", folder / f"{name}.ready"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [*SYNCSVC, *arguments],
            env={**environment, READY_FILE: str(ready)},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(STOPPING)
            except subprocess.TimeoutExpired:
                process.kill()


def _worker(name: str) -> list[str]:
    return ["worker", "--name", name]


def _rows(environment: Mapping[str, str]) -> tuple[int, ...]:
    status = carried_out([*SYNCSVC, "sync", "status", "--json"], environment)
    found: dict[str, Any] = json.loads(status.output)["customers"][0]
    return found["products"], found["features"], found["tests"]


def _over(environment: Mapping[str, str], run_id: str) -> timedelta:
    """Wait until a run is over, and say how long it took."""
    url = environment.get("SYNCSVC_DATABASE_URL")
    folder = Path(environment["SYNCSVC_DATA_DIR"])
    database = open_database(url or load(data_dir=folder).database)
    with asyncio.Runner() as runner:
        while (took := runner.run(_took(database, run_id))) is None:
            time.sleep(LOOK_AGAIN)
        runner.run(database.close())
    return took


async def _took(database: Database, run_id: str) -> timedelta | None:
    columns = sync_runs.c.status, sync_runs.c.started_at, sync_runs.c.ended_at
    query = select(*columns).where(sync_runs.c.id == run_id)
    row = await database.read(lambda connection: connection.execute(query).one())
    if row.status == RUNNING:
        return None
    assert row.status == "success", row
    taken: timedelta = row.ended_at - row.started_at
    return taken


def own_environment() -> dict[str, str]:
    """The environment without any setting of ours."""
    return {name: text for name, text in os.environ.items() if not name.startswith("SYNCSVC_")}
