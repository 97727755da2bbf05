"""What a cluster shows of load tests at one moment, as plain values.

Moments are aware, in UTC. Names are those of Kubernetes and of the k6-operator (k6.io/v1alpha1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    """How far the operator is with a TestRun; a stage that is absent is None elsewhere."""

    INITIALIZATION = "initialization"
    INITIALIZED = "initialized"
    CREATED = "created"
    STARTED = "started"
    STOPPED = "stopped"  # every run passes through it
    FINISHED = "finished"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class TestRunSeen:
    """A TestRun. `load_began_at` and `load_ended_at` are from its condition TestRunRunning.

    `stage` is None while the operator has not looked; `odd_stage` is one that we do not know.
    """

    __test__ = False  # pytest

    namespace: str
    name: str
    uid: str
    created_at: datetime
    stage: Stage | None = None
    odd_stage: str | None = None
    parallelism: int = 1
    cleans_up: bool = False  # `cleanup: post`: the operator deletes it at once when it is over
    deleting_at: datetime | None = None
    load_began_at: datetime | None = None
    load_ended_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


class Role(StrEnum):
    """What a pod of a TestRun is for."""

    INITIALIZER = "initializer"
    STARTER = "starter"
    RUNNER = "runner"
    STOPPER = "stopper"
    OTHER = "other"


class ContainerKind(StrEnum):
    INIT = "init"
    MAIN = "main"  # k6 in runners and initializers, k6-curl in starters and stoppers
    SIDECAR = "sidecar"


class ContainerState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    TERMINATED = "terminated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """A container; `reason` is Kubernetes' word, such as ImagePullBackOff, Error or OOMKilled."""

    name: str
    kind: ContainerKind
    state: ContainerState = ContainerState.UNKNOWN
    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    restarts: int = 0

    @property
    def has_logs(self) -> bool:
        """Whether it has run at all."""
        return self.state in (ContainerState.RUNNING, ContainerState.TERMINATED)


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod of a TestRun; `index` is a runner's number, from 1.

    `deleting_at` is when its deletion was asked for, before any grace period.
    """

    namespace: str
    name: str
    uid: str
    test_run: str
    role: Role
    index: int | None = None
    phase: str = "Unknown"  # Pending, Running, Succeeded, Failed or Unknown
    reason: str | None = None  # Evicted, ...
    message: str | None = None
    node: str | None = None
    created_at: datetime | None = None
    deleting_at: datetime | None = None
    unschedulable: str | None = None  # why no node takes it
    containers: Sequence[ContainerSeen] = ()

    @property
    def main(self) -> ContainerSeen | None:
        return next((each for each in self.containers if each.kind is ContainerKind.MAIN), None)


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A Job of a TestRun: what is left of a runner whose pod is gone."""

    namespace: str
    name: str
    test_run: str
    role: Role
    index: int | None = None
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """All that a namespace shows of load tests; `version` is the list's resourceVersion."""

    runs: Sequence[TestRunSeen]
    pods: Sequence[PodSeen]
    jobs: Sequence[JobSeen]
    at: datetime
    calls: int = 0
