"""The pods that the operator makes for one TestRun, and what is done with all of a role."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from syncsvc.sandbox.kubernetes.model import Container, Kind, Pod, TestRun
from syncsvc.sandbox.kubernetes.pods import LINE_GAP, UNSCHEDULABLE, Pods, ending
from syncsvc.sandbox.kubernetes.store import Key

_PULL = 'Back-off pulling image "grafana/k6:latest"'


@dataclass(frozen=True)
class Made:
    """A pod that the operator made, and what for."""

    key: Key
    role: str
    index: int | None = None


@dataclass
class Crew:
    pods: Pods
    born: TestRun  # whose pods they are
    made: list[Made] = field(default_factory=list)

    def runner(self, index: int) -> Made | None:
        return next((each for each in self.made if each.index == index), None)

    def make(self, role: str, index: int | None, names: Sequence[Container], at: datetime) -> None:
        stored = self.pods.store.get(Kind.TESTRUNS, self.born.meta.key)
        if stored is None or not isinstance(stored.object, TestRun):
            return
        name = f"{self.born.meta.name}-{index or role}"
        pod = self.pods.start_job(stored.object, name, names, at)
        self.made.append(Made(pod.meta.key, role, index))

    def of(self, role: str) -> Iterable[Made]:
        return [each for each in self.made if each.role == role]

    def pods_deleted(self, at: datetime) -> None:
        for each in self.made:
            self.pods.begin_to_go(each.key, at)

    def pods_gone(self, at: datetime) -> None:
        for each in self.made:
            self.pods.remove(each.key, at)
            self.pods.remove_job((each.key[0], each.key[1].rpartition("-")[0]))

    def unschedule(self, role: str) -> None:
        for each in self.of(role):
            self.pods.change(
                each.key, lambda pod: replace(pod, node=None, unschedulable=UNSCHEDULABLE)
            )

    def wait(self, role: str) -> None:
        for each in self.of(role):
            self.pods.wait(each.key, "ImagePullBackOff", _PULL)

    def run(self, role: str, at: datetime) -> None:
        for each in self.of(role):
            self.pods.run(each.key, (self.born.meta.name, self.born.meta.uid), at)

    def finish(self, role: str, code: int, lines: Sequence[bytes], at: datetime) -> None:
        for each in self.of(role):
            pod = self.pods.get(each.key)
            if pod is not None:
                self.write(pod, lines, at)
                self.pods.end(each.key, ending(code), at)

    def write(self, pod: Pod, lines: Sequence[bytes], at: datetime) -> None:
        log = self.pods.log(pod, pod.main.name)
        if log is None:
            return
        log.catch_up(at)
        for number, line in enumerate(lines):
            log.write(line, at + number * LINE_GAP)
