"""What a cluster holds: TestRuns, Pods, Jobs and Namespaces as values; a change makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = dict[str, Any]
GROUP = "k6.io"
VERSION = "v1alpha1"
STAGES = ("initialization", "initialized", "created", "started", "stopped", "finished", "error")


class Kind(StrEnum):
    """The resources, by their plural names."""

    TESTRUNS = "testruns"
    PODS = "pods"
    JOBS = "jobs"
    NAMESPACES = "namespaces"


GROUPS = {Kind.TESTRUNS: GROUP, Kind.PODS: "", Kind.JOBS: "batch", Kind.NAMESPACES: ""}
NAMES = {
    Kind.TESTRUNS: "TestRun",
    Kind.PODS: "Pod",
    Kind.JOBS: "Job",
    Kind.NAMESPACES: "Namespace",
}
API_VERSIONS = {
    Kind.TESTRUNS: f"{GROUP}/{VERSION}",
    Kind.PODS: "v1",
    Kind.JOBS: "batch/v1",
    Kind.NAMESPACES: "v1",
}


@dataclass(frozen=True, slots=True)
class Owner:
    kind: Kind
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Meta:
    namespace: str
    name: str
    uid: str
    created_at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    generation: int = 1
    deleting_at: datetime | None = None
    owner: Owner | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name


@dataclass(frozen=True, slots=True)
class TestRun:
    __test__ = False  # its name makes pytest curious

    meta: Meta
    spec: Json
    status: Json | None = None
    status_at: datetime | None = None

    @property
    def stage(self) -> str | None:
        found = (self.status or {}).get("stage")
        return None if found is None else str(found)

    @property
    def parallelism(self) -> int:
        return int(self.spec["parallelism"])


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    kind: str = "main"  # init, main or sidecar
    state: str = "waiting"  # waiting, running or terminated
    reason: str | None = "ContainerCreating"
    message: str | None = None
    exit_code: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Pod:
    meta: Meta
    containers: tuple[Container, ...]
    node: str | None = None
    phase: str = "Pending"
    reason: str | None = None
    message: str | None = None
    unschedulable: str | None = None

    @property
    def main(self) -> Container:
        return next(each for each in self.containers if each.kind != "init")


@dataclass(frozen=True, slots=True)
class Job:
    meta: Meta
    active: int = 1
    succeeded: int = 0
    failed: int = 0
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Namespace:
    meta: Meta


Object = TestRun | Pod | Job | Namespace


def stamp(at: datetime) -> str:
    """Write a moment as Kubernetes does: in UTC, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
