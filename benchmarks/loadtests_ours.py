"""Cycles by a real task worker, which is asked for each of them."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.catalogue_ours import _process
from benchmarks.catalogue_spent import peak_mb
from benchmarks.loadtests_cluster import LISTS, Running
from benchmarks.machine import cpu_seconds
from benchmarks.servers import state
from syncsvc.adapters.tasks import CeleryNudge
from syncsvc.loadtests.ports import CycleReport, Which
from syncsvc.loadtests.selecting import selector
from syncsvc.settings import Settings, load
from syncsvc.stores.sql.database import open_database
from syncsvc.wiring.loadtests import Watch, build_watch
from tests.support.waiting import until

MEGA = 1_000_000
MANY = 100_000
LONGEST = 120.0  # seconds


@dataclass(frozen=True)
class Took:
    """What one cycle took."""

    seconds: float
    cpu: float
    calls: int
    lists: int
    megabytes: float
    with_logs: int
    errors: int
    peak_mb: float


@dataclass(frozen=True)
class Worker:
    """A task worker that looks at all steps of a cluster."""

    pid: int
    settings: Settings
    running: Running

    def cycle(self) -> Took:
        """Have it run a cycle, and wait for its report."""
        self.running.counted()
        before = cpu_seconds([self.pid])
        report = asyncio.run(self._cycle())
        counted = self.running.counted()
        return Took(
            report.duration.total_seconds(),
            cpu_seconds([self.pid]) - before,
            sum(counted.values()),
            sum(counted.get(kind, 0) for kind in LISTS),
            report.size / MEGA,
            report.logs_updated,
            report.errors,
            self.peak_mb(),
        )

    def peak_mb(self) -> float:
        return peak_mb([self.pid])

    def check(self) -> None:
        """See that every line of every log is kept, and every step is over."""
        asyncio.run(self._check())

    async def _cycle(self) -> CycleReport:
        database = open_database(self.settings.database)
        watch = build_watch(self.settings, database)
        try:
            last = await watch.showing.latest_cycles(1)
            await watch.jobs.restart(None, "benchmark")
            await CeleryNudge(self.settings.broker).poll()
            return await _newer(watch, last[0].fence if last else 0)
        finally:
            await watch.close()
            await database.close()

    async def _check(self) -> None:
        database = open_database(self.settings.database)
        watch = build_watch(self.settings, database)
        steps = await watch.tests.under_way("main", "k6-runs")
        assert not steps, f"{len(steps)} steps are not over, such as {steps[0]}"
        found = await watch.tests.steps(Which(limit=MANY))
        logs = await watch.showing.logs.logs([step.id for step in found])
        kept = sum(log.cursor.size for log in logs)
        print(f"kept: {kept / MEGA:.1f} MB of logs, with their moments")
        await watch.close()
        await database.close()


@contextmanager
def worker(folder: Path, running: Running, postgres: str | None) -> Iterator[Worker]:
    """Run a Valkey and a task worker, and have it watch every TestRun there is."""
    folder.mkdir(parents=True)
    settings = {
        "SYNCSVC_K6_KUBECONFIG": str(running.kubeconfig(folder)),
        "SYNCSVC_K6_NAMESPACES": '["k6-runs"]',
        "SYNCSVC_K6_SYNC_INTERVAL_SECONDS": "300",
        "SYNCSVC_LOG_LEVEL": "info",
    }
    if postgres:
        settings["SYNCSVC_DATABASE_URL"] = postgres
    with state(folder, settings) as kept:
        known = {
            name.removeprefix("SYNCSVC_").lower(): text
            for name, text in kept.environment.items()
            if name.startswith("SYNCSVC_") and name != "SYNCSVC_CONFIG"
        }
        known["k6_namespaces"] = ("k6-runs",)
        ours = load(**known)
        asyncio.run(_discovered(ours, running.steps))
        with _process(folder, "worker", ["worker", "--name", "worker"], kept.environment) as pid:
            until((folder / "worker.ready").exists, "the task worker is ready", 60)
            yield Worker(pid, ours, running)


async def _discovered(settings: Settings, steps: int) -> None:
    database = open_database(settings.database)
    watch = build_watch(settings, database)
    started = time.perf_counter()
    found = await watch.registering.discover(selector("", "*"))
    assert len(found) == steps, f"{len(found)} of {steps} found"
    print(f"\ndiscovered {steps:,} TestRuns in {time.perf_counter() - started:.2f} s")
    await watch.close()
    await database.close()


async def _newer(watch: Watch, fence: int) -> CycleReport:
    """Wait for the end of a cycle that is newer."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        for newest in await watch.showing.latest_cycles(1):
            if newest.fence > fence and newest.report is not None:
                return newest.report
        await asyncio.sleep(0.05)
    raise TimeoutError("no cycle has ended")
