"""What the watcher of load tests needs: a place for tests, cycles and logs, and its one job.

All of these raise Unavailable when the place cannot be reached. Who writes during a cycle shows
its fence, and is refused with Conflict, with nothing written, once a newer cycle has begun.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Protocol

from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.merging import Summaries
from syncsvc.loadtests.model import LoadTest, LogsState, Status, Step
from syncsvc.loadtests.seam import Cursor
from syncsvc.loadtests.seen import ContainerKind, Role

ERRORS_KEPT = 100  # of a cycle, by name; all are counted
CHUNK = 64 * 1024  # bytes of a log, before they are compressed
LEVEL = 6  # of zlib
UNREAD = Cursor()


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace of a cluster, as clusters are named in the settings."""

    cluster: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the steps of a place fare: what is asked often. Those that are `unread` are over."""

    place: Place
    under_way: int
    stale: int
    stalled: int
    unread: int  # logs of them are still to be read


@dataclass(frozen=True, slots=True)
class Which:
    """Which tests or steps to list; a test fits when one of its steps is at the place.

    `text` is looked for in names, a step's TestRun included, without regard to case; a test's
    steps count as well. `named` is the whole name of a test, or of a step's TestRun. `before` is an
    id: those that are older than it.
    """

    status: Status | None = None
    cluster: str | None = None
    namespace: str | None = None
    text: str | None = None
    named: str | None = None
    limit: int = 50
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A load test, and steps of it to register."""

    test: LoadTest
    steps: Sequence[Step]


class LoadTests(Protocol):
    """Load tests and their steps. A test's status is derived whenever a step of it is written."""

    async def register(self, test: LoadTest, steps: Sequence[Step]) -> Sequence[Step]:
        """Record steps of a test, and give all of them in the order they were given.

        In place of one whose TestRun (cluster, namespace, name) another step is watching, that
        step is given; so is one that knows the same uid, be it over or not. The test is
        recorded with its first new step: one that is known keeps its name and labels. When every
        step is known nothing is written. Raises Rejected without steps.
        """
        ...

    async def register_all(self, groups: Sequence[Group]) -> Sequence[Sequence[Step]]:
        """Record several tests, each as above; all of them or none."""
        ...

    async def test(self, test_id: str) -> LoadTest:
        """Raises Unknown."""
        ...

    async def tests(self, which: Which) -> Sequence[LoadTest]:
        """List tests, newest first. Raises Unknown for a `before` that is not there."""
        ...

    async def step(self, step_id: str) -> Step:
        """Raises Unknown."""
        ...

    async def steps(self, which: Which) -> Sequence[Step]:
        """List steps, newest first. Raises Unknown for a `before` that is not there."""
        ...

    async def steps_of(self, test_ids: Collection[str]) -> Sequence[Step]:
        """Give all steps of some tests, by test and order."""
        ...

    async def places(self) -> Sequence[Place]:
        """Name the places where `under_way` has something, in order."""
        ...

    async def pulses(self) -> Sequence[Pulse]:
        """Count the steps of each of `places`, in the same order."""
        ...

    async def under_way(self, cluster: str, namespace: str) -> Sequence[Step]:
        """Give the steps of a place that are not over or whose logs are neither complete nor lost.

        Oldest first.
        """
        ...

    async def save(self, fence: int, steps: Sequence[Step], at: datetime) -> None:
        """Keep how steps got on, all of them or none, and derive their tests' status.

        What a step was registered with stays. One that is stored as over keeps its first end:
        only its `logs` and `logs_detail` change. One that is not stored any more is left out.
        Raises Conflict when a newer cycle has begun.
        """
        ...

    async def forget(self, before: datetime) -> int:
        """Remove tests that ended earlier with all that belongs to them, and give their number.

        Cycles that began earlier go too, except for the newest.
        """
        ...


@dataclass(frozen=True, slots=True)
class StepError:
    """What went wrong with one step in a cycle; `name` is for a person."""

    step_id: str
    name: str
    error: str


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What a cycle has done; `calls` and `size` (bytes) are what it took from clusters."""

    total: int = 0
    updated: int = 0
    errors: int = 0
    logs_updated: int = 0
    calls: int = 0
    size: int = 0
    duration: timedelta = timedelta(0)
    step_errors: Sequence[StepError] = ()


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle; without a report it runs, or its process died."""

    fence: int
    began_at: datetime
    report: CycleReport | None = None


class Cycles(Protocol):
    async def begin(self, at: datetime) -> int:
        """Record a cycle and give its fence: greater than all before, which are refused now."""
        ...

    async def end(self, fence: int, report: CycleReport) -> None:
        """Keep a cycle's report, with its first ERRORS_KEPT errors, also after a newer began.

        The first report stays. Raises Unknown for a fence that no cycle has.
        """
        ...

    async def latest(self, limit: int) -> Sequence[Cycle]:
        """Give the newest cycles, newest first."""
        ...

    async def last_ended(self) -> Cycle | None:
        """Give the newest cycle that has a report, without its errors by name."""
        ...


