"""What the API shows of load tests; moments are ISO 8601 in UTC, spans in seconds."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from syncsvc.loadtests.model import LoadTest, Runner, Stale, Step
from syncsvc.loadtests.ports import Cycle, CycleReport, StepError
from syncsvc.loadtests.registering import Registered
from syncsvc.loadtests.showing import Shown


class LoadTestView(msgspec.Struct):
    """A load test; `duration_seconds` is of what has passed so far while it runs."""

    id: str
    name: str
    status: str
    reason: str | None
    labels: Mapping[str, str]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    duration_seconds: float | None

    @classmethod
    def of(cls, test: LoadTest, now: datetime) -> "LoadTestView":
        return cls(
            id=test.id,
            name=test.name,
            status=test.status,
            reason=test.reason,
            labels=test.labels,
            created_at=test.created_at,
            started_at=test.started_at,
            completed_at=test.completed_at,
            duration_seconds=_lasted(test.started_at, test.completed_at, now),
        )


class ListedView(msgspec.Struct):
    """A load test in a list: how many steps have which status, and how many are stale."""

    test: LoadTestView
    steps: Mapping[str, int]
    stale: int

    @classmethod
    def of(cls, shown: Shown, now: datetime) -> "ListedView":
        statuses = Counter(str(step.status) for step in shown.steps)
        stale = sum(step.stale is not None for step in shown.steps)
        return cls(LoadTestView.of(shown.test, now), dict(statuses), stale)


class LoadTestPage(msgspec.Struct):
    tests: list[ListedView]
    next: str | None  # give it as `before` to get the page after this one


class RunnerView(msgspec.Struct):
    """One runner: waiting, running, ended or lost; `reason` is Kubernetes' word."""

    index: int
    state: str
    pod: str | None
    exit_code: int | None
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, runner: Runner) -> "RunnerView":
        ended = runner.exit_code, runner.reason, runner.started_at, runner.ended_at
        return cls(runner.index, runner.state, runner.pod, *ended)


class StaleView(msgspec.Struct):
    """Since when a step could not be looked at, and what was said last."""

    since: datetime
    errors: int
    last_error: str

    @classmethod
    def of(cls, stale: Stale) -> "StaleView":
        return cls(stale.since, stale.errors, stale.last_error)


class StepView(msgspec.Struct):
    """A step; `expected` is its number of runners, `logs` how much of its logs is kept.

    `stage` is the operator's own word, `stalled` says why it does not get on.
    """

    id: str
    test_id: str
    name: str
    order: int
    cluster: str
    namespace: str
    test_run: str
    uid: str | None
    status: str
    phase: str
    result: str | None
    reason: str | None
    detail: str | None
    stage: str | None
    runners: list[RunnerView]
    expected: int | None
    registered_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    duration_seconds: float | None
    checked_at: datetime | None
    stale: StaleView | None
    stalled: str | None
    logs: str
    logs_detail: str | None

    @classmethod
    def of(cls, step: Step, now: datetime) -> "StepView":
        return cls(
            id=step.id,
            test_id=step.test_id,
            name=step.name,
            order=step.order,
            cluster=step.cluster,
            namespace=step.namespace,
            test_run=step.test_run,
            uid=step.uid,
            status=step.status,
            phase=step.phase,
            result=step.result,
            reason=step.reason,
            detail=step.detail,
            stage=step.last_stage,
            runners=[RunnerView.of(each) for _, each in sorted(step.runners.items())],
            expected=step.expected,
            registered_at=step.registered_at,
            started_at=step.started_at,
            completed_at=step.completed_at,
            duration_seconds=_lasted(step.started_at, step.completed_at, now),
            checked_at=step.checked_at,
            stale=None if step.stale is None else StaleView.of(step.stale),
            stalled=step.stalled,
            logs=step.logs,
            logs_detail=step.logs_detail,
        )


class LoadTestDetails(msgspec.Struct):
    test: LoadTestView
    steps: list[StepView]

    @classmethod
    def of(cls, shown: Shown, now: datetime) -> "LoadTestDetails":
        steps = [StepView.of(step, now) for step in shown.steps]
        return cls(LoadTestView.of(shown.test, now), steps)


class RegisteredView(msgspec.Struct):
    """A load test that is watched; `new` are the steps that nobody watched before.

    `notes` tell of what is not there yet.
    """

    test: LoadTestView
    steps: list[StepView]
    new: list[str]
    notes: list[str]

    @classmethod
    def of(cls, registered: Registered, now: datetime) -> "RegisteredView":
        test = LoadTestView.of(registered.test, now)
        steps = [StepView.of(step, now) for step in registered.steps]
        return cls(test, steps, list(registered.new), list(registered.notes))


class DiscoveredView(msgspec.Struct):
    found: list[RegisteredView]


class StepErrorView(msgspec.Struct):
    """What went wrong with one step; without an id, at a place as a whole."""

    step_id: str
    name: str
    error: str

    @classmethod
    def of(cls, error: StepError) -> "StepErrorView":
        return cls(error.step_id, error.name, error.error)


class ReportView(msgspec.Struct):
    """What a cycle has done; `calls` and `bytes` are what it took from clusters."""

    total: int
    updated: int
    errors: int
    logs_updated: int
    calls: int
    bytes: int
    duration_seconds: float
    step_errors: list[StepErrorView]

    @classmethod
    def of(cls, report: CycleReport) -> "ReportView":
        return cls(
            report.total,
            report.updated,
            report.errors,
            report.logs_updated,
            report.calls,
            report.size,
            report.duration.total_seconds(),
            [StepErrorView.of(each) for each in report.step_errors],
        )


class CycleView(msgspec.Struct):
    """A cycle; without a report it runs, or its process died."""

    number: int
    began_at: datetime
    report: ReportView | None

    @classmethod
    def of(cls, cycle: Cycle) -> "CycleView":
        report = None if cycle.report is None else ReportView.of(cycle.report)
        return cls(cycle.fence, cycle.began_at, report)


class CyclesView(msgspec.Struct):
    cycles: list[CycleView]


def _lasted(began: datetime | None, ended: datetime | None, now: datetime) -> float | None:
    if began is None:
        return None
    return round(max((ended or now) - began, timedelta(0)).total_seconds(), 3)
