"""Cycles over load tests in a test: clusters in memory, what they keep, and a clock that is set."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.errors import Conflict
from syncsvc.loadtests.collecting import LogTerms
from syncsvc.loadtests.cycle import CycleRunner, CycleTerms
from syncsvc.loadtests.model import LogsState, Step
from syncsvc.loadtests.ports import Addition, Chunk, Cycle, CycleReport, KeptLog, Place
from syncsvc.loadtests.stamps import split
from tests.support.builders import NOON, SECOND
from tests.support.clusters import FakeCluster, FakeClusters

INTERVAL = timedelta(seconds=20)
FINAL = (LogsState.COMPLETE, LogsState.LOST)


@dataclass
class Home:
    """What a cycle needs of LoadTests, Cycles and Logs. `dies_at`: the append that never comes."""

    steps_by_id: dict[str, Step] = field(default_factory=dict)
    fence: int = 0
    reports: dict[int, CycleReport] = field(default_factory=dict)
    kept: dict[str, KeptLog] = field(default_factory=dict)
    texts: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, dict] = field(default_factory=lambda: defaultdict(dict))
    saves: list[int] = field(default_factory=list)
    appends: int = 0
    dies_at: BaseException | None = None

    async def places(self):
        steps = self.steps_by_id.values()
        return sorted({Place(s.cluster, s.namespace) for s in steps if _is_due(s)}, key=repr)

    async def under_way(self, cluster, namespace):
        steps = [step for step in self.steps_by_id.values() if _is_due(step)]
        return [step for step in steps if (step.cluster, step.namespace) == (cluster, namespace)]

    async def save(self, fence, steps, at):
        self._check(fence)
        self.saves.append(len(steps))
        for step in steps:
            before = self.steps_by_id[step.id]
            ended = replace(before, logs=step.logs, logs_detail=step.logs_detail)
            self.steps_by_id[step.id] = ended if before.is_over else step

    async def begin(self, at):
        self.fence += 1
        return self.fence

    async def end(self, fence, report):
        self.reports[fence] = report

    async def latest(self, limit):
        fences = range(self.fence, max(0, self.fence - limit), -1)
        return [Cycle(fence, NOON, self.reports.get(fence)) for fence in fences]

    async def logs(self, step_ids):
        return [log for log in self.kept.values() if log.source.step_id in step_ids]

    async def append(self, fence, additions, cap, at):
        self._check(fence)
        if self.dies_at is not None:
            raise self.dies_at
        assert len({each.source.id for each in additions}) == len(additions)
        for each in additions:
            before = self.kept.get(each.source.id, KeptLog(each.source))
            if before.cursor != each.before:
                raise Conflict("the log is not at `before` any more")
            self.appends += 1
            self._add(each, before, at)

    def _add(self, each: Addition, before: KeptLog, at: datetime) -> None:
        texts = self.texts[each.source.id]
        if each.replaces:
            texts.clear()
        texts += [each.fresh] if each.fresh else []
        self.kept[each.source.id] = replace(
            before,
            cursor=each.after,
            state=each.state,
            detail=each.detail,
            last=len(texts),
            updated_at=at,
        )

    async def chunks(self, log_id, after=0, *, limit=16, since=None):
        texts = list(enumerate(self.texts[log_id], 1))[after : after + limit]
        return [Chunk(number, len(split(text)), None, None, text) for number, text in texts]

    async def keep_summaries(self, fence, step_id, summaries):
        self._check(fence)
        self.rows[step_id] |= summaries

    def _check(self, fence: int) -> None:
        if fence < self.fence:
            raise Conflict(f"cycle {fence} is over: {self.fence} has begun")


def _is_due(step: Step) -> bool:
    return not step.is_over or step.logs not in FINAL


@dataclass
class World:
    """One home, and clusters to watch from it."""

    now: datetime = NOON
    home: Home = field(default_factory=Home)
    clusters: dict[str, FakeCluster] = field(default_factory=dict)
    terms: CycleTerms = field(default_factory=CycleTerms)
    runner: CycleRunner = field(init=False)

    def __post_init__(self) -> None:
        self.clusters["main"] = FakeCluster(self.clock)
        self.restart()

    def clock(self) -> datetime:
        return self.now

    @property
    def main(self) -> FakeCluster:
        return self.clusters["main"]

    def restart(self) -> None:
        """Let another process go on."""
        home, clusters = self.home, FakeClusters(self.clusters)
        self.runner = CycleRunner(clusters, home, home, home, self.terms, self.clock)

    def limited(self, **terms) -> None:
        """Have less time or room for logs."""
        self.terms = replace(self.terms, logs=LogTerms(**terms))
        self.restart()

    def step(self, name: str = "checkout", **known) -> Step:
        """Watch a TestRun."""
        fields = {
            "id": f"id-{name}",
            "test_id": "test",
            "name": name,
            "order": len(self.home.steps_by_id),
            "cluster": "main",
            "namespace": "load",
            "test_run": name,
            "registered_at": NOON,
            "phase_since": NOON,
        }
        step = Step(**(fields | known))
        self.home.steps_by_id[step.id] = step
        return step

    def launch(self, name: str = "checkout", runners: int = 1, **known) -> None:
        """Start a TestRun and watch it."""
        self.main.launch(name, runners=runners, **known)
        self.step(name)

    def of(self, name: str = "checkout") -> Step:
        return self.home.steps_by_id[f"id-{name}"]

    async def cycle(self, *, after: timedelta = 20 * SECOND) -> CycleReport:
        self.now += after
        return await self.runner.run(INTERVAL)

    def log_of(self, name: str = "checkout", index: int = 1) -> KeptLog:
        logs = [log for log in self.home.kept.values() if log.source.step_id == f"id-{name}"]
        return next(log for log in logs if log.source.index == index)

    def text_of(self, name: str = "checkout", index: int = 1) -> bytes:
        return b"".join(self.home.texts[self.log_of(name, index).source.id])
