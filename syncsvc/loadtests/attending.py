"""Attends to one place: it watches TestRuns and pods, and follows each log that may be lost.

A TestRun may fail and be removed without a pod; then only its own watch tells.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from syncsvc.errors import SyncsvcError
from syncsvc.loadtests.clusters import Cluster, Event
from syncsvc.loadtests.hearing import Room
from syncsvc.loadtests.listeners import AttendanceTerms, Listeners, LogKey
from syncsvc.loadtests.listening import Listening
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.recalling import Recalled, Sign, has_ended, signs
from syncsvc.loadtests.seen import ContainerState, Listed, PodSeen, Stage, TestRunSeen
from syncsvc.loadtests.standing import Standing

Told = tuple[str, bool, Sign, int]  # of a step: its id, whether it was seen, and of how many pods


@dataclass
class Attendance:
    """What is seen and heard at one place, from when it is attended to until it rests.

    It sets `news` when a cycle should come at once. `discovers` takes TestRuns that nobody has
    registered.
    """

    cluster: Cluster
    namespace: str
    terms: AttendanceTerms
    room: Room
    news: asyncio.Event
    discovers: Callable[[TestRunSeen], bool] = lambda _: False
    _recalled: Recalled = field(default_factory=Recalled, init=False)
    _steps: dict[str, list[Step]] = field(default_factory=dict, init=False)  # by TestRun
    _leaving: Sequence[PodSeen] = field(default=(), init=False)
    _told: set[Told] = field(default_factory=set, init=False)
    _asked: list[asyncio.Task[None]] = field(default_factory=list, init=False)
    _pod_watch: Standing[PodSeen] = field(init=False)
    _run_watch: Standing[TestRunSeen] = field(init=False)
    _logs: Listeners = field(init=False)

    def __post_init__(self) -> None:
        self._logs = Listeners(
            self.cluster, self.namespace, self.terms, self.room, self._recalled, self.news
        )
        self._pod_watch = Standing(
            "pods cannot be watched",
            self.namespace,
            self.cluster.watch_pods,
            self._take_in,
            lambda: self._recalled.forget_all_but(self._steps),
            self.terms.pause,
        )
        self._run_watch = Standing(
            "TestRuns cannot be watched",
            self.namespace,
            self.cluster.watch_test_runs,
            self._take_in_run,
            lambda: None,  # what was met stays met
            self.terms.pause,
        )

    def attend(self, steps: Sequence[Step], kept: Mapping[LogKey, KeptLog]) -> None:
        """Attend to these steps, of whose logs so much is kept, and to no others."""
        self._steps = _by_test_run(steps)
        ids = {step.id for step in steps}
        self._told = {each for each in self._told if each[0] in ids}
        self._logs.learn(kept)
        self._part()
        self._logs.keep_only(self._pods())
        for pod in self._pods():
            self._look_at(pod)
        self._pod_watch.begin()
        self._run_watch.begin()

    async def rest(self) -> None:
        """End all that is under way."""
        tasks = [*self._asked, *self._pod_watch.end(), *self._run_watch.end()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(self._logs.rest(), *tasks, return_exceptions=True)

    def added_to(self, listed: Listed) -> Listed:
        return self._recalled.added_to(listed, self._steps, self._is_missed)

    def of(self, pod: str, container: str) -> Listening | None:
        return self._logs.of(pod, container)

    def _is_missed(self, run: TestRunSeen) -> bool:
        """Tell whether a cycle should see a TestRun that is gone: it never did, or not its error.

        Of others that were seen it is the truth that they are gone, and their pods tell the rest.
        """
        if any(step.uid == run.uid for step in self._steps.get(run.name, ())):
            return run.stage is Stage.ERROR
        return run.uid not in self._recalled.offered and self._is_expected(run)

    def _is_expected(self, run: TestRunSeen) -> bool:
        """Tell whether a TestRun is one that a step waits for, or one to be discovered."""
        steps = self._steps.get(run.name, ())
        return any(step.uid is None for step in steps) or (not steps and self.discovers(run))

    def _pods(self) -> Iterator[PodSeen]:
        for name in self._steps:
            yield from self._recalled.of(name)

    def _part(self) -> None:
        """Part with pods that are gone and never ended, once a cycle could read what was heard."""
        for pod in self._leaving:
            self._recalled.forget(pod)
        self._recalled.part_with_runs(self._steps)
        gone = [pod for pod in self._pods() if pod.uid in self._recalled.gone]
        self._leaving = [pod for pod in gone if not self._all_ended(pod)]

    def _all_ended(self, pod: PodSeen) -> bool:
        running = {each.name for each in pod.containers if each.state is ContainerState.RUNNING}
        return has_ended(pod) and not any(name in running for _, name in self._logs.keys(pod))

    def _take_in(self, event: Event[PodSeen]) -> None:
        pod = self._recalled.take(event)
        if pod is None:
            return
        if pod.test_run in self._steps:
            self._look_at(pod)
        elif pod.uid in self._recalled.gone:
            self._recalled.forget(pod)

    def _take_in_run(self, event: Event[TestRunSeen]) -> None:
        """Keep how a TestRun was last seen, before it was removed."""
        run = event.seen
        if run is None or not (run.name in self._steps or self._is_missed(run)):
            return
        if self._recalled.meet(run) and self._is_expected(run):
            self.news.set()

    def _look_at(self, pod: PodSeen) -> None:
        """Listen to what has logs now, and see whether a cycle should come at once."""
        self._logs.listen_to(pod)
        for step in self._steps[pod.test_run]:
            self._read_signs(step)

    def _read_signs(self, step: Step) -> None:
        pods = self._recalled.of(step.test_run)
        found = set(signs(step, pods, self._recalled.gone))
        told: set[Told] = {(step.id, step.uid is None, sign, len(pods)) for sign in found}
        if told <= self._told:
            return
        self._told |= told
        self.news.set()
        if Sign.BORN in found:
            self._asked = [task for task in self._asked if not task.done()]
            self._asked.append(asyncio.create_task(self._meet(step.test_run)))

    async def _meet(self, test_run: str) -> None:
        """Ask for a TestRun that no cycle has seen: the next may be too late."""
        with suppress(SyncsvcError):
            run = await self.cluster.test_run(self.namespace, test_run)
            if run is not None:
                self._recalled.meet(run)


def _by_test_run(steps: Sequence[Step]) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(step.test_run, []).append(step)
    return found
