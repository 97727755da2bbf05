"""Builders supply what a test does not care about."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from syncsvc.results.held.delivery import Terms
from syncsvc.results.held.model import Cut, Entry, TestResult
from syncsvc.results.pushed.model import AttachmentRef, Phase, Push, Result
from syncsvc.runs.model import Destination, Liveness, Run, Worker, WorkerStatus

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

LIVENESS = Liveness(beat_silence=2 * MINUTE, idle_limit=30 * MINUTE, unheard_limit=5 * MINUTE)
TERMS = Terms(
    quiet_period=10 * SECOND,
    give_up_after=timedelta(hours=24),
    missing_limit=2 * MINUTE,
    liveness=LIVENESS,
    verify_after=8 * SECOND,
    complete_runs=True,
)


class Clock:
    """A clock that moves when a test says so."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, time: timedelta) -> None:
        self.now += time


def ids(prefix: str = "id") -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers):04d}"


def run(run_id: str = "run", *, token: str | None = "token") -> Run:
    return Run(run_id, Destination("https://testit.example", token), created_at=NOON)


def worker(
    name: str = "worker",
    status: WorkerStatus = WorkerStatus.IN_PROGRESS,
    *,
    seen_at: datetime = NOON,
    beats: bool = False,
) -> Worker:
    return Worker(name, status, seen_at, beats)


def cut(
    external_id: str = "test",
    *,
    run_id: str = "run",
    code: str = "Passed",
    kind: str = "Succeeded",
    project_id: str | None = "project",
) -> Cut:
    return Cut(run_id, external_id, code, kind, project_id)


def entry(
    entry_id: str = "entry",
    *,
    held_at: datetime = NOON,
    external_id: str = "test",
    kind: str = "Succeeded",
) -> Entry:
    return Entry(entry_id, cut(external_id, kind=kind), held_at)


def result(
    result_id: str = "result",
    *,
    external_id: str = "test",
    status: str = "InProgress",
    created_at: str = "2026-01-01T12:00:00Z",
    test_point_id: str | None = None,
    has_traces: bool = False,
) -> TestResult:
    return TestResult(result_id, external_id, status, created_at, test_point_id, has_traces)


def push(run_id: str = "run", *, project_id: str = "project") -> Push:
    return Push(run_id, project_id, "configuration", Phase.NEW, accepted_at=NOON)


def pushed_result(
    external_id: str = "test", *, key: str | None = None, files: Sequence[str] = ()
) -> Result:
    """Build a result; `files` are the digests that it names."""
    named = tuple(AttachmentRef(digest=digest, name="file") for digest in files)
    return Result(external_id=external_id, status="passed", key=key, attachments=named)
