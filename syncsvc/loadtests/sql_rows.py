"""How load tests, steps and logs are written as rows, and read from them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from msgspec import json
from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.errors import Conflict
from syncsvc.loadtests.model import (
    LoadTest,
    LogsState,
    Phase,
    Reason,
    Result,
    Runner,
    Stale,
    Status,
    Step,
)
from syncsvc.loadtests.ports import KeptLog, LeftOut, LogSource, Origin
from syncsvc.loadtests.seam import Cursor
from syncsvc.loadtests.seen import ContainerKind, Role, Stage
from syncsvc.stores.sql.loadtest_tables import loadtest_job

MANY = 500  # parameters in one statement
JOB = 1  # the id of the one row
REGISTERED = ("id", "test_id", "name", "cluster", "namespace", "test_run", "registered_at", "uid")
PLAIN = (
    "phase_since",
    "expected",
    "run_created_at",
    "cleans_up",
    "deleted_early",
    "initializer_exit",
    "absences",
    "waits",
    "started_at",
    "completed_at",
    "checked_at",
)
SAID = ("detail", "stalled", "logs_detail")  # may be in the words of a cluster
WATCHED = (LogsState.NONE, LogsState.PARTIAL)

Item = TypeVar("Item")
Values = dict[str, Any]

_runners: json.Decoder[list[Runner]] = json.Decoder(list[Runner])
_labels: json.Decoder[dict[str, str]] = json.Decoder(dict[str, str])
_cursors: json.Decoder[Cursor] = json.Decoder(Cursor)


def hold(connection: Connection) -> int:
    """Keep other writers out until the transaction ends, and give the newest fence."""
    query = select(loadtest_job.c.fence).where(loadtest_job.c.id == JOB).with_for_update()
    fence = connection.scalar(query)
    if fence is None:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        row = {"id": JOB, "fence": 0, "origin": Origin.DEFAULT, "version": 0}
        connection.execute(dialect.insert(loadtest_job).on_conflict_do_nothing(), row)
        fence = connection.scalar(query)
    return fence or 0


def check(connection: Connection, fence: int) -> None:
    """Hold the place for a cycle. Raises Conflict when a newer has begun."""
    refuse(fence, hold(connection))


def refuse(fence: int, newest: int) -> None:
    if fence != newest:
        raise Conflict(f"cycle: expected the newest, {newest}, found {fence}: read again")


def said(text: str | None) -> str | None:
    """Leave out NUL, which PostgreSQL cannot keep: words of a cluster may have it."""
    return text and text.replace("\0", "")


def folded(*names: str) -> str:
    return "\n".join(names).casefold()


def test_row(test: LoadTest) -> Values:
    return {
        "id": test.id,
        "name": test.name,
        "found_by": folded(test.name),
        "labels": json.encode(dict(test.labels)).decode(),
        "created_at": test.created_at,
        **derived_row(test),
    }


def derived_row(test: LoadTest) -> Values:
    return {
        "status": test.status,
        "reason": said(test.reason),
        "started_at": test.started_at,
        "completed_at": test.completed_at,
    }


def read_test(row: Row[Any]) -> LoadTest:
    return LoadTest(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        status=Status(row.status),
        reason=row.reason,
        started_at=row.started_at,
        completed_at=row.completed_at,
        labels=_labels.decode(row.labels),
    )


def step_row(step: Step, at: datetime) -> Values:
    """Write all of a step."""
    names = {name: getattr(step, name) for name in REGISTERED}
    found_by = folded(step.name, step.test_run)
    return {**names, "position": step.order, "found_by": found_by, **progress_row(step, at)}


def progress_row(step: Step, at: datetime) -> Values:
    """Write what changes of a step as it gets on."""
    stale = step.stale
    return {
        **{name: getattr(step, name) for name in PLAIN},
        **{name: said(getattr(step, name)) for name in SAID},
        "uid": step.uid,
        "phase": step.phase,
        "result": step.result,
        "reason": step.reason,
        "status": step.status,
        "last_stage": step.last_stage,
        "logs": step.logs,
        "runners": json.encode(list(step.runners.values())).decode(),
        "is_over": step.is_over,
        "is_watched": is_watched(step),
        "stale_since": stale and stale.since,
        "stale_errors": stale and stale.errors,
        "stale_error": stale and said(stale.last_error),
        "updated_at": at,
    }


def is_watched(step: Step) -> bool:
    """Whether there is more to come of it: its end, or its logs."""
    return not step.is_over or step.logs in WATCHED


def read_step(row: Row[Any]) -> Step:
    return Step(
        **{name: getattr(row, name) for name in (*REGISTERED, *PLAIN, *SAID)},
        order=row.position,
        phase=Phase(row.phase),
        result=row.result and Result(row.result),
        reason=row.reason and Reason(row.reason),
        runners={runner.index: runner for runner in _runners.decode(row.runners)},
        last_stage=row.last_stage and Stage(row.last_stage),
        stale=_stale(row),
        logs=LogsState(row.logs),
    )


def _stale(row: Row[Any]) -> Stale | None:
    if row.stale_since is None:
        return None
    return Stale(row.stale_since, row.stale_errors, row.stale_error)


def log_row(log: KeptLog) -> Values:
    """Write all of a log but its chunks."""
    source = log.source
    left = asdict(log.left_out) if log.left_out else {}
    return {
        "id": source.id,
        "step_id": source.step_id,
        "pod_uid": source.pod_uid,
        "pod": source.pod,
        "container": source.container,
        "kind": source.kind,
        "role": source.role,
        "runner": source.index,
        "cursor": json.encode(log.cursor).decode(),
        "state": log.state,
        "detail": said(log.detail),
        "first": log.first,
        "last": log.last,
        "size": log.size,
        "packed_size": log.packed_size,
        **{f"left_{name}": left.get(name) for name in ("after", "lines", "size")},
        "updated_at": log.updated_at,
    }


def read_log(row: Row[Any]) -> KeptLog:
    left = (row.left_after, row.left_lines, row.left_size)
    return KeptLog(
        source=_source(row),
        cursor=_cursors.decode(row.cursor),
        state=LogsState(row.state),
        detail=row.detail,
        first=row.first,
        last=row.last,
        size=row.size,
        packed_size=row.packed_size,
        left_out=None if row.left_after is None else LeftOut(*left),
        updated_at=row.updated_at,
    )


def _source(row: Row[Any]) -> LogSource:
    return LogSource(
        step_id=row.step_id,
        pod_uid=row.pod_uid,
        pod=row.pod,
        container=row.container,
        kind=ContainerKind(row.kind),
        role=Role(row.role),
        index=row.runner,
    )


def batches(items: Iterable[Item], size: int = MANY) -> Iterator[Sequence[Item]]:
    """Cut what is too long for one statement into pieces."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece


def add(connection: Connection, table: Any, rows: Sequence[Values]) -> None:
    """Insert rows, if there are any."""
    if rows:
        connection.execute(insert(table), rows)
