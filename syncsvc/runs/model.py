"""A roster lists the workers of a run; the run is over when none of them is at work.

A worker is at work until it says that it has completed or has been silent for too long;
how long is too long depends on how often its kind speaks at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from syncsvc.coordination.leases.model import Lease, LeaseKind


class WorkerStatus(StrEnum):
    REGISTERED = "registered"  # and has not said anything since
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Worker:
    """A test process that registered for a run."""

    name: str
    status: WorkerStatus
    seen_at: datetime
    beats: bool = False  # has sent keep_alive, so it will go on doing so while it lives
    kind: str = ""  # which Test IT adapter it is, by what its requests say; "": not known


@dataclass(frozen=True, slots=True)
class Caller:
    """Who speaks for a worker: its kind, and the connection that it keeps to the end.

    An id is not unique: .NET builds it of a thread's number and the second. Who registers an id
    over another connection than the worker that has it is another worker, a namesake.
    """

    kind: str = ""
    peer: str = ""  # the connection's other end; "": its connections mean nothing

    def namesake(self, worker: str) -> str:
        return f"{worker}@{self.peer}"


ANYBODY = Caller()


@dataclass(frozen=True, slots=True)
class Roster:
    """The workers of a run, by name, and which of them is the master.

    The token is that of its mastership; both stay until another one is master.
    """

    workers: tuple[Worker, ...]
    master: str | None = None
    token: int | None = None

    @property
    def seen_at(self) -> datetime | None:
        """When any of them was last heard of."""
        return max((worker.seen_at for worker in self.workers), default=None)

    def worker(self, name: str) -> Worker | None:
        return next((worker for worker in self.workers if worker.name == name), None)

    def with_worker(self, worker: Worker) -> "Roster":
        others = tuple(known for known in self.workers if known.name != worker.name)
        return replace(self, workers=(*others, worker))


@dataclass(frozen=True, slots=True)
class Liveness:
    """How long each kind of worker may be silent before it counts as gone."""

    beat_silence: timedelta
    idle_limit: timedelta
    unheard_limit: timedelta

    def limit(self, worker: Worker, *, is_ghost: bool = False) -> timedelta:
        if worker.beats:
            return self.beat_silence
        if worker.status is WorkerStatus.REGISTERED:
            return min(self.beat_silence, self.unheard_limit) if is_ghost else self.unheard_limit
        return self.idle_limit


@dataclass(frozen=True, slots=True)
class Destination:
    """A Test IT server and the token for it, which are stored, changed and used together."""

    base_url: str
    token: str | None = field(default=None, repr=False)  # None: the one configured for it


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a test suite, and the Test IT server that shows it."""

    id: str
    destination: Destination
    created_at: datetime
    result_count: int | None = None
    counted_at: datetime | None = None
    closed_early_at: datetime | None = None  # when we first saw that it had

    def counting(self, count: int | None, now: datetime) -> "Run":
        """Note how many results Test IT has; the moment moves only when the number does."""
        if count is None or count == self.result_count:
            return self
        return replace(self, result_count=count, counted_at=now)


def at_work(roster: Roster, now: datetime, liveness: Liveness) -> tuple[Worker, ...]:
    """Pick the workers that may still bring results.

    Java's adapter registers by a new id after each lost answer, and the old ids stay silent for
    ever. So one that never spoke is missed sooner where another of its kind has completed; should
    it only start slowly, its first word puts it back.
    """
    done = {w.kind for w in roster.workers if w.status is WorkerStatus.COMPLETED} - {""}
    return tuple(
        worker
        for worker in roster.workers
        if worker.status is not WorkerStatus.COMPLETED
        and now - worker.seen_at < liveness.limit(worker, is_ghost=worker.kind in done)
    )


def master_lease(run_id: str) -> Lease:
    """Give the lease whose leader is the master of a run."""
    return Lease(run_id, LeaseKind.LEADER, "master")


@dataclass(frozen=True, slots=True)
class Mastership:
    """Who is master, and the fencing token by which this time is told from every other."""

    worker: str
    token: int


class Election(Enum):
    """What a worker that registers may become."""

    MASTER = "it is the master"
    WORKER = "another one is"
    HEIR = "the master gives way, unless a result is held back"


def election(
    roster: Roster, name: str, *, auto: bool, stale_before: datetime, is_led: bool = True
) -> Election:
    """Tell what a registering worker may become; `is_led`: the master's lease has not ended.

    The master keeps its place while it is at work. With `auto` one that has not begun yet
    gives way as well, because a process that only starts the others (pytest-xdist's
    controller) registers first and runs no test.
    """
    if roster.master in (None, name):
        return Election.MASTER
    master = roster.worker(str(roster.master))
    if not is_led or (master is not None and _is_gone(master, stale_before)):
        return Election.HEIR
    waits = auto and master is not None and master.status is WorkerStatus.REGISTERED
    return Election.HEIR if waits else Election.WORKER


def _is_gone(worker: Worker, stale_before: datetime) -> bool:
    return worker.status is WorkerStatus.COMPLETED or worker.seen_at < stale_before


def last_sign(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
