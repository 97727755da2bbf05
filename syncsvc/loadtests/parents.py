"""What a load test is, by its steps."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from syncsvc.loadtests.model import LoadTest, Phase, Result, Status, Step


def derived(test: LoadTest, steps: Sequence[Step]) -> LoadTest:
    """Derive the status, the reason and the times of a load test from its steps.

    One failed step fails it; short of that, one that was cancelled or deleted cancels it. A test
    without steps stays as it is. It runs from the first step's start to the last one's end.
    """
    if not steps:
        return test
    status, cause = _status(steps)
    started = [step.started_at for step in steps if step.started_at]
    completed = [step.completed_at for step in steps if step.completed_at]
    return replace(
        test,
        status=status,
        reason=_told(cause) if cause else None,
        started_at=min(started, default=None),
        completed_at=max(completed, default=None) if status.is_over else None,
    )


def in_order(step: Step) -> tuple[int, datetime, str, str]:
    """Sort steps of one test: those of one order by when the cluster made them."""
    return step.order, step.run_created_at or step.registered_at, step.test_run, step.id


def _status(steps: Sequence[Step]) -> tuple[Status, Step | None]:
    """Give the status, and the first step that it is due to."""
    if not all(step.is_over for step in steps):
        idle = all(step.phase is Phase.PENDING for step in steps)
        return (Status.PENDING if idle else Status.RUNNING), None
    ordered = sorted(steps, key=in_order)
    for result, status in (
        (Result.FAILED, Status.FAILED),
        (Result.UNKNOWN, Status.FAILED),
        (Result.CANCELLED, Status.CANCELLED),
    ):
        cause = next((step for step in ordered if step.result is result), None)
        if cause is not None:
            return status, cause
    return Status.SUCCEEDED, None


def _told(step: Step) -> str:
    why = step.reason or step.result
    detail = f" ({step.detail})" if step.detail else ""
    return f"step {step.order} '{step.name}': {why}{detail}"
