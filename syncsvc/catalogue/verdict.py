"""What a sync's end is called, and how it is told."""

from dataclasses import dataclass
from datetime import datetime

from syncsvc.catalogue.model import Counts, Order, PhaseProgress, RunStatus, SyncRun, SyncScope


@dataclass(frozen=True, slots=True)
class Tally:
    """How many units of a run there are, and how many have ended which way."""

    done: int
    failed: int
    planned: int


def verdict(tally: Tally, *, denied: bool = False) -> RunStatus:
    """Judge a run whose units are over; one whose credentials were refused has failed."""
    if denied or (tally.failed and not tally.done):
        return RunStatus.FAILED
    return RunStatus.PARTIAL if tally.failed else RunStatus.SUCCESS


def event_of(status: RunStatus) -> str:
    """Name the kind of event that tells of an end."""
    if status in (RunStatus.SUCCESS, RunStatus.PARTIAL):
        return "completed"
    return status.value


def last_words(run: SyncRun, status: RunStatus, now: datetime, told: str) -> str:
    """Say how a run has ended and how long it took, for a person to read."""
    ended = "completed with failures" if status is RunStatus.PARTIAL else event_of(status)
    return f"sync {ended} in {run.seconds(now):.1f} s: {told}"


def order_told(order: Order) -> str:
    """Say what a run sets out to do."""
    phases = ", ".join(order.phases) or "no phase"
    chosen = [name for name in order.options.__slots__ if getattr(order.options, name)]
    options = f"; options: {', '.join(chosen)}" if chosen else ""
    return f"sync started by {order.trigger}: {phases}; {_scope_told(order.scope)}{options}"


def _scope_told(scope: SyncScope) -> str:
    parts = []
    if scope.product_ids is not None:
        parts.append(f"products {', '.join(map(str, scope.product_ids))}")
    if scope.since_date is not None:
        parts.append(f"tests since {scope.since_date.isoformat()}")
    if scope.entity_types is not None:
        parts.append(f"only {', '.join(scope.entity_types)}")
    return f"scope: {'; '.join(parts) or 'all'}"


def told(tally: Tally, totals: Counts) -> str:
    """Sum up what a run has done."""
    return f"{tally.done} of {tally.planned} units done, {changes(totals)}"


def phase_told(progress: PhaseProgress) -> str:
    """Sum up what a phase has done."""
    failed = f", {progress.failed} failed" if progress.failed else ""
    units = f"{progress.done} of {progress.planned} units done{failed}"
    return f"{progress.phase}: {units}, {changes(progress.counts)}"


def changes(counts: Counts) -> str:
    """Sum up rows and calls, without those that there are none of."""
    shown = {
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "deleted": counts.deleted,
        "quarantined": counts.quarantined,
    }
    rows = [f"{number} {name}" for name, number in shown.items() if number]
    return ", ".join([*rows, f"{counts.calls} calls"])
