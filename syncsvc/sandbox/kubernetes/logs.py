"""What containers have written: every line with its moment, kept also when the pod is gone."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000_000  # nanoseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Writer = Callable[[int, datetime], bytes]  # the text of a line by its number


def nanoseconds(at: datetime) -> int:
    past = at - _EPOCH
    return (past.days * 86_400 + past.seconds) * SECOND + past.microseconds * 1000


@lru_cache(maxsize=4096)
def _second(number: int) -> str:
    return f"{_EPOCH + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S}"


def stamped(at: int, line: bytes) -> bytes:
    second, rest = divmod(at, SECOND)
    return b"%s.%09dZ %s\n" % (_second(second).encode(), rest, line)


@dataclass(eq=False)
class Log:
    """A container's lines. With a rate it writes by itself, as if it had all the time."""

    namespace: str
    test_run: str
    test_run_uid: str
    pod: str
    pod_uid: str
    container: str
    times: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    ended: bool = False
    readers: set[asyncio.Event] = field(default_factory=set)
    gap: timedelta | None = None  # between lines that it writes by itself
    writer: Writer | None = None
    next_at: datetime | None = None
    size: int = 0

    def write(self, line: bytes, at: datetime) -> None:
        """Add a line; time never runs backwards in a log."""
        moment = nanoseconds(at)
        if self.times and moment < self.times[-1]:
            moment = self.times[-1]
        self.times.append(moment)
        self.lines.append(line)
        self.size += len(line) + 1
        for each in self.readers:
            each.set()

    def begin(self, writer: Writer, gap: timedelta | None, at: datetime) -> None:
        self.writer, self.gap = writer, gap
        self.next_at = at if gap is None else at + gap

    def catch_up(self, now: datetime) -> None:
        """Write what is due by now."""
        while self.gap is not None and self.writer and self.next_at and self.next_at <= now:
            self.write(self.writer(len(self.lines), self.next_at), self.next_at)
            self.next_at += self.gap

    def end(self, at: datetime) -> None:
        self.catch_up(at)
        self.gap, self.ended = None, True
        for each in self.readers:
            each.set()

    def from_second(self, since: int | None) -> int:
        """Find the first line that is not older."""
        return 0 if since is None else bisect_left(self.times, since)

    def parts(self, first: int, *, timestamps: bool) -> Iterator[bytes]:
        if timestamps:
            yield from map(stamped, self.times[first:], self.lines[first:])
        else:
            yield from (line + b"\n" for line in self.lines[first:])

    def content(self, *, timestamps: bool) -> bytes:
        return b"".join(self.parts(0, timestamps=timestamps))


@dataclass
class Logs:
    """All logs of a cluster, in the order in which their containers began."""

    by_container: dict[tuple[str, str], Log] = field(default_factory=dict)  # pod's uid, name
    previous: dict[tuple[str, str], Log] = field(default_factory=dict)

    def add(self, log: Log) -> Log:
        self.by_container[log.pod_uid, log.container] = log
        return log

    def get(self, pod_uid: str, container: str) -> Log | None:
        return self.by_container.get((pod_uid, container))

    def restart(self, pod_uid: str, container: str) -> None:
        """Put the log of a container aside, and begin another."""
        old = self.by_container[pod_uid, container]
        self.previous[pod_uid, container] = old
        new = Log(old.namespace, old.test_run, old.test_run_uid, old.pod, pod_uid, container)
        self.by_container[pod_uid, container] = new

    def of(self, namespace: str | None, test_run: str | None) -> Sequence[Log]:
        return [
            log
            for log in self.by_container.values()
            if namespace in (None, log.namespace) and test_run in (None, log.test_run)
        ]
