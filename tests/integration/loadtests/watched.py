"""A sandbox's Kubernetes and who watches it from this process, by one clock that a test moves."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from syncsvc.adapters.kubernetes.access import Access, Presented
from syncsvc.adapters.kubernetes.calls import Manner
from syncsvc.adapters.kubernetes.clusters import KubernetesClusters
from syncsvc.adapters.kubernetes.credentials import Fixed
from syncsvc.loadtests.cycle import CycleRunner, CycleTerms
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import CycleReport
from syncsvc.loadtests.registering import Registering, WishedStep
from syncsvc.loadtests.showing import Showing
from syncsvc.loadtests.sql import SqlCycles, SqlLoadTests, SqlLogs
from syncsvc.sandbox.identities import KUBERNETES_TOKEN
from syncsvc.stores.sql.database import Database
from tests.support.builders import Clock, ids
from tests.support.kubernetes import NAMESPACE, a_kubernetes
from tests.support.kubernetes import World as Sandbox

INTERVAL = timedelta(seconds=30)
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
Logs = Mapping[tuple[str, str], bytes]  # by pod and container


async def no_pause(_: float) -> None:
    """Try again at once."""


@dataclass
class Watched:
    """`namespaces` and `servers` are those of each cluster."""

    k8s: Sandbox = field(repr=False)  # all that is in it would be told
    database: Database
    clock: Clock
    namespaces: Mapping[str, list[str]]
    servers: Mapping[str, str]
    manner: Manner
    clusters: KubernetesClusters
    terms: CycleTerms = field(default_factory=CycleTerms)
    new_id: Callable[[], str] = field(default_factory=ids)
    _runner: CycleRunner | None = field(default=None, init=False, repr=False)

    @property
    def tests(self) -> SqlLoadTests:
        return SqlLoadTests(self.database)

    @property
    def logs(self) -> SqlLogs:
        return SqlLogs(self.database)

    @property
    def showing(self) -> Showing:
        return Showing(self.tests, SqlCycles(self.database), self.logs)

    @property
    def registering(self) -> Registering:
        return Registering(self.clusters, self.tests, self.namespaces, self.clock, self.new_id)

    async def restart(self, manner: Manner | None = None, **servers: str) -> None:
        """Begin anew, as another process that asks in this manner, or elsewhere."""
        await self.clusters.close()
        self._runner = None
        self.clusters = clusters_at({**self.servers, **servers}, manner or self.manner)

    async def watch(self, *names: str, **where: str) -> None:
        """Watch TestRuns as the steps of one load test, which bears the first one's name."""
        await self.registering.watch(names[0], [WishedStep(name, **where) for name in names])

    async def cycle(self) -> CycleReport:
        """Run a cycle; an interval passes."""
        if self._runner is None:
            cycles = SqlCycles(self.database)
            self._runner = CycleRunner(
                self.clusters, self.tests, cycles, self.logs, self.terms, self.clock
            )
        report = await self._runner.run(INTERVAL)
        self.clock.pass_(INTERVAL)
        return report

    async def step(self, name: str) -> Step:
        return await self.showing.step(name)

    async def emit(self, name: str, **wish: Any) -> None:
        await self.k8s.tell("POST", "/emit", {"name": name, **wish})

    async def kept(self, step: Step) -> Logs:
        """Give what is kept of all logs of a step."""
        found = {}
        for log in await self.logs.logs([step.id]):
            text, after = b"", log.first - 1
            while chunks := await self.logs.chunks(log.source.id, after):
                text += b"".join(chunk.log for chunk in chunks)
                after = chunks[-1].number
            found[log.source.pod, log.source.container] = text
        return found

    def emitted(self, name: str) -> Logs:
        """Give what all containers of a TestRun have written, runs of that name before included."""
        return {
            (log.pod, log.container): log.content(timestamps=True)
            for cluster in self.k8s.kubernetes.clusters.values()
            for log in cluster.operator.logs.of(None, name)
        }


def clusters_at(servers: Mapping[str, str], manner: Manner) -> KubernetesClusters:
    credentials = Fixed(Presented(KUBERNETES_TOKEN))
    return KubernetesClusters(
        [Access(name, url, credentials) for name, url in servers.items()], manner
    )


@asynccontextmanager
async def a_watched(database: Database, *more: str) -> AsyncIterator[Watched]:
    """Give an empty cluster, and more of them by name."""
    clock, manner = Clock(SUMMER), Manner(pause=no_pause)
    async with a_kubernetes(clock=clock) as k8s:
        for name in more:
            await k8s.tell("PUT", f"/cluster?cluster={name}", {})
        names = ("main", *more)
        servers = {name: f"{k8s.url.removesuffix('main')}{name}" for name in names}
        namespaces = {name: [NAMESPACE] for name in names}
        clusters = clusters_at(servers, manner)
        world = Watched(k8s, database, clock, namespaces, servers, manner, clusters)
        yield world
        await world.clusters.close()
