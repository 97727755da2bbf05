"""What we read of Kubernetes' objects, by their own names. All else is skipped unread."""

from datetime import datetime, timedelta
from typing import Generic, TypeVar

from msgspec import Struct


class _Object(Struct, rename="camel", gc=False):
    """Gives field names in camel case; none refers back, so nothing is to be collected."""


class Metadata(_Object):
    name: str
    namespace: str = ""
    uid: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] | None = None

    @property
    def deletion_asked_at(self) -> datetime | None:
        """Give when its deletion was asked for: the timestamp is when its grace ends."""
        grace = timedelta(seconds=self.deletion_grace_period_seconds or 0)
        return None if self.deletion_timestamp is None else self.deletion_timestamp - grace


class Condition(_Object):
    type: str
    status: str = "Unknown"
    reason: str | None = None
    message: str | None = None
    last_transition_time: datetime | None = None


class TestRunSpec(_Object):
    __test__ = False  # pytest

    parallelism: int | None = None
    cleanup: str | None = None


class TestRunStatus(_Object):
    __test__ = False

    stage: str | None = None
    conditions: list[Condition] | None = None


class TestRun(_Object):
    __test__ = False

    metadata: Metadata
    spec: TestRunSpec | None = None
    status: TestRunStatus | None = None


class Waiting(_Object):
    reason: str | None = None
    message: str | None = None


class Running(_Object):
    started_at: datetime | None = None


class Terminated(_Object):
    exit_code: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class State(_Object):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Object):
    name: str
    state: State | None = None
    restart_count: int = 0


class Container(_Object):
    name: str
    restart_policy: str | None = None


class PodSpec(_Object):
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    node_name: str | None = None


class PodStatus(_Object):
    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class Pod(_Object):
    metadata: Metadata
    spec: PodSpec | None = None
    status: PodStatus | None = None


class JobStatus(_Object):
    active: int | None = None
    succeeded: int | None = None
    failed: int | None = None


class Job(_Object):
    metadata: Metadata
    status: JobStatus | None = None


Item = TypeVar("Item")


class ListMetadata(Struct, rename={"next": "continue", "version": "resourceVersion"}):
    next: str = ""
    version: str = ""


class Page(Struct, Generic[Item]):
    """A page of a list; what lacks its `items` is none."""

    kind: str
    metadata: ListMetadata
    items: list[Item] | None


class Version(Struct, rename="camel"):
    git_version: str
