"""A container's log: how it is asked for, and what it means that there is none."""

from dataclasses import dataclass
from datetime import UTC, datetime

from syncsvc.adapters.kubernetes.asking import PODS, Ask, one
from syncsvc.adapters.kubernetes.connecting import LARGEST_ANSWER
from syncsvc.adapters.kubernetes.failures import Missing, Refusal, shown
from syncsvc.errors import Rejected
from syncsvc.loadtests.clusters import NoLog

NOTHING_YET = ("is waiting to start", "ContainerCreating", "PodInitializing", "is not available")
LOST = (  # what a node writes instead of a log that it has no more
    b"unable to retrieve container logs for ",
    b"failed to try resolving symlinks in path ",
    b"failed to get container status ",
)


@dataclass(frozen=True, slots=True)
class LogAsk:
    """Which log, and what of it."""

    namespace: str
    pod: str
    container: str
    since: datetime | None = None
    limit_bytes: int | None = None

    def __str__(self) -> str:
        return f"container {self.container!r} of pod {self.pod!r} in {self.namespace!r}"

    def asked(self) -> Ask:
        """Give the request. Raises Rejected for what is no limit and no moment."""
        if self.limit_bytes is not None and self.limit_bytes < 1:
            raise Rejected(f"limit_bytes: expected at least 1, found {self.limit_bytes}")
        ask = one(PODS, self.namespace, self.pod, "log")
        ask = ask.with_params(("container", self.container), ("timestamps", "true"))
        return ask if self.since is None else ask.with_params(("sinceTime", _whole(self.since)))

    def limited(self) -> Ask:
        most = min(self.limit_bytes or LARGEST_ANSWER, LARGEST_ANSWER)
        return self.asked().with_params(("limitBytes", most))

    def followed(self) -> Ask:
        return self.asked().with_params(("follow", "true"))


def no_log(log: LogAsk, why: str) -> NoLog:
    return NoLog(f"{log} has no log: {why}")


def never_placed(log: LogAsk) -> NoLog:
    """Say what an answer without content means."""
    return no_log(log, "no node runs the pod yet")


def explained(log: LogAsk, error: Missing | Refusal) -> Rejected:
    """Tell a log that is not there from a request that is wrong."""
    if isinstance(error, Missing):
        return no_log(log, "the pod is gone")
    if error.code == 400 and any(sign in error.said for sign in NOTHING_YET):
        return no_log(log, shown(error.said))
    return error


def checked(log: LogAsk, body: bytes) -> bytes:
    """Give a log; raises NoLog when a node says instead that it has lost it."""
    if body.startswith(LOST):
        raise no_log(log, shown(body.partition(b"\n")[0].decode("utf-8", "replace")))
    return body


def _whole(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise Rejected(f"since: expected a moment with its zone, found {moment.isoformat()}")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
