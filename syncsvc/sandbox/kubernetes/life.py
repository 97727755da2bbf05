"""One TestRun's life in the hands of the operator: each beat changes the cluster's objects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from syncsvc.sandbox.kubernetes.crew import Crew
from syncsvc.sandbox.kubernetes.model import Container, Json, Kind, TestRun, stamp
from syncsvc.sandbox.kubernetes.output import (
    first_lines,
    initializer_lines,
    last_lines,
    noisy_line,
    script_line,
    starter_lines,
)
from syncsvc.sandbox.kubernetes.pods import Pods, ending
from syncsvc.sandbox.kubernetes.scenario import Scenario
from syncsvc.sandbox.kubernetes.stages import BORN, DELETED, GONE, Beat, Standing, following
from syncsvc.sandbox.kubernetes.store import Key

_CONDITIONS = (
    "CloudTestRun",
    "TestRunRunning",
    "TeardownExecuted",
    "CloudTestRunAborted",
    "CloudPLZTestRun",
)


@dataclass(eq=False)
class Life:
    pods: Pods
    born: TestRun  # as it was made
    scenario: Scenario
    last: str = BORN
    stage: str | None = None
    last_at: datetime | None = None
    due: datetime | None = None
    ended: set[int] = field(default_factory=set)  # runners

    def __post_init__(self) -> None:
        self.crew = Crew(self.pods, self.born)

    @property
    def uid(self) -> str:
        return self.born.meta.uid

    @property
    def key(self) -> Key:
        return self.born.meta.key

    @property
    def parallelism(self) -> int:
        return self.born.parallelism

    @property
    def is_gone(self) -> bool:
        return self.stage == GONE

    @property
    def is_loaded(self) -> bool:
        """Say whether its runners are all that it waits for."""
        return self.last == "starter ended" or self.last.startswith("runner ")

    def next_beat(self) -> Beat | None:
        last = "runner ended" if self.last.startswith("runner ") else self.last
        standing = Standing(
            last,
            self.scenario,
            self.parallelism,
            self.born.spec.get("cleanup") == "post",
            self.stage,
            self._ended_in_order(),
        )
        return following(standing)

    def play(self, beat: Beat, at: datetime) -> None:
        """Let a beat happen."""
        self.last, self.last_at = beat.name, at
        self.stage = beat.stage or self.stage
        self._act(beat)(at)

    def delete(self, at: datetime) -> None:
        """Delete the TestRun as somebody with kubectl does: its pods follow."""
        if not self.is_gone:
            self.play(Beat(DELETED, 0, GONE), at)

    def vanish(self, at: datetime) -> None:
        """Take away all that is left at once."""
        self.delete(at)
        self.crew.pods_gone(at)
        self.last = "made again"

    def end_runner(self, index: int, exit_: int | str, at: datetime) -> None:
        """End a runner with an exit code, or by a word; one that has ended stays as it is."""
        made = self.crew.runner(index)
        self.ended.add(index)
        pod = self.pods.get(made.key) if made else None
        if made is None or pod is None or pod.phase not in ("Running", "Pending"):
            return
        if exit_ == "deleted":
            self.pods.begin_to_go(made.key, at)
            self.pods.remove(made.key, at)
            return
        how = ending(exit_)
        self.crew.write(pod, last_lines(self.scenario, how.code, index, at), at)
        self.pods.end(made.key, how, at)

    def _ended_in_order(self) -> int:
        number = 0
        while number + 1 in self.ended:
            number += 1
        return number

    def _act(self, beat: Beat) -> Callable[[datetime], None]:
        name = beat.name
        if name.startswith("runner "):
            index = int(name.split()[1])
            return lambda at: self.end_runner(index, self.scenario.exit_of(index), at)
        if beat.stage is not None and beat.stage != GONE:
            return partial(self._reach, beat.stage)
        return self._acts().get(name, lambda _: None)

    def _acts(self) -> Mapping[str, Callable[[datetime], None]]:
        return {
            "looked at": self._look,
            "initializer pending": self._initializer_pending,
            "initializer waits": lambda _: self.crew.wait("initializer"),
            "initializer running": lambda at: self.crew.run("initializer", at),
            "initializer ended": self._initializer_ended,
            "runners pending": self._runners_pending,
            "runners wait": lambda _: self.crew.wait("runner"),
            "runners running": self._runners_running,
            "starter pending": self._starter_pending,
            "starter running": lambda at: self.crew.run("starter", at),
            "starter ended": self._starter_ended,
            "TestRun cleaned up": self._testrun_gone,
            DELETED: self._testrun_gone,
            "pods deleted": self.crew.pods_deleted,
            "pods gone": self.crew.pods_gone,
        }

    def _look(self, at: datetime) -> None:
        values = dict.fromkeys(_CONDITIONS, "False") | {"TestRunRunning": "Unknown"}
        shown = [_condition(kind, value, at) for kind, value in values.items()]
        self._alter(lambda status: {**status, "conditions": shown}, at)

    def _reach(self, stage: str, at: datetime) -> None:
        running = {"started": "True", "stopped": "False"}.get(stage)

        def reached(status: Json) -> Json:
            told = status.get("conditions", [])
            if running is not None:
                kind = "TestRunRunning"
                kept = [e for e in told if e["type"] != kind]
                told = [*kept, _condition(kind, running, at)]
            return {**status, **({"conditions": told} if told else {}), "stage": stage}

        self._alter(reached, at)

    def _alter(self, how: Callable[[Json], Json], at: datetime) -> None:
        stored = self.pods.store.get(Kind.TESTRUNS, self.key)
        if stored is None or not isinstance(stored.object, TestRun):
            return
        run = stored.object
        changed = replace(run, status=how(run.status or {}), status_at=at)
        self.pods.store.put(Kind.TESTRUNS, changed)

    def _initializer_pending(self, at: datetime) -> None:
        self.crew.make("initializer", None, [Container("k6")], at)
        if self.scenario.initialization == "unschedulable":
            self.crew.unschedule("initializer")

    def _initializer_ended(self, at: datetime) -> None:
        code = 1 if self.scenario.initialization == "fails" else 0
        self.crew.finish("initializer", code, initializer_lines(self.scenario, at), at)

    def _runners_pending(self, at: datetime) -> None:
        waits = "PodInitializing" if self.scenario.init_containers else "ContainerCreating"
        containers = [
            *(Container(name, "init") for name in self.scenario.init_containers),
            Container("k6", reason=waits),
            *(Container(name, "sidecar", reason=waits) for name in self.scenario.sidecars),
        ]
        for index in range(1, self.parallelism + 1):
            self.crew.make("runner", index, containers, at)
        if self.scenario.runners == "unschedulable":
            self.crew.unschedule("runner")

    def _runners_running(self, at: datetime) -> None:
        self.crew.run("runner", at)
        rate = self.scenario.lines_per_second
        gap = timedelta(seconds=1 / rate) if rate else None
        writer = noisy_line if self.scenario.progress else script_line
        for each in self.crew.of("runner"):
            pod = self.pods.get(each.key)
            if pod is not None:
                self.crew.write(pod, first_lines(self.scenario, at), at)
                log = self.pods.log(pod, "k6")
                assert log is not None, "a running container has a log"
                log.begin(writer, gap, at)

    def _starter_pending(self, at: datetime) -> None:
        self.crew.make("starter", None, [Container("k6-curl")], at)

    def _starter_ended(self, at: datetime) -> None:
        self.crew.finish("starter", 0, starter_lines(self.parallelism), at)

    def _testrun_gone(self, at: datetime) -> None:
        self.pods.store.delete(Kind.TESTRUNS, self.key)


def _condition(kind: str, value: str, at: datetime) -> Json:
    return {
        "lastTransitionTime": stamp(at),
        "message": "",
        "reason": f"{kind}{value}",
        "status": value,
        "type": kind,
    }
