"""Which result in Test IT belongs to which pushed one, in SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import Entry
from syncsvc.results.pushed.sql_rows import hold_entries, hold_push
from syncsvc.stores.sql.tables import pushed_results

_PENDING = pushed_results.c.state == EntryState.PENDING
_AIM = (
    update(pushed_results)
    .where(pushed_results.c.id == bindparam("entry"))
    .values(target_id=bindparam("target"))
)


def aim(connection: Connection, run_id: str, targets: Mapping[str, str]) -> set[str]:
    """Give each entry its target unless another one has it; tell who has theirs.

    The row of the push is held meanwhile, so that no two aim at once; entries are written in the
    order of their ids, as by whoever settles them.
    """
    hold_push(connection, run_id)
    known = _targets_of_these_tests(connection, run_id, targets)
    taken = {target for target in known.values() if target is not None}
    aimed = {entry for entry, target in targets.items() if known.get(entry) == target}
    rows = []
    for entry, target in targets.items():
        if entry in known and known[entry] is None and target not in taken:
            taken.add(target)
            rows.append({"entry": entry, "target": target})
    if rows:
        connection.execute(_AIM, sorted(rows, key=itemgetter("entry")))
    return aimed | {row["entry"] for row in rows}


def targets_of(run_id: str, external_ids: Collection[str]) -> Select[Any]:
    """Select the targets that the run's entries of these tests have."""
    return select(pushed_results.c.target_id).where(
        _of_tests(run_id, external_ids), pushed_results.c.target_id.is_not(None)
    )


def contested(run_id: str, external_ids: Collection[str]) -> Select[Any]:
    """Select those of these tests of which several entries were posted and have no target."""
    return (
        select(pushed_results.c.external_id)
        .where(
            _of_tests(run_id, external_ids),
            pushed_results.c.sent_at.is_not(None),
            pushed_results.c.target_id.is_(None),
        )
        .group_by(pushed_results.c.external_id)
        .having(func.count() > 1)
    )


def lost(connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
    """Make entries whose results are gone pending, as if they were never posted."""
    had_target = and_(_PENDING, pushed_results.c.target_id.is_not(None))
    which = and_(
        pushed_results.c.id.in_([entry.id for entry in entries]),
        or_(pushed_results.c.state == EntryState.HELD, had_target),
    )
    hold_entries(connection, which)
    anew = {
        "state": EntryState.PENDING,
        "due_at": now,
        "claim": None,
        "sent_at": None,
        "target_id": None,
    }
    connection.execute(update(pushed_results).where(which).values(anew))


def _of_tests(run_id: str, external_ids: Collection[str]) -> ColumnElement[bool]:
    return and_(
        pushed_results.c.run_id == run_id, pushed_results.c.external_id.in_(list(external_ids))
    )


def _targets_of_these_tests(
    connection: Connection, run_id: str, entries: Collection[str]
) -> dict[str, str | None]:
    tests = select(pushed_results.c.external_id).where(
        pushed_results.c.id.in_(list(entries)), pushed_results.c.run_id == run_id
    )
    found = select(pushed_results.c.id, pushed_results.c.target_id).where(
        _of_tests(run_id, list(connection.scalars(tests)))
    )
    return {row[0]: row[1] for row in connection.execute(found)}