@dataclass(frozen=True, slots=True)
class LogSource:
    """A container of one step's pod: what a log is of."""

    step_id: str
    pod_uid: str
    pod: str
    container: str
    kind: ContainerKind = ContainerKind.MAIN
    role: Role = Role.RUNNER
    index: int | None = None  # a runner's number, from 1

    @property
    def id(self) -> str:
        """Name the log: a digest of what never changes."""
        told = f"{self.step_id}\0{self.pod_uid}\0{self.container}"
        return blake2b(told.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a cap has left out of a log: all between chunk `after` and the next that is there."""

    after: int
    lines: int
    size: int


@dataclass(frozen=True, slots=True)
class KeptLog:
    """How much of a log is kept. `cursor` counts all that was read, left out or not.

    Chunks are numbered on from 1 and `first` is the first that counts: it grows only when the
    whole log was replaced, so who follows begins anew.
    """

    source: LogSource
    cursor: Cursor = UNREAD
    state: LogsState = LogsState.NONE
    detail: str | None = None  # for a person: what may be missing, and why
    first: int = 1
    last: int = 0
    size: int = 0  # bytes that are kept
    packed_size: int = 0  # bytes that they take
    left_out: LeftOut | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """What a read has brought of one log, made from `before`, the cursor that was kept then.

    `fresh` are whole lines as the cluster gave them, and may be empty where only the state
    or the detail changes. With `replaces` they take the place of all that was kept.
    """

    source: LogSource
    before: Cursor
    after: Cursor
    state: LogsState
    fresh: bytes = b""
    replaces: bool = False
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of a log; moments are the first and last line's, in nanoseconds since 1970."""

    number: int
    lines: int
    first_moment: int | None
    last_moment: int | None
    log: bytes

    @property
    def size(self) -> int:
        return len(self.log)


class Logs(Protocol):
    async def logs(self, step_ids: Collection[str]) -> Sequence[KeptLog]:
        """Give the logs of some steps: by step, then role, runner, pod and container."""
        ...

    async def log(self, log_id: str) -> KeptLog:
        """Raises Unknown."""
        ...

    async def append(
        self, fence: int, additions: Sequence[Addition], cap: Cap, at: datetime
    ) -> None:
        """Add to logs, with their new cursors, all of them or none; a new source is taken up.

        Where a log grows beyond the cap its middle is left out. One whose step is not stored any
        more is left out altogether. Give at most one addition a log. Raises Conflict when a
        newer cycle has begun, or a log is not at `before` any more.
        """
        ...

    async def chunks(
        self, log_id: str, after: int = 0, *, limit: int = 16, since: int | None = None
    ) -> Sequence[Chunk]:
        """Read on in a log, after a chunk.

        With `since`, in nanoseconds, chunks whose last line is older are passed over. Of a log
        that is not there, there is nothing.
        """
        ...

    async def keep_summaries(self, fence: int, step_id: str, summaries: Summaries) -> None:
        """Keep the rows of some of a step's runners in place of those that were kept of them.

        Of a step that is not stored any more nothing is kept. Raises Conflict when a newer cycle
        has begun.
        """
        ...

    async def summaries(self, step_id: str) -> Summaries:
        """Give the rows of each runner, in the order they were kept in."""
        ...


class Origin(StrEnum):
    """Who has set the sync job's interval."""

    DEFAULT = "default"
    ENVIRONMENT = "environment"
    RUNTIME = "runtime"


@dataclass(frozen=True, slots=True)
class SyncJob:
    """The one job that polls. Until somebody has changed it `version` is 0.

    `enabled` and `interval` are what was set at run time; None leaves it to the settings.
    While `busy_until` is ahead the turn is `busy_by`'s: it runs a cycle, or the next is reserved
    for it. A cycle may be begun from `next_due_at` on: None is now.
    """

    enabled: bool | None = None
    interval: timedelta | None = None
    origin: Origin = Origin.DEFAULT
    version: int = 0
    updated_at: datetime | None = None
    updated_by: str | None = None
    last_begun_at: datetime | None = None
    next_due_at: datetime | None = None
    busy_until: datetime | None = None
    busy_by: str | None = None


@dataclass(frozen=True, slots=True)
class JobChange:
    """What somebody wants the job to be from now on, and when its next cycle is due."""

    enabled: bool | None
    interval: timedelta | None
    origin: Origin
    due_at: datetime | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """The wish to run a cycle now, by the job as it was read (`version`), until `term` is over.

    `at_once`: whether one is due or not.
    """

    version: int
    interval: timedelta
    holder: str
    term: timedelta
    at_once: bool = False


class Control(Protocol):
    """The sync job, the same to every process."""

    async def job(self) -> SyncJob: ...

    async def change(self, version: int, change: JobChange, at: datetime) -> SyncJob:
        """Change the job that was read with this version. Raises Conflict if another did since.

        A cycle that runs goes on.
        """
        ...

    async def take_due(self, turn: Turn, now: datetime) -> bool:
        """Take the turn to run a cycle; the next one is due an interval from now.

        False when none is due yet, somebody else has the turn, or the job was changed since it
        was read.
        """
        ...

    async def keep(self, holder: str, until: datetime) -> bool:
        """Go on with the cycle for longer; False when the turn is another's or was given back."""
        ...

    async def hurry(self, at: datetime) -> None:
        """Let the next cycle be due at this moment, unless it is before."""
        ...

    async def done(self, holder: str, reserved_until: datetime | None = None) -> None:
        """Let the next cycle begin when it is due; a turn that is another's stays.

        Until it is reserved no more, only this holder may begin it.
        """
        ...
