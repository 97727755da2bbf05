"""The outbox in SQL. What arrives together is committed, or asked for, together.

A claim is a row whose due moment was moved to the end of the claim: whoever comes meanwhile
passes it by, and when its holder dies it is simply due again. PostgreSQL skips rows that
somebody is claiming at this moment; SQLite has one writer at a time anyway.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from syncsvc.errors import Unknown
from syncsvc.grouping import Grouped
from syncsvc.results.held.model import Cut, Entry, EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.runs.sql import known_runs
from syncsvc.stores.sql.database import BUSY_SECONDS, ROWS_AT_ONCE, Database
from syncsvc.stores.sql.tables import outbox, pushes, results, runs

_CUT = ("run_id", "external_id", "status_code", "status_type", "project_id", "started_on")
_OPEN = (EntryState.HELD, EntryState.PENDING)
_TRIED = (EntryState.PENDING, EntryState.DELIVERED)  # once they are due
_ENTRY = (
    "id",
    "state",
    "forced",
    "target_id",
    "attempt",
    "due_at",
    "released_at",
    "claim",
    "reason",
    "settled_at",
    "writes",
)


@dataclass
class SqlOutbox:
    database: Database
    new_id: Callable[[], str]
    _hold: Grouped[tuple[Cut, datetime], str] = field(init=False)
    _is_held: Grouped[str, bool] = field(init=False)

    def __post_init__(self) -> None:
        patience = timedelta(seconds=BUSY_SECONDS + 2)
        self._hold = Grouped(self._hold_all, patience=patience)
        self._is_held = Grouped(self._are_held, patience=patience)

    async def hold(self, cut: Cut, now: datetime) -> str:
        return await self._hold((cut, now))

    async def held_runs(self) -> Sequence[tuple[str, datetime]]:
        query = (
            select(outbox.c.run_id, func.max(outbox.c.created_at, type_=outbox.c.created_at.type))
            .where(outbox.c.state == EntryState.HELD)
            .group_by(outbox.c.run_id)
        )
        return await self.database.read(
            lambda connection: [(row[0], row[1]) for row in connection.execute(query)]
        )

    async def release(self, run_id: str, now: datetime, *, forced: bool) -> int:
        states = _OPEN if forced else _OPEN[:1]
        which = and_(outbox.c.run_id == run_id, outbox.c.state.in_(states))
        changes = {"state": EntryState.PENDING, "due_at": now, "released_at": now}
        if forced:
            changes["forced"] = True
        return await self._changed(update(outbox).values(changes), which)

    async def claim_due(self, now: datetime, term: timedelta, limit: int) -> Sequence[Entry]:
        claim = self.new_id()
        due = (
            select(outbox.c.id)
            .where(outbox.c.state.in_(_TRIED), outbox.c.due_at <= now)
            .order_by(outbox.c.run_id, outbox.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

        def work(connection: Connection) -> list[Entry]:
            ids = list(connection.scalars(due))
            if not ids:
                return []
            claimed = update(outbox).where(outbox.c.id.in_(ids))
            connection.execute(claimed.values(claim=claim, due_at=now + term))
            return _read(connection, _entries().where(outbox.c.claim == claim))

        return await self.database.write(work)

    async def aim(self, targets: Mapping[str, str]) -> None:
        statement = (
            update(outbox)
            .where(outbox.c.id == bindparam("entry"))
            .values(target_id=bindparam("target"))
        )
        rows = [{"entry": entry, "target": target} for entry, target in sorted(targets.items())]
        await self.database.write(lambda connection: connection.execute(statement, rows))

    async def aimed(self, run_id: str) -> Sequence[str]:
        query = select(outbox.c.target_id).where(
            outbox.c.run_id == run_id, outbox.c.target_id.is_not(None)
        )
        return await self.database.read(lambda connection: list(connection.scalars(query)))

    async def put_back(self, entry: Entry, state: EntryState, due_at: datetime | None) -> bool:
        changes = {"state": state, "due_at": due_at, "claim": None, "settled_at": None}
        return bool(await self._changed(update(outbox).values(changes), _claimed(entry)))

    async def retry_later(self, entry: Entry, due_at: datetime, reason: str) -> bool:
        changes = {
            "due_at": due_at,
            "claim": None,
            "attempt": outbox.c.attempt + 1,
            "reason": reason,
        }
        return bool(await self._changed(update(outbox).values(changes), _claimed(entry)))

    async def written(
        self, entry: Entry, now: datetime, look_again_at: datetime, remark: str | None
    ) -> bool:
        changes = {
            "state": EntryState.DELIVERED,
            "due_at": look_again_at,
            "claim": None,
            "attempt": outbox.c.attempt + 1,
            "writes": outbox.c.writes + 1,
            "reason": remark,
            "settled_at": now,
        }
        return bool(await self._changed(update(outbox).values(changes), _claimed(entry)))

    async def settle(
        self, entry: Entry, state: EntryState, now: datetime, reason: str | None
    ) -> bool:
        changes = {
            "state": state,
            "due_at": None,
            "claim": None,
            "attempt": outbox.c.attempt + 1,
            "reason": reason,
            "settled_at": now,
        }
        return bool(await self._changed(update(outbox).values(changes), _claimed(entry)))

    async def revive(self, entry_id: str | None, now: datetime) -> int:
        changes = {
            "state": EntryState.PENDING,
            "due_at": now,
            "released_at": now,
            "attempt": 0,
            "writes": 0,
            "settled_at": None,
        }
        return await self._changed(update(outbox).values(changes), _dead(entry_id, None))

    async def drop(self, entry_id: str | None, run_id: str | None) -> int:
        return await self._changed(delete(outbox), _dead(entry_id, run_id))

    async def entries(self, which: Filter) -> Sequence[Entry]:
        query = _entries().order_by(outbox.c.id.desc())
        if which.state is not None:
            query = query.where(outbox.c.state == which.state)
        if which.run_id is not None:
            query = query.where(outbox.c.run_id == which.run_id)
        if which.before is not None:
            query = query.where(outbox.c.id < which.before)
        query = query.limit(which.limit)
        return await self.database.read(lambda connection: _read(connection, query))

    async def get(self, entry_id: str) -> Entry | None:
        query = _entries().where(outbox.c.id == entry_id)
        found = await self.database.read(lambda connection: _read(connection, query))
        return found[0] if found else None

    async def counts(self, run_id: str | None = None) -> dict[EntryState, int]:
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        if run_id is not None:
            query = query.where(outbox.c.run_id == run_id)
        rows = await self.database.read(lambda connection: connection.execute(query).all())
        return {EntryState(row[0]): row[1] for row in rows}

    async def is_held(self, run_id: str) -> bool:
        return await self._is_held(run_id)

    async def forget(self, before: datetime) -> int:
        is_over = and_(outbox.c.state == EntryState.DELIVERED, outbox.c.due_at.is_(None))
        old = and_(is_over, outbox.c.settled_at < before)
        orphan = results.c.held_at < before, ~exists().where(outbox.c.id == results.c.id)

        def work(connection: Connection) -> int:
            forgotten = connection.execute(delete(outbox).where(old)).rowcount
            connection.execute(delete(results).where(*orphan))
            return forgotten

        forgotten = await self.database.write(work)
        while await self.database.write(lambda connection: _forget_runs(connection, before)):
            pass
        return forgotten

    async def _hold_all(self, cuts: Sequence[tuple[Cut, datetime]]) -> Sequence[str | Exception]:
        def work(connection: Connection) -> Sequence[str | Exception]:
            known = known_runs(connection, {cut.run_id for cut, _ in cuts})
            ids = [self.new_id() if cut.run_id in known else _unknown(cut) for cut, _ in cuts]
            pairs = zip(ids, cuts, strict=True)
            rows = [(found, *cut) for found, cut in pairs if isinstance(found, str)]
            if rows:
                connection.execute(insert(results), [_result_row(*row) for row in rows])
                connection.execute(insert(outbox), [_entry_row(*row) for row in rows])
            return ids

        return await self.database.write(work)

    async def _are_held(self, run_ids: Sequence[str]) -> Sequence[bool]:
        query = (
            select(outbox.c.run_id)
            .where(outbox.c.run_id.in_(set(run_ids)), outbox.c.state.in_(_OPEN))
            .distinct()
        )
        held = await self.database.read(lambda connection: set(connection.scalars(query)))
        return [run_id in held for run_id in run_ids]

    async def _changed(self, statement: Update | Delete, which: ColumnElement[bool]) -> int:
        """Change entries, held first in the order of their ids: so no two wait for each other."""
        ours = select(outbox.c.id).where(which).order_by(outbox.c.id).with_for_update()

        def work(connection: Connection) -> int:
            connection.execute(ours)
            return connection.execute(statement.where(which)).rowcount

        return await self.database.write(work)


def _forget_runs(connection: Connection, before: datetime) -> int:
    """Forget some runs that nobody uses, passing by those in use at this moment; count them."""
    idle = (
        runs.c.registered_at < before,
        ~exists().where(results.c.run_id == runs.c.id),
        ~exists().where(pushes.c.run_id == runs.c.id),
    )
    some = select(runs.c.id).where(*idle).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
    ours = list(connection.scalars(some))
    if not ours:
        return 0
    return connection.execute(delete(runs).where(runs.c.id.in_(ours), *idle)).rowcount


def _claimed(entry: Entry) -> ColumnElement[bool]:
    return and_(outbox.c.id == entry.id, outbox.c.claim == entry.claim)


def _dead(entry_id: str | None, run_id: str | None) -> ColumnElement[bool]:
    which = outbox.c.state == EntryState.DEAD
    if entry_id is not None:
        which = and_(which, outbox.c.id == entry_id)
    if run_id is not None:
        which = and_(which, outbox.c.run_id == run_id)
    return which


def _unknown(cut: Cut) -> Unknown:
    return Unknown(
        f"testRunId: expected a run that a worker has registered for, found {cut.run_id[:80]!r}"
    )


def _result_row(entry_id: str, cut: Cut, now: datetime) -> dict[str, Any]:
    return {"id": entry_id, "held_at": now, **{name: getattr(cut, name) for name in _CUT}}


def _entry_row(entry_id: str, cut: Cut, now: datetime) -> dict[str, Any]:
    return {
        "id": entry_id,
        "run_id": cut.run_id,
        "state": EntryState.HELD,
        "forced": False,
        "attempt": 0,
        "created_at": now,
    }


def _entries() -> Select[Any]:
    columns = [results.c[name] for name in _CUT] + [outbox.c[name] for name in _ENTRY]
    return select(*columns, results.c.held_at).join_from(
        outbox, results, outbox.c.id == results.c.id
    )


def _read(connection: Connection, query: Select[Any]) -> list[Entry]:
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: Row[Any]) -> Entry:
    values = dict(row._mapping)  # noqa: SLF001 - the documented name
    cut = Cut(**{name: values.pop(name) for name in _CUT})
    return Entry(cut=cut, state=EntryState(values.pop("state")), **values)
