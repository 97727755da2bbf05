"""Pushed results enter the database: many calls, one transaction.

Rows are written in the order of their keys and pushes changed in the order of their runs, so
that no two transactions wait for each other. A run and the files that a result names are kept
from being forgotten while the transaction lasts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import json
from sqlalchemy import Connection, bindparam, case, insert, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import Phase, Result
from syncsvc.results.pushed.ports import Accepted
from syncsvc.stores.sql.tables import attachments, pushed_results, pushes, result_attachments

_encoder = json.Encoder()
_COMPLETED = pushes.c.phase == Phase.COMPLETED

REOPEN = {  # what a completed push becomes when something of it is pending again
    "phase": case((_COMPLETED, Phase.NEW), else_=pushes.c.phase),
    "completed_at": null(),
    "attempt": case((_COMPLETED, 0), else_=pushes.c.attempt),
    "reason": case((_COMPLETED, null()), else_=pushes.c.reason),
    "planned": case((_COMPLETED, null()), else_=pushes.c.planned),
}
_NOTE_NEW = (  # without asking for the phase first: a push may be ended at this moment
    update(pushes)
    .where(pushes.c.run_id == bindparam("run"))
    .values(
        **REOPEN,
        accepted_at=case(
            (pushes.c.accepted_at < bindparam("moment"), bindparam("moment")),
            else_=pushes.c.accepted_at,
        ),
        complete_asked_at=case((_COMPLETED, null()), else_=pushes.c.complete_asked_at),
    )
)


@dataclass(frozen=True, slots=True)
class Handed:
    """The results of one call, as rows with ids of their own."""

    run_id: str
    rows: Sequence[dict[str, Any]]
    links: Sequence[dict[str, str]]  # rows that say which result names which file
    now: datetime

    @classmethod
    def of(
        cls, run_id: str, results: Sequence[Result], now: datetime, new_id: Callable[[], str]
    ) -> "Handed":
        rows = [_row(new_id(), run_id, result, now) for result in results]
        links = [
            {"result_id": row["id"], "digest": digest, "run_id": run_id}
            for row, result in zip(rows, results, strict=True)
            for digest in {file.digest for file in result.attachments}
        ]
        return cls(run_id, rows, links, now)


def accept(connection: Connection, calls: Sequence[Handed]) -> Sequence[Accepted | Exception]:
    """Store what may be stored; give for each call how many were new, or why it was refused."""
    refused = _refused(connection, calls)
    taken = [call for call, reason in zip(calls, refused, strict=True) if reason is None]
    added = _insert(connection, [row for call in taken for row in call.rows])
    links = [link for call in taken for link in call.links if link["result_id"] in added]
    if links:
        connection.execute(insert(result_attachments), links)
    _note(connection, [call for call in taken if _new(call, added)])
    return [
        reason or Accepted(_new(call, added), len(call.rows) - _new(call, added))
        for call, reason in zip(calls, refused, strict=True)
    ]


def _refused(connection: Connection, calls: Sequence[Handed]) -> Sequence[Exception | None]:
    known = _known_runs(connection, {call.run_id for call in calls})
    wanted = {(link["run_id"], link["digest"]) for call in calls for link in call.links}
    present = _present(connection, wanted) if wanted else set()
    return [
        _missing_file(call, present) if call.run_id in known else unknown(call.run_id)
        for call in calls
    ]


def _known_runs(connection: Connection, runs: set[str]) -> set[str]:
    query = select(pushes.c.run_id).where(pushes.c.run_id.in_(runs)).order_by(pushes.c.run_id)
    return set(connection.scalars(query.with_for_update(read=True, key_share=True)))


def _present(connection: Connection, wanted: set[tuple[str, str]]) -> set[tuple[str, str]]:
    query = (
        select(attachments.c.run_id, attachments.c.digest)
        .where(
            attachments.c.run_id.in_({run for run, _ in wanted}),
            attachments.c.digest.in_({digest for _, digest in wanted}),
        )
        .order_by(attachments.c.run_id, attachments.c.digest)
        .with_for_update(read=True, key_share=True)
    )
    return {(row[0], row[1]) for row in connection.execute(query)}


def _missing_file(call: Handed, present: set[tuple[str, str]]) -> Exception | None:
    for link in call.links:
        if (link["run_id"], link["digest"]) not in present:
            return Rejected(
                f"attachments: expected files that run {call.run_id[:80]!r} has, "
                f"found {link['digest']}: upload it first"
            )
    return None


def unknown(run_id: str) -> Unknown:
    return Unknown(f"run: expected one that is open for results, found {run_id[:80]!r}")


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[str]:
    if not rows:
        return set()
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(pushed_results).on_conflict_do_nothing()
    ordered = sorted(rows, key=lambda row: (row["run_id"], row["key"] or ""))
    return set(connection.scalars(statement.returning(pushed_results.c.id), ordered))


def _note(connection: Connection, calls: Sequence[Handed]) -> None:
    newest: dict[str, datetime] = {}
    for call in calls:
        newest[call.run_id] = max(call.now, newest.get(call.run_id, call.now))
    rows = [{"run": run, "moment": newest[run]} for run in sorted(newest)]
    if rows:
        connection.execute(_NOTE_NEW, rows)


def _new(call: Handed, added: set[str]) -> int:
    return sum(row["id"] in added for row in call.rows)


def _row(entry_id: str, run_id: str, result: Result, now: datetime) -> dict[str, Any]:
    return {
        "id": entry_id,
        "run_id": run_id,
        "external_id": result.external_id,
        "key": result.key,
        "payload": _encoder.encode(result),
        "accepted_at": now,
        "state": EntryState.PENDING,
        "attempt": 0,
        "due_at": now,
    }
