"""A run closes itself as soon as every result known to it is final.

That rule is why Sync Storage exists, so it is told here as the specification tells it, and
each closing is written down: a run that closed too early shows it by its late results.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from syncsvc.sandbox.replies import Refusal
from syncsvc.sandbox.testit.statuses import FINAL, Status, StatusType
from syncsvc.sandbox.testit.values import Link, Reference, Step, StepReference


class RunState(StrEnum):
    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    STOPPED = "Stopped"
    COMPLETED = "Completed"


class LateResult(StrEnum):
    """What a result does that arrives in a completed run; the vendor's texts disagree."""

    ACCEPT = "accept"  # it is kept, the run stays completed
    REFUSE = "refuse"  # 400 "Test run is stopped", as the OpenAPI file may be read
    REOPEN = "reopen"  # it is kept, the run is in progress again


class BoundPost(StrEnum):
    """What a POST does where the run was planned and holds an open result for the autotest."""

    ORPHAN = "orphan"  # a second row without a test point, the planned one stays open
    FILL = "fill"  # the planned row takes the report


@dataclass(frozen=True)
class Change:
    """A status that became another one; `by` is the method that wrote it."""

    time: datetime
    before: Status | None
    after: Status
    by: str


@dataclass(frozen=True)
class Content:
    """What a result tells beside its status."""

    message: str | None = None
    traces: str | None = None
    comment: str | None = None
    started_on: datetime | None = None
    completed_on: datetime | None = None
    duration: int | None = None
    parameters: Mapping[str, str] | None = None
    properties: Mapping[str, str] | None = None
    links: Sequence[Link] = ()
    attachments: Sequence[Reference] = ()
    steps: Sequence[Step] = ()
    setup: Sequence[Step] = ()
    teardown: Sequence[Step] = ()
    step_references: Sequence[StepReference] = ()
    failure_class_ids: Sequence[UUID] = ()


@dataclass(frozen=True)
class Result:
    id: UUID
    run_id: UUID
    autotest_id: UUID
    external_id: str
    configuration_id: UUID
    status: Status
    created: datetime
    modified: datetime
    content: Content
    test_point_id: UUID | None = None
    history: tuple[Change, ...] = ()
    status_writes: int = 0  # every report of a status, also of the one it had already


@dataclass(frozen=True)
class Completion:
    """One closing of a run, with the number of results it had then."""

    time: datetime
    results: int
    by: str  # "itself" or "request"


@dataclass(frozen=True)
class Run:
    id: UUID
    project_id: UUID
    name: str
    created: datetime
    modified: datetime
    state: RunState = RunState.NOT_STARTED
    description: str | None = None
    launch_source: str | None = None
    tags: Sequence[str] = ()
    links: Sequence[Link] = ()
    attachments: Sequence[Reference] = ()
    started: datetime | None = None
    completed: datetime | None = None
    completions: tuple[Completion, ...] = ()
    late_results: int = 0
    planned: bool = False
    tally: Mapping[StatusType, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(self.tally.values())

    @property
    def open_results(self) -> int:
        return sum(count for kind, count in self.tally.items() if kind not in FINAL)


def written(result: Result, status: Status, now: datetime, by: str) -> Result:
    """Write a status down; history grows only if it is another one."""
    change = Change(now, result.status if result.history else None, status, by)
    same = bool(result.history) and result.status == status
    return replace(
        result,
        status=status,
        modified=now,
        status_writes=result.status_writes + 1,
        history=result.history if same else (*result.history, change),
    )


def counted(run: Run, before: Status | None, after: Status) -> Run:
    """Move one result from one column of the tally to another."""
    tally = dict(run.tally)
    if before is not None:
        tally[before.type] -= 1
    tally[after.type] = tally.get(after.type, 0) + 1
    return replace(run, tally=tally)


def receiving(run: Run, number: int, late: LateResult, now: datetime) -> Run:
    """Get a run ready for results: the first start it, late ones meet the rule for them."""
    if run.state is RunState.NOT_STARTED:
        return started(run, now)
    if run.state is RunState.IN_PROGRESS:
        return run
    if run.state is RunState.STOPPED or late is LateResult.REFUSE:
        raise Refusal(400, "Test run is stopped", "stateName")
    run = replace(run, late_results=run.late_results + number)
    if late is LateResult.ACCEPT:
        return run
    return replace(run, state=RunState.IN_PROGRESS, completed=None, modified=now)


def settled(run: Run, now: datetime) -> Run:
    """Close a run that has results and waits for none of them."""
    if run.state is not RunState.IN_PROGRESS or not run.size or run.open_results:
        return run
    return _closed(run, RunState.COMPLETED, "itself", now)


def started(run: Run, now: datetime) -> Run:
    if run.state is not RunState.NOT_STARTED:
        raise _already(run)
    return replace(run, state=RunState.IN_PROGRESS, started=now, modified=now)


def stopped(run: Run, now: datetime) -> Run:
    if run.state in (RunState.STOPPED, RunState.COMPLETED):
        raise _already(run)
    return _closed(run, RunState.STOPPED, "request", now)


def completed(run: Run, now: datetime) -> Run:
    if run.state in (RunState.STOPPED, RunState.COMPLETED):
        raise _already(run)
    return _closed(run, RunState.COMPLETED, "request", now)


def status_type_of(run: Run) -> StatusType:
    """Sum a run up: open while it is, else as bad as the worst of its results."""
    if run.state is RunState.NOT_STARTED:
        return StatusType.PENDING
    if run.state is RunState.IN_PROGRESS:
        return StatusType.IN_PROGRESS
    worst_first = (StatusType.FAILED, StatusType.INCOMPLETE, StatusType.SUCCEEDED)
    return next((kind for kind in worst_first if run.tally.get(kind)), StatusType.INCOMPLETE)


def _closed(run: Run, state: RunState, by: str, now: datetime) -> Run:
    completion = Completion(now, run.size, by)
    return replace(
        run,
        state=state,
        started=run.started or now,
        completed=now,
        modified=now,
        completions=(*run.completions, completion),
    )


def _already(run: Run) -> Refusal:
    return Refusal(400, f"the StateName is already {run.state}", "stateName")
