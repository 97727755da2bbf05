"""Logs in chunks: what is new and the cursor after it are kept together."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from syncsvc.loadtests.capping import Cap, Piece
from syncsvc.loadtests.chunking import (
    Growth,
    Part,
    Weight,
    check_place,
    grown,
    in_order,
    outgrows,
    stamped,
    unpacked,
)
from syncsvc.loadtests.merging import Summaries
from syncsvc.loadtests.ports import Addition, Chunk, KeptLog
from syncsvc.loadtests.sql_reading import not_known
from syncsvc.loadtests.sql_rows import Values, add, batches, check, log_row, read_log
from syncsvc.loadtests.summary_rows import Row
from syncsvc.stores.sql.loadtest_tables import (
    loadtest_chunks,
    loadtest_logs,
    loadtest_steps,
    loadtest_summaries,
)

LOG, CHUNK, SUMMARY = loadtest_logs.c, loadtest_chunks.c, loadtest_summaries.c
ROW = ("metric", "stat", "value", "unit", "scope", "threshold", "ok")

New = tuple[Addition, Sequence[Part]]


def logs(connection: Connection, step_ids: Collection[str]) -> Sequence[KeptLog]:
    found = [
        read_log(row)
        for some in batches(sorted(step_ids))
        for row in connection.execute(select(loadtest_logs).where(LOG.step_id.in_(some)))
    ]
    return sorted(found, key=in_order)


def log(connection: Connection, log_id: str) -> KeptLog:
    row = connection.execute(select(loadtest_logs).where(LOG.id == log_id)).first()
    if row is None:
        raise not_known("log", log_id)
    return read_log(row)


def chunks(
    connection: Connection, log_id: str, after: int, limit: int, since: int | None
) -> Sequence[Chunk]:
    query = select(loadtest_chunks).where(CHUNK.log_id == log_id, CHUNK.number > after)
    if since is not None:
        query = query.where((CHUNK.last_moment >= since) | CHUNK.last_moment.is_(None))
    return [
        Chunk(row.number, row.lines, row.first_moment, row.last_moment, unpacked(row.packed))
        for row in connection.execute(query.order_by(CHUNK.number).limit(limit))
    ]


def append(
    connection: Connection, fence: int, additions: Sequence[New], cap: Cap, at: datetime
) -> None:
    check(connection, fence)
    known = _stored_steps(connection, {addition.source.step_id for addition, _ in additions})
    here = [new for new in additions if new[0].source.step_id in known]
    kept = _kept(connection, [addition.source.id for addition, _ in here])
    for addition, _ in here:
        check_place(kept.get(addition.source.id), addition)
    _replace(connection, kept, [addition.source.id for addition, _ in here if addition.replaces])
    weights = _weights(connection, _outgrowing(kept, [addition for addition, _ in here], cap))
    growths = [
        stamped(_grown(kept, addition, parts, weights[addition.source.id], cap), at)
        for addition, parts in here
    ]
    _write(connection, kept, growths)


def keep_summaries(connection: Connection, fence: int, step_id: str, summaries: Summaries) -> None:
    check(connection, fence)
    if not _stored_steps(connection, {step_id}):
        return
    these = SUMMARY.step_id == step_id, SUMMARY.runner.in_(list(summaries))
    connection.execute(delete(loadtest_summaries).where(*these))
    rows = [
        {"step_id": step_id, "runner": runner, "number": number, **_summary_row(row)}
        for runner, rows in summaries.items()
        for number, row in enumerate(rows)
    ]
    add(connection, loadtest_summaries, rows)


def summaries(connection: Connection, step_id: str) -> Summaries:
    query = select(loadtest_summaries).where(SUMMARY.step_id == step_id)
    found: dict[int, list[Row]] = defaultdict(list)
    for row in connection.execute(query.order_by(SUMMARY.runner, SUMMARY.number)):
        found[row.runner].append(Row(**{name: getattr(row, name) for name in ROW}))
    return dict(found)


def _summary_row(row: Row) -> Values:
    return {name: getattr(row, name) for name in ROW}


def _stored_steps(connection: Connection, ids: Collection[str]) -> set[str]:
    step_id = loadtest_steps.c.id
    return {
        found
        for some in batches(sorted(ids))
        for found in connection.scalars(select(step_id).where(step_id.in_(some)))
    }


def _kept(connection: Connection, ids: Sequence[str]) -> Mapping[str, KeptLog]:
    found = (
        read_log(row)
        for some in batches(ids)
        for row in connection.execute(select(loadtest_logs).where(LOG.id.in_(some)))
    )
    return {each.source.id: each for each in found}


def _replace(connection: Connection, kept: Mapping[str, KeptLog], log_ids: Sequence[str]) -> None:
    rows = [{"this": log_id} for log_id in log_ids if log_id in kept]
    if rows:
        connection.execute(delete(loadtest_chunks).where(CHUNK.log_id == bindparam("this")), rows)


def _outgrowing(
    kept: Mapping[str, KeptLog], additions: Sequence[Addition], cap: Cap
) -> Sequence[str]:
    return [
        each.source.id
        for each in additions
        if each.source.id in kept and outgrows(kept[each.source.id], each, cap)
    ]


def _weights(connection: Connection, log_ids: Sequence[str]) -> Mapping[str, list[Weight]]:
    """Weigh the chunks of logs that are about to outgrow their cap."""
    columns = CHUNK.log_id, CHUNK.number, CHUNK.lines, CHUNK.size, CHUNK.packed_size
    found: dict[str, list[Weight]] = defaultdict(list)
    for some in batches(log_ids):
        for row in connection.execute(select(*columns).where(CHUNK.log_id.in_(some))):
            weight = Weight(Piece(row.number, row.lines, row.size), row.packed_size)
            found[row.log_id].append(weight)
    return found


def _grown(
    kept: Mapping[str, KeptLog],
    addition: Addition,
    parts: Sequence[Part],
    stored: Sequence[Weight],
    cap: Cap,
) -> Growth:
    before = kept.get(addition.source.id) or KeptLog(addition.source)
    return grown(before, addition, parts, stored, cap)


def _write(connection: Connection, kept: Mapping[str, KeptLog], growths: Sequence[Growth]) -> None:
    rows = [log_row(growth.log) for growth in growths]
    add(connection, loadtest_logs, [row for row in rows if row["id"] not in kept])
    longer = [{"this": row.pop("id"), **row} for row in rows if row["id"] in kept]
    if longer:
        connection.execute(update(loadtest_logs).where(LOG.id == bindparam("this")), longer)
    removed = [
        {"this": growth.log.source.id, "gone": number}
        for growth in growths
        for number in growth.removed
    ]
    if removed:
        this = CHUNK.log_id == bindparam("this"), CHUNK.number == bindparam("gone")
        connection.execute(delete(loadtest_chunks).where(*this), removed)
    add(connection, loadtest_chunks, [row for growth in growths for row in _chunk_rows(growth)])


def _chunk_rows(growth: Growth) -> Sequence[Values]:
    return [
        {
            "log_id": growth.log.source.id,
            "number": number,
            "lines": part.lines,
            "size": part.size,
            "packed_size": len(part.packed),
            "first_moment": part.first_moment,
            "last_moment": part.last_moment,
            "packed": part.packed,
        }
        for number, part in growth.added
    ]
