"""Files that belong to a run itself, in SQL; a run that has one waiting is not ended."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, Update, case, func, literal, or_, select, update

from syncsvc.errors import Rejected
from syncsvc.results.pushed.model import AttachmentRef, FileState, Phase
from syncsvc.results.pushed.ports import RunFile
from syncsvc.results.pushed.sql_accepting import REOPEN, unknown
from syncsvc.results.pushed.sql_rows import FILE_WAITS, change_push, hold_push
from syncsvc.stores.sql.tables import attachments, pushes

_ASKED_AGAIN = case(
    (
        pushes.c.phase == Phase.COMPLETED,
        func.coalesce(pushes.c.complete_asked_at, pushes.c.accepted_at),
    ),
    else_=pushes.c.complete_asked_at,
)


def attach(
    connection: Connection, run_id: str, files: Sequence[AttachmentRef], now: datetime
) -> int:
    """Note files, and have the run ended again, while nobody else can end it."""
    if not hold_push(connection, run_id):
        raise unknown(run_id)
    _check_present(connection, run_id, [file.digest for file in files])
    added = sum(connection.execute(_belonging(run_id, file)).rowcount for file in files)
    if added:
        moment = literal(now, pushes.c.accepted_at.type)
        newest = case((pushes.c.accepted_at < moment, moment), else_=pushes.c.accepted_at)
        again = {**REOPEN, "accepted_at": newest, "complete_asked_at": _ASKED_AGAIN}
        connection.execute(change_push(run_id, **again))
    return added


def of_run(connection: Connection, run_id: str) -> Sequence[RunFile]:
    query = (
        select(
            attachments.c.digest,
            attachments.c.run_name,
            attachments.c.run_state,
            attachments.c.run_reason,
        )
        .where(attachments.c.run_id == run_id, attachments.c.run_state.is_not(None))
        .order_by(attachments.c.digest)
    )
    rows = connection.execute(query).all()
    return [RunFile(digest, name, FileState(state), why) for digest, name, state, why in rows]


def settled(run_id: str, digests: Collection[str], state: FileState, reason: str | None) -> Update:
    return (
        update(attachments)
        .where(attachments.c.run_id == run_id, attachments.c.digest.in_(list(digests)), FILE_WAITS)
        .values(run_state=state, run_reason=reason)
    )


def _check_present(connection: Connection, run_id: str, digests: Collection[str]) -> None:
    query = (
        select(attachments.c.digest)
        .where(attachments.c.run_id == run_id, attachments.c.digest.in_(digests))
        .order_by(attachments.c.digest)
        .with_for_update(key_share=True)
    )
    missing = set(digests) - set(connection.scalars(query))
    if missing:
        raise Rejected(
            f"attachments: expected files that run {run_id[:80]!r} has, "
            f"found {min(missing)}: upload it first"
        )


def _belonging(run_id: str, file: AttachmentRef) -> Update:
    free = or_(attachments.c.run_state.is_(None), attachments.c.run_state == FileState.REFUSED)
    return (
        update(attachments)
        .where(attachments.c.run_id == run_id, attachments.c.digest == file.digest, free)
        .values(
            run_name=func.coalesce(attachments.c.run_name, file.name),
            run_state=FileState.WAITING,
            run_reason=None,
        )
    )
