"""The clusters that load tests run in, as their watcher needs them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from syncsvc.errors import Rejected
from syncsvc.loadtests.seen import Listed, PodSeen, TestRunSeen

Seen_co = TypeVar("Seen_co", covariant=True)


class Forbidden(Rejected):
    """The credentials lack a right; the text names the verb, the resource and the namespace."""


class NoLog(Rejected):
    """There is nothing to read: the container waits, never ran, or its pod is gone for good."""


class Change(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"  # nothing but a newer version to go on from


@dataclass(frozen=True, slots=True)
class Event(Generic[Seen_co]):
    """A change; what is seen is None for a bookmark, and for a pod or job of no TestRun."""

    change: Change
    seen: Seen_co | None
    version: str


class Cluster(Protocol):
    """One Kubernetes API, as one kubeconfig context or a service account sees it.

    Raises Unavailable when it does not serve (with `retry_after` if it said when to come again),
    Denied when it does not know our credentials, Forbidden when they lack a right, Unknown for
    what it proves not to exist, and Rejected for any other refusal.
    """

    async def listed(self, namespace: str, selector: str | None = None) -> Listed:
        """List the TestRuns of a namespace with the pods and jobs of the operator's runs.

        A label selector limits the TestRuns only. A namespace that is not there is empty. Raises
        Unknown when the cluster has no TestRuns at all: the operator is not installed.
        """
        ...

    async def test_run(self, namespace: str, name: str) -> TestRunSeen | None:
        """Give one; None only when the cluster says that it does not exist."""
        ...

    async def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: datetime | None = None,
        limit_bytes: int | None = None,
    ) -> bytes:
        """Read a container's log: lines `RFC3339Nano text`, as bytes, exactly as they are.

        `since` has a resolution of a second: lines of that second come again. `limit_bytes` may
        cut a line. Raises NoLog, telling why.
        """
        ...

    def follow(
        self, namespace: str, pod: str, container: str, *, since: datetime | None = None
    ) -> AsyncGenerator[bytes]:
        """Give the lines of a log as they come, until the container ends or the server hangs up.

        Lines come without their newline. Raises NoLog, telling why.
        """
        ...

    def watch_test_runs(
        self, namespace: str, version: str = ""
    ) -> AsyncGenerator[Event[TestRunSeen]]:
        """Give changes of TestRuns after a version; without one, first what is there.

        Ends now and then: go on from the last version. Raises Conflict when that is forgotten.
        """
        ...

    def watch_pods(self, namespace: str, version: str = "") -> AsyncGenerator[Event[PodSeen]]:
        """Give changes of the pods of TestRuns, as above."""
        ...

    async def version(self) -> str:
        """Say which Kubernetes it is, such as v1.36.2."""
        ...


class Clusters(Protocol):
    @property
    def names(self) -> Sequence[str]:
        """Those that are configured; the first is meant where none is named."""
        ...

    def of(self, name: str | None) -> Cluster:
        """Give one by name. Raises Unknown, naming those that are configured."""
        ...
