"""How pushed results and pushes are written as rows, and read from them."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import json
from sqlalchemy import ColumnElement, Connection, Row, Select, Update, exists, select, update

from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import Entry, FileState, Phase, Push, Result
from syncsvc.stores.sql.tables import attachments, pushed_results, pushes

_PUSH = (
    "run_id",
    "project_id",
    "configuration_id",
    "phase",
    "accepted_at",
    "complete_asked_at",
    "completed_at",
    "attempt",
    "reason",
    "planned",
)
_ENTRY = (
    "id",
    "run_id",
    "payload",
    "accepted_at",
    "state",
    "sent_at",
    "target_id",
    "attempt",
    "due_at",
    "claim",
    "reason",
    "settled_at",
    "revived_at",
)
_results = json.Decoder(Result)

SELECT_PUSH = select(*[pushes.c[name] for name in _PUSH])
SELECT_ENTRY = select(*[pushed_results.c[name] for name in _ENTRY])

FILE_WAITS = attachments.c.run_state == FileState.WAITING
HAS_WAITING_FILE = exists().where(attachments.c.run_id == pushes.c.run_id, FILE_WAITS)


def push_row(push: Push) -> dict[str, Any]:
    return {name: getattr(push, name) for name in _PUSH}


def read_push(connection: Connection, run_id: str) -> Push | None:
    row = connection.execute(SELECT_PUSH.where(pushes.c.run_id == run_id)).first()
    return None if row is None else _push(row)


def change_push(run_id: str, **changes: object) -> Update:
    return update(pushes).where(pushes.c.run_id == run_id).values(changes)


def read_entries(connection: Connection, query: Select[Any]) -> list[Entry]:
    return [_entry(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - documented


def hold_push(connection: Connection, run_id: str, *, waits: bool = True) -> bool:
    """Keep others from changing a push, and say whether we do: it may not be there.

    Results can be added to it meanwhile. Who does not wait passes by one that somebody holds.
    """
    query = select(pushes.c.run_id).where(pushes.c.run_id == run_id)
    held = connection.scalar(query.with_for_update(key_share=True, skip_locked=not waits))
    return held is not None


def hold_entries(connection: Connection, which: ColumnElement[bool]) -> Sequence[str]:
    """Keep others from changing these entries, and name them.

    Whoever changes several holds them first, in the order of their ids, so that no two wait for
    each other; who holds their push too has that one before them.
    """
    query = select(pushed_results.c.id).where(which).order_by(pushed_results.c.id)
    return list(connection.scalars(query.with_for_update()))


def _push(row: Row[Any]) -> Push:
    values = dict(row._mapping)  # noqa: SLF001 - the documented name
    return Push(phase=Phase(values.pop("phase")), **values)


def _entry(row: Mapping[Any, Any]) -> Entry:
    values = dict(row)
    result = _results.decode(values.pop("payload"))
    return Entry(result=result, state=EntryState(values.pop("state")), **values)
