"""All that watches load tests, over stores and clusters in memory, with a clock that is set."""

from dataclasses import dataclass, field
from datetime import timedelta

from syncsvc.loadtests.cycle import CycleRunner, CycleTerms
from syncsvc.loadtests.following import Following
from syncsvc.loadtests.jobs import JobDefaults, SyncJobs
from syncsvc.loadtests.memory import MemoryControl, MemoryCycles, MemoryLoadTests
from syncsvc.loadtests.memory_logs import MemoryLogs
from syncsvc.loadtests.memory_rows import Shelf
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import CycleReport, KeptLog, Place, Which
from syncsvc.loadtests.registering import Discovery, Registering, WishedStep
from syncsvc.loadtests.selecting import selector
from syncsvc.loadtests.showing import Showing
from tests.support.builders import SECOND, Clock, ids
from tests.support.clusters import FakeCluster, FakeClusters

NAMESPACE = "load"


@dataclass
class Watch:
    """Two clusters, `main` and `far`, and one process that watches both."""

    discovers: str | None = None
    clock: Clock = field(default_factory=Clock)
    shelf: Shelf = field(default_factory=Shelf)
    namespaces: dict[str, list[str]] = field(
        default_factory=lambda: {"main": [NAMESPACE, "other"], "far": ["far-load"]}
    )
    clusters: dict[str, FakeCluster] = field(default_factory=dict)
    defaults: JobDefaults = field(default_factory=JobDefaults)
    terms: CycleTerms = field(default_factory=CycleTerms)

    def __post_init__(self) -> None:
        self.clusters = {name: FakeCluster(self.clock) for name in self.namespaces}
        self.tests, self.logs = MemoryLoadTests(self.shelf), MemoryLogs(self.shelf)
        self.cycles, self.control = MemoryCycles(self.shelf), MemoryControl(self.shelf)
        self.registering = Registering(
            FakeClusters(self.clusters), self.tests, self.namespaces, self.clock, ids()
        )
        self.showing = Showing(self.tests, self.cycles, self.logs)
        self.restart()

    @property
    def main(self) -> FakeCluster:
        return self.clusters["main"]

    @property
    def jobs(self) -> SyncJobs:
        """Another process each time."""
        return SyncJobs(self.control, self.defaults, self.clock)

    def restart(self) -> None:
        self.runner = CycleRunner(
            FakeClusters(self.clusters),
            self.tests,
            self.cycles,
            self.logs,
            self.terms,
            self.clock,
            self._discovery(),
        )

    def _discovery(self) -> Discovery | None:
        if self.discovers is None:
            return None
        places = [Place(name, each) for name, some in self.namespaces.items() for each in some]
        return Discovery(self.registering, selector("k6_discover", self.discovers), places)

    async def cycle(self, *, after: timedelta = 20 * SECOND) -> CycleReport:
        self.clock.pass_(after)
        return await self.runner.run(20 * SECOND)

    async def watched(self, name: str = "checkout", **wish) -> Step:
        """Watch one TestRun as a load test of the same name."""
        registered = await self.registering.watch(name, [WishedStep(name, **wish)])
        return registered.steps[0]

    async def step(self, name: str = "checkout") -> Step:
        return (await self.tests.steps(Which(named=name, limit=1)))[0]

    async def log(self, name: str = "checkout", index: int = 1) -> KeptLog:
        logs = await self.logs.logs([(await self.step(name)).id])
        return next(log for log in logs if log.source.index == index)

    def following(self) -> "Followed":
        return Followed(self)


@dataclass
class Followed:
    """One who follows logs; `meanwhile` happens whenever he waits for news."""

    watch: Watch
    meanwhile: list = field(default_factory=list)

    def __post_init__(self) -> None:
        clusters = FakeClusters(self.watch.clusters)
        self.following = Following(self.watch.showing, clusters, self.watch.clock, self._pause)

    async def _pause(self, seconds: float) -> None:
        self.watch.clock.pass_(timedelta(seconds=seconds))
        if self.meanwhile:
            await self.meanwhile.pop(0)()
