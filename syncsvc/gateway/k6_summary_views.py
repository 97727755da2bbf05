"""What the API shows of the logs of load tests and of what k6 says at their end."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from syncsvc.loadtests.comparing import Compared, Difference
from syncsvc.loadtests.merging import Merged
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.showing import Told
from syncsvc.loadtests.stamps import BILLION, second_of


class LeftOutView(msgspec.Struct):
    """The middle of a log that was too large to be kept."""

    lines: int
    bytes: int


class LogView(msgspec.Struct):
    """A container's log: `lines` are all that it wrote, `bytes` what is kept of them."""

    id: str
    pod: str
    container: str
    kind: str
    role: str
    runner: int | None
    state: str
    detail: str | None
    lines: int
    bytes: int
    left_out: LeftOutView | None
    updated_at: datetime | None

    @classmethod
    def of(cls, log: KeptLog) -> "LogView":
        source, left = log.source, log.left_out
        return cls(
            id=source.id,
            pod=source.pod,
            container=source.container,
            kind=source.kind,
            role=source.role,
            runner=source.index,
            state=log.state,
            detail=log.detail,
            lines=log.cursor.lines,
            bytes=log.size,
            left_out=None if left is None else LeftOutView(left.lines, left.size),
            updated_at=log.updated_at,
        )


class LogsView(msgspec.Struct):
    """The containers of a step whose logs are kept."""

    step_id: str
    logs: str
    containers: list[LogView]

    @classmethod
    def of(cls, step: Step, logs: Sequence[KeptLog]) -> "LogsView":
        return cls(step.id, step.logs, [LogView.of(log) for log in logs])


class LineView(msgspec.Struct):
    """A line of a log; `at` has nanoseconds. `is_cut` stands for the middle that was left out."""

    at: str | None
    pod: str
    container: str
    role: str
    runner: int | None
    text: str
    level: str | None
    is_progress: bool
    is_cut: bool

    @classmethod
    def of(cls, told: Told, *, raw: bool) -> "LineView":
        source, line = told.source, told.line
        text = told.raw.decode(errors="replace").removesuffix("\n") if raw else line.text
        return cls(
            at=None if line.nanoseconds is None else moment_of(line.nanoseconds),
            pod=source.pod,
            container=source.container,
            role=source.role,
            runner=source.index,
            text=text,
            level=None if (entry := line.entry) is None else entry.level,
            is_progress=line.is_progress,
            is_cut=told.is_cut,
        )


class RowView(msgspec.Struct):
    """A number of a summary over all runners, and how it was made, or a threshold.

    Values are in ms, bytes, numbers, or 0..1 for a rate, as `unit` says; `crossed_by` are the
    runners that did not keep the threshold.
    """

    metric: str
    scope: str
    stat: str
    value: float | None
    unit: str
    threshold: str | None
    ok: bool | None
    how: str
    runners: int
    crossed_by: list[int]

    @classmethod
    def of(cls, merged: Merged) -> "RowView":
        row = merged.row
        return cls(
            metric=row.metric,
            scope=row.scope,
            stat=row.stat,
            value=row.value,
            unit=row.unit,
            threshold=row.threshold,
            ok=row.ok,
            how=merged.how,
            runners=merged.runners,
            crossed_by=list(merged.crossed_by),
        )


class SummaryView(msgspec.Struct):
    """The end-of-test summary of a step; empty as long as no runner has told one."""

    step_id: str
    status: str
    metrics: list[RowView]
    thresholds: list[RowView]

    @classmethod
    def of(cls, step: Step, found: Sequence[Merged]) -> "SummaryView":
        rows = [RowView.of(each) for each in found]
        return cls(
            step.id,
            step.status,
            [row for row in rows if row.threshold is None],
            [row for row in rows if row.threshold is not None],
        )


class DifferenceView(msgspec.Struct):
    """One number of both; `change` is in parts of before, or in points of a rate (0.01 is one)."""

    metric: str
    scope: str
    stat: str
    threshold: str | None
    unit: str
    before: float | None
    after: float | None
    change: float | None
    ok_before: bool | None
    ok_after: bool | None

    @classmethod
    def of(cls, one: Difference) -> "DifferenceView":
        return cls(
            metric=one.metric,
            scope=one.scope,
            stat=one.stat,
            threshold=one.threshold,
            unit=one.unit,
            before=one.before,
            after=one.after,
            change=one.change,
            ok_before=one.ok_before,
            ok_after=one.ok_after,
        )


class SideView(msgspec.Struct):
    """A step on one side of a comparison."""

    step_id: str
    test_run: str
    status: str
    reason: str | None

    @classmethod
    def of(cls, step: Step | None) -> "SideView | None":
        if step is None:
            return None
        return cls(step.id, step.test_run, step.status, step.reason)


class ComparedView(msgspec.Struct):
    """A step of both load tests, or of one only, and how they differ."""

    name: str
    before: SideView | None
    after: SideView | None
    differences: list[DifferenceView]

    @classmethod
    def of(cls, found: Compared) -> "ComparedView":
        return cls(
            found.name,
            SideView.of(found.before),
            SideView.of(found.after),
            [DifferenceView.of(each) for each in found.differences],
        )


class ComparisonView(msgspec.Struct):
    steps: list[ComparedView]


def moment_of(nanoseconds: int) -> str:
    second = second_of(nanoseconds)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{nanoseconds % BILLION:09d}Z"
