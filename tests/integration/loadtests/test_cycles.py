"""Cycles against the sandbox's Kubernetes over real HTTP, kept in SQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from syncsvc.adapters.kubernetes.access import Access, Presented
from syncsvc.adapters.kubernetes.clusters import KubernetesClusters
from syncsvc.adapters.kubernetes.credentials import Fixed
from syncsvc.loadtests.cycle import CycleRunner, CycleTerms
from syncsvc.loadtests.model import LoadTest, LogsState, Phase, Reason, Result, Step
from syncsvc.loadtests.ports import CycleReport, KeptLog
from syncsvc.loadtests.seen import Role
from syncsvc.loadtests.sql import SqlCycles, SqlLoadTests, SqlLogs
from syncsvc.sandbox.identities import KUBERNETES_TOKEN
from syncsvc.stores.sql.database import Database, open_database
from tests.support.kubernetes import CONTROL, NAMESPACE, a_kubernetes
from tests.support.kubernetes import World as Sandbox

INTERVAL = timedelta(seconds=60)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class World:
    k8s: Sandbox
    url: str
    database: Database
    clusters: KubernetesClusters
    runner: CycleRunner

    @property
    def logs(self) -> SqlLogs:
        return SqlLogs(self.database)

    async def watch(self, *names: str, namespace: str = NAMESPACE) -> None:
        at = now()
        test = LoadTest("test", "nightly", at)
        steps = [
            Step(f"id-{name}", "test", name, order, "main", namespace, name, at, at)
            for order, name in enumerate(names, 1)
        ]
        await SqlLoadTests(self.database).register(test, steps)

    async def cycle(self) -> CycleReport:
        return await self.runner.run(INTERVAL)

    async def cycle_of_a_process_that_dies(self, *, after_turns: int) -> None:
        """Begin a cycle over connections of its own; it ends that many turns of the loop later.

        What it was writing then is written or not once this returns, but nothing comes later.
        """
        own = open_database(self.url)
        task = asyncio.ensure_future(runner_of(self.clusters, own).run(INTERVAL))
        for _ in range(after_turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await own.close()

    async def step(self, name: str) -> Step:
        return await SqlLoadTests(self.database).step(f"id-{name}")

    async def kept(self, name: str) -> list[KeptLog]:
        return list(await self.logs.logs([f"id-{name}"]))

    async def text(self, log: KeptLog) -> bytes:
        chunks, text = [], b""
        while chunks := await self.logs.chunks(log.source.id, chunks[-1].number if chunks else 0):
            text += b"".join(chunk.log for chunk in chunks)
        return text

    async def emitted(self, log: KeptLog) -> bytes:
        source = log.source
        query = {"namespace": NAMESPACE, "pod": source.pod, "container": source.container}
        reply = await self.k8s.http.get(
            f"{CONTROL}/emitted", params={**query, "timestamps": "true"}
        )
        return reply.content

    async def runners_that_differ(self, name: str) -> list[str]:
        """Name the containers whose log is not what was emitted, byte by byte."""
        logs = await self.kept(name)
        return [log.source.pod for log in logs if await self.text(log) != await self.emitted(log)]


@pytest.fixture
async def world(sqlite, tmp_path) -> AsyncIterator[World]:
    async with a_kubernetes() as k8s:
        access = Access("main", k8s.url, Fixed(Presented(KUBERNETES_TOKEN)))
        clusters = KubernetesClusters([access])
        url = f"sqlite:///{tmp_path / 'test.db'}"
        yield World(k8s, url, sqlite, clusters, runner_of(clusters, sqlite))
        await clusters.close()


def runner_of(clusters: KubernetesClusters, database: Database) -> CycleRunner:
    tests, cycles, logs = SqlLoadTests(database), SqlCycles(database), SqlLogs(database)
    return CycleRunner(clusters, tests, cycles, logs, CycleTerms(), now)


async def test_a_run_is_followed_to_its_end_with_every_line_of_its_logs(world):
    await world.k8s.testruns(
        name="load", parallelism=4, scenario={"exits": [0, 0, 99, 0]}, until="started"
    )
    await world.watch("load")
    for _ in range(3):
        await world.k8s.tell("POST", "/emit", {"lines": 40})
        await world.cycle()
    await world.k8s.step("end", name="load")

    report = await world.cycle()

    step = await world.step("load")
    assert (step.phase, step.result, step.reason) == (
        Phase.FINISHED,
        Result.FAILED,
        Reason.THRESHOLDS,
    )
    assert step.detail is not None
    assert "runner 3" in step.detail
    assert (step.logs, report.errors) == (LogsState.COMPLETE, 0)
    assert await world.runners_that_differ("load") == []
    assert len([log for log in await world.kept("load") if log.source.role is Role.RUNNER]) == 4


async def test_summaries_of_all_runners_are_kept(world):
    scenario = {"exits": [0, 99], "summary": "v2"}
    await world.k8s.testruns(name="load", parallelism=2, scenario=scenario, until="end")
    await world.watch("load")

    await world.cycle()

    summaries = await world.logs.summaries("id-load")
    assert set(summaries) == {1, 2}
    assert any(row.ok is False for row in summaries[2])
    assert not any(row.ok is False for row in summaries[1])


async def test_a_process_that_dies_in_mid_cycle_leaves_no_gap_and_no_doubles(world):
    await world.k8s.testruns(name="load", parallelism=3, until="started")
    await world.watch("load")
    for after in range(1, 12):
        await world.k8s.tell("POST", "/emit", {"lines": 60})
        await world.cycle_of_a_process_that_dies(after_turns=after * 40)
    await world.k8s.step("end", name="load")
    for _ in range(2):
        await world.cycle()

    assert (await world.step("load")).logs is LogsState.COMPLETE
    assert await world.runners_that_differ("load") == []


async def test_an_api_that_fails_for_a_while_is_told_and_got_over(world):
    await world.k8s.testruns(name="load", until="started")
    await world.watch("load")
    await world.cycle()
    await world.k8s.tell("PUT", "/switches", {"forbidden": [{"resource": "testruns"}]})

    report = await world.cycle()
    stale = await world.step("load")
    await world.k8s.tell("PUT", "/switches", {})
    await world.cycle()

    assert [error.name for error in report.step_errors] == ["load"]
    assert "list testruns.k6.io" in report.step_errors[0].error
    assert (stale.phase, stale.stale is not None) == (Phase.RUNNING, True)
    assert (await world.step("load")).stale is None


async def test_a_run_that_cleaned_up_between_two_cycles_says_what_is_lost(world):
    await world.k8s.testruns(name="load", cleanup=True, until="started")
    await world.watch("load")
    await world.cycle()
    await world.k8s.step("end", name="load")

    await world.cycle()

    step = await world.step("load")
    assert (step.phase.is_over, step.logs) == (True, LogsState.LOST)
    assert step.logs_detail is not None
    assert "the pod is gone" in step.logs_detail
