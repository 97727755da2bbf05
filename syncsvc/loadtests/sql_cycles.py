"""Cycles and the job that begins them, and what is forgotten of the past."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, or_, select, update

from syncsvc.errors import Conflict
from syncsvc.loadtests.ports import (
    ERRORS_KEPT,
    Cycle,
    CycleReport,
    JobChange,
    Origin,
    StepError,
    SyncJob,
    Turn,
)
from syncsvc.loadtests.sql_reading import not_known
from syncsvc.loadtests.sql_rows import JOB, Values, add, hold, said
from syncsvc.stores.sql.loadtest_tables import (
    loadtest_chunks,
    loadtest_cycle_errors,
    loadtest_cycles,
    loadtest_job,
    loadtest_logs,
    loadtest_steps,
    loadtest_summaries,
    loadtests,
)

CYCLE, ERROR, ITS = loadtest_cycles.c, loadtest_cycle_errors.c, loadtest_job.c
COUNTS = ("total", "updated", "errors", "logs_updated", "calls", "size")
THE_JOB = ITS.id == JOB
TESTS_AT_ONCE = 20  # in one transaction: their logs may be large
MICROSECOND = timedelta(microseconds=1)


def begin(connection: Connection, at: datetime) -> int:
    fence = hold(connection) + 1
    connection.execute(update(loadtest_job).where(THE_JOB), {"fence": fence})
    add(connection, loadtest_cycles, [{"fence": fence, "began_at": at}])
    return fence


def end(connection: Connection, fence: int, report: CycleReport) -> None:
    query = select(CYCLE.total).where(CYCLE.fence == fence).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise not_known("cycle", str(fence))
    if row.total is not None:
        return
    counts: Values = {name: getattr(report, name) for name in COUNTS}
    counts["duration"] = report.duration // MICROSECOND
    connection.execute(update(loadtest_cycles).where(CYCLE.fence == fence), counts)
    errors = [
        {
            "fence": fence,
            "number": number,
            "step_id": of.step_id,
            "name": of.name,
            "error": said(of.error),
        }
        for number, of in enumerate(report.step_errors[:ERRORS_KEPT])
    ]
    add(connection, loadtest_cycle_errors, errors)


def latest(connection: Connection, limit: int) -> Sequence[Cycle]:
    query = select(loadtest_cycles).order_by(CYCLE.fence.desc()).limit(limit)
    rows = connection.execute(query).all()
    errors: dict[int, list[StepError]] = defaultdict(list)
    these = ERROR.fence.in_([row.fence for row in rows])
    query = select(loadtest_cycle_errors).where(these).order_by(ERROR.fence, ERROR.number)
    for each in connection.execute(query):
        errors[each.fence].append(StepError(each.step_id, each.name, each.error))
    return [Cycle(row.fence, row.began_at, _report(row, errors[row.fence])) for row in rows]


def last_ended(connection: Connection) -> Cycle | None:
    query = select(loadtest_cycles).where(CYCLE.total.is_not(None))
    row = connection.execute(query.order_by(CYCLE.fence.desc()).limit(1)).first()
    return None if row is None else Cycle(row.fence, row.began_at, _report(row, ()))


def job(connection: Connection) -> SyncJob:
    row = connection.execute(select(loadtest_job).where(THE_JOB)).first()
    if row is None:
        return SyncJob()
    values: Values = dict(row._mapping)  # noqa: SLF001 - the documented name
    del values["id"], values["fence"]
    origin, interval = Origin(values.pop("origin")), values.pop("interval")
    return SyncJob(
        origin=origin,
        interval=None if interval is None else interval * MICROSECOND,
        **values,
    )


def change(connection: Connection, version: int, wanted: JobChange, at: datetime) -> SyncJob:
    hold(connection)
    values = {
        "enabled": wanted.enabled,
        "interval": None if wanted.interval is None else wanted.interval // MICROSECOND,
        "origin": wanted.origin,
        "next_due_at": wanted.due_at,
        "updated_by": wanted.by,
        "updated_at": at,
        "version": version + 1,
    }
    changing = update(loadtest_job).where(THE_JOB, ITS.version == version).values(values)
    if not connection.execute(changing).rowcount:
        found = connection.scalar(select(ITS.version).where(THE_JOB))
        raise Conflict(f"sync job: expected version {found}, found {version}: read it again")
    return job(connection)


def take_due(connection: Connection, turn: Turn, now: datetime) -> bool:
    hold(connection)
    values = {
        "last_begun_at": now,
        "next_due_at": now + turn.interval,
        "busy_until": now + turn.term,
        "busy_by": turn.holder,
    }
    is_free = or_(_is_past(ITS.busy_until, now), ITS.busy_by == turn.holder)
    taking = update(loadtest_job).where(THE_JOB, ITS.version == turn.version, is_free)
    if not turn.at_once:
        taking = taking.where(_is_past(ITS.next_due_at, now))
    return connection.execute(taking.values(values)).rowcount > 0


def keep(connection: Connection, holder: str, until: datetime) -> bool:
    mine = THE_JOB, ITS.busy_by == holder
    return connection.execute(update(loadtest_job).where(*mine), {"busy_until": until}).rowcount > 0


def hurry(connection: Connection, at: datetime) -> None:
    later = THE_JOB, ITS.next_due_at > at
    connection.execute(update(loadtest_job).where(*later), {"next_due_at": at})


def done(connection: Connection, holder: str, reserved_until: datetime | None) -> None:
    after = {"busy_until": reserved_until, "busy_by": holder if reserved_until else None}
    connection.execute(update(loadtest_job).where(THE_JOB, ITS.busy_by == holder), after)


def forget_cycles(connection: Connection, before: datetime) -> None:
    newest = select(func.max(CYCLE.fence)).scalar_subquery()
    old = CYCLE.began_at < before, newest > CYCLE.fence
    connection.execute(
        delete(loadtest_cycle_errors).where(ERROR.fence.in_(select(CYCLE.fence).where(*old)))
    )
    connection.execute(delete(loadtest_cycles).where(*old))


def forget_tests(connection: Connection, before: datetime) -> int:
    """Remove some old tests, and give their number: none are left when it is 0."""
    hold(connection)
    query = select(loadtests.c.id).where(loadtests.c.completed_at < before).limit(TESTS_AT_ONCE)
    tests = list(connection.scalars(query))
    steps = select(loadtest_steps.c.id).where(loadtest_steps.c.test_id.in_(tests))
    logs = select(loadtest_logs.c.id).where(loadtest_logs.c.step_id.in_(steps))
    for table, of in (
        (loadtest_chunks, loadtest_chunks.c.log_id.in_(logs)),
        (loadtest_logs, loadtest_logs.c.step_id.in_(steps)),
        (loadtest_summaries, loadtest_summaries.c.step_id.in_(steps)),
        (loadtest_steps, loadtest_steps.c.test_id.in_(tests)),
        (loadtests, loadtests.c.id.in_(tests)),
    ):
        connection.execute(delete(table).where(of))
    return len(tests)


def _report(row: Row[Any], errors: Sequence[StepError]) -> CycleReport | None:
    if row.total is None:
        return None
    counts = {name: getattr(row, name) for name in COUNTS}
    return CycleReport(**counts, duration=row.duration * MICROSECOND, step_errors=tuple(errors))


def _is_past(column: ColumnElement[datetime | None], now: datetime) -> ColumnElement[bool]:
    return or_(column.is_(None), column <= now)
