"""A load test and its ordered steps: what is known of each TestRun, and how sure that is.

How far a step is (its phase) and what came of it (its result) are two things. The one word that
the dashboard's API has always given is derived from both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncsvc.loadtests.seen import Stage


class Phase(StrEnum):
    """How far a step is. It never goes back, and the last three are for ever."""

    PENDING = "PENDING"
    STARTING = "STARTING"  # the runners are made, and wait for each other
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"  # the load is over, the operator is not
    FINISHED = "FINISHED"
    ERROR = "ERROR"  # it failed before any load
    GONE = "GONE"  # it was deleted, or replaced by another run of its name, before its end was seen

    @property
    def is_over(self) -> bool:
        return self in (Phase.FINISHED, Phase.ERROR, Phase.GONE)


class Result(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"  # it is over, and what would tell its result was never seen


class Reason(StrEnum):
    """Why a result is not SUCCEEDED; where runners differ, the first of these is the reason."""

    OOM = "OOM"
    EVICTED = "EVICTED"
    INFRA = "INFRA"  # killed, and not by k6 itself
    RUNNER_LOST = "RUNNER_LOST"  # its share of the load is missing
    PANIC = "PANIC"
    INVALID_CONFIG = "INVALID_CONFIG"
    REST_API = "REST_API"  # k6 found its port taken
    CLOUD = "CLOUD"
    SCRIPT = "SCRIPT"
    SETUP_TIMEOUT = "SETUP_TIMEOUT"
    TEARDOWN_TIMEOUT = "TEARDOWN_TIMEOUT"
    TIMEOUT = "TIMEOUT"
    EXIT_CODE = "EXIT_CODE"  # one that has no meaning of its own
    ABORTED_BY_SCRIPT = "ABORTED_BY_SCRIPT"
    MARKED_FAILED = "MARKED_FAILED"
    THRESHOLDS = "THRESHOLDS"
    INIT_FAILED = "INIT_FAILED"
    DELETED = "DELETED"
    ABORTED_BY_API = "ABORTED_BY_API"
    SIGNAL = "SIGNAL"
    UNKNOWN = "UNKNOWN"


class Status(StrEnum):
    """The dashboard's one word. A load test is never DELETED, only a step is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    DELETED = "DELETED"

    @property
    def is_over(self) -> bool:
        return self not in (Status.PENDING, Status.RUNNING)


class RunnerState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"  # its Job failed, and its pod was gone before it told why


@dataclass(frozen=True, slots=True)
class Runner:
    """What is known of one runner; that it has ended stays known when its pod is gone.

    `reason` is Kubernetes' word for the container's end or else the pod's. `was_deleted` says that
    its pod was being deleted when it ended.
    """

    index: int
    state: RunnerState = RunnerState.WAITING
    pod: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    was_deleted: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.state in (RunnerState.ENDED, RunnerState.LOST)


@dataclass(frozen=True, slots=True)
class Stale:
    """Since when a step could not be looked at, how often that was tried, and what was said."""

    since: datetime
    errors: int
    last_error: str


class LogsState(StrEnum):
    """How much of a step's logs is kept."""

    NONE = "none"
    PARTIAL = "partial"  # so far, or as far as could be read
    COMPLETE = "complete"  # read once more after the end
    LOST = "lost"  # the pods were gone before the last lines were read


@dataclass(frozen=True, slots=True)
class Step:
    """One TestRun of a load test.

    `uid` is None until it was first seen; from then on another uid of the same name is another
    run. `run_created_at` and `last_stage` are the cluster's words; `absences` counts the cycles
    in a row that looked and did not find it, `waits` those that found it finished with a runner
    that had not ended. `deleted_early`: its deletion was seen before its end.
    """

    id: str
    test_id: str
    name: str
    order: int
    cluster: str
    namespace: str
    test_run: str
    registered_at: datetime
    phase_since: datetime
    uid: str | None = None
    phase: Phase = Phase.PENDING
    result: Result | None = None
    reason: Reason | None = None
    detail: str | None = None  # for a person: which runner, which exit code
    runners: Mapping[int, Runner] = field(default_factory=dict)
    expected: int | None = None  # runners
    last_stage: Stage | None = None
    run_created_at: datetime | None = None
    cleans_up: bool = False
    deleted_early: bool = False
    initializer_exit: int | None = None
    absences: int = 0
    waits: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None
    checked_at: datetime | None = None  # when it was last looked at with success
    stale: Stale | None = None
    stalled: str | None = None  # why it does not get on
    logs: LogsState = LogsState.NONE
    logs_detail: str | None = None

    @property
    def is_over(self) -> bool:
        return self.phase.is_over

    @property
    def status(self) -> Status:
        """Give the dashboard's word.

        A result that is unknown is told as FAILED, or DELETED where the run is gone: never as a
        success.
        """
        if not self.is_over:
            return Status.PENDING if self.phase is Phase.PENDING else Status.RUNNING
        if self.phase is Phase.GONE and self.reason in (Reason.DELETED, Reason.UNKNOWN):
            return Status.DELETED
        return Status.FAILED if self.result is Result.UNKNOWN else Status(self.result or "FAILED")


@dataclass(frozen=True, slots=True)
class LoadTest:
    """A load test: its status is derived from its steps, `reason` says from which and why."""

    id: str
    name: str
    created_at: datetime
    status: Status = Status.PENDING
    reason: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
