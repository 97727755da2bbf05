"""The shapes of the dashboard's load testing, spelled as it has always read them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from syncsvc.errors import Rejected
from syncsvc.loadtests.jobs import LONGEST, SHORTEST, JobState
from syncsvc.loadtests.ports import CycleReport, Origin


class JobAction(StrEnum):
    START = "start"
    RESTART = "restart"
    STOP = "stop"


class SyncJobBody(msgspec.Struct, rename="camel"):
    """What the sync job is to do. Without an interval, `restart` goes back to the settings'.

    A field that is not known is passed over.
    """

    action: JobAction
    interval_seconds: Annotated[int, msgspec.Meta(ge=5, le=300)] | None = None


class SyncJobView(msgspec.Struct, rename="camel"):
    """The sync job; `nextRunIn` is in seconds, null while it is stopped.

    `configuredVia` says where the interval comes from, `instanceId` which process answers.
    """

    is_running: bool
    interval_ms: int
    interval_seconds: int
    next_run_in: float | None
    configured_via: str
    instance_id: str
    distributed_lock: bool
    auto_sync_enabled: bool
    api_key_configured: bool


class SyncJobReply(msgspec.Struct, rename="camel"):
    success: bool
    job: SyncJobView
    timestamp: str


class SyncJobChanged(msgspec.Struct, rename="camel"):
    """What became of an action: a sentence, and the job as it is now."""

    success: bool
    action: str
    result: str
    job: SyncJobView
    timestamp: str


class StepDetail(msgspec.Struct, rename="camel", omit_defaults=True):
    """What a cycle did for one step. `updated`: it could be looked at.

    Without an id it is what went wrong at a place as a whole.
    """

    step_id: str = msgspec.field()
    step_name: str = msgspec.field()
    k6_test_name: str | None = msgspec.field()
    old_status: str | None = msgspec.field()
    new_status: str | None = msgspec.field()
    updated: bool = msgspec.field()
    logs_updated: bool = msgspec.field()
    error: str | None = None


class CycleSummary(msgspec.Struct, rename="camel"):
    total_steps: int
    updated_steps: int
    error_steps: int
    steps_with_new_logs: int

    @classmethod
    def of(cls, report: CycleReport) -> "CycleSummary":
        return cls(report.total, report.updated, report.errors, report.logs_updated)


class CycleReply(msgspec.Struct, rename="camel"):
    """What a cycle has done; `duration` is such as `123ms`."""

    success: bool
    duration: str
    summary: CycleSummary
    details: Sequence[StepDetail]
    timestamp: str


class StepsReply(msgspec.Struct, rename="camel"):
    """How many steps are under way, and how many of them nobody has looked at for a minute."""

    active_steps: int
    stale_steps: int
    oldest_check: str | None
    next_sync_recommended: bool
    api_key_configured: bool
    timestamp: str


def job_view(state: JobState, instance_id: str, *, has_key: bool) -> SyncJobView:
    seconds = state.interval.total_seconds()
    return SyncJobView(
        is_running=state.is_running,
        interval_ms=round(seconds * 1000),
        interval_seconds=round(seconds),
        next_run_in=None if state.next_in is None else round(state.next_in.total_seconds(), 3),
        configured_via=_configured_via(state),
        instance_id=instance_id,
        distributed_lock=True,
        auto_sync_enabled=state.auto_enabled,
        api_key_configured=has_key,
    )


def action_in(body: Mapping[str, Any]) -> JobAction:
    """Raises Rejected."""
    found = body.get("action", msgspec.UNSET)
    if isinstance(found, str) and found in tuple(JobAction):
        return JobAction(found)
    raise Rejected(f"action: expected one of {', '.join(JobAction)}, found {_found(found)}")


def interval_in(body: Mapping[str, Any]) -> timedelta | None:
    """Raises Rejected for what is no whole number of seconds, or out of range."""
    found = body.get("intervalSeconds")
    if found is None:
        return None
    if type(found) is int and SHORTEST.seconds <= found <= LONGEST.seconds:
        return timedelta(seconds=found)
    raise Rejected(
        f"intervalSeconds: expected a whole number from {SHORTEST.seconds} to {LONGEST.seconds}, "
        f"found {_found(found)}"
    )


def timestamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _configured_via(state: JobState) -> str:
    words = {
        Origin.DEFAULT: f"default ({state.interval.total_seconds():g}s)",
        Origin.ENVIRONMENT: "environment",
        Origin.RUNTIME: "runtime override",
    }
    return words[state.origin]


def _found(value: object) -> str:
    if value is msgspec.UNSET:
        return "no such field"
    return msgspec.json.encode(value).decode()[:80]
