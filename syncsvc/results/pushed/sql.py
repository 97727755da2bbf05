"""The outbox of pushed results in SQL. What arrives together is committed together.

A claim is a row whose due moment was moved to the end of the claim, as with held results.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    bindparam,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.errors import Rejected, SyncsvcError, Unknown
from syncsvc.grouping import Grouped
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.pushed import sql_aiming, sql_claiming, sql_forgetting
from syncsvc.results.pushed.model import Batch, Entry, Phase, Push, Result, unkeepable
from syncsvc.results.pushed.ports import Accepted
from syncsvc.results.pushed.sql_accepting import REOPEN, Handed, accept
from syncsvc.results.pushed.sql_rows import (
    HAS_WAITING_FILE,
    SELECT_ENTRY,
    change_push,
    hold_entries,
    hold_push,
    push_row,
    read_entries,
    read_push,
)
from syncsvc.runs.sql import known_runs
from syncsvc.stores.sql.database import BUSY_SECONDS, Database
from syncsvc.stores.sql.tables import pushed_results, pushes

MANY = 100  # results; a call with more has its own transaction
CALLS_AT_ONCE = 20  # so a transaction stores as many as the largest single call, or twice

_OPEN = (EntryState.PENDING, EntryState.HELD)
_BEFORE = {  # the states from which each may be reached
    EntryState.HELD: (EntryState.PENDING,),
    EntryState.DELIVERED: _OPEN,
    EntryState.DEAD: _OPEN,
}


@dataclass
class SqlPushOutbox:
    database: Database
    new_id: Callable[[], str]
    _accept: Grouped[Handed, Accepted] = field(init=False)

    def __post_init__(self) -> None:
        patience = timedelta(seconds=BUSY_SECONDS + 2)
        self._accept = Grouped(self._accept_all, patience=patience, largest=CALLS_AT_ONCE)

    async def open(self, push: Push) -> Push:
        dialect = sqlite if self.database.is_sqlite else postgresql
        adding = dialect.insert(pushes).values(push_row(push))
        newer = {"project_id": push.project_id}
        if push.configuration_id is not None:
            newer["configuration_id"] = push.configuration_id
        upsert = adding.on_conflict_do_update(index_elements=["run_id"], set_=newer)

        def work(connection: Connection) -> Push | None:
            if not known_runs(connection, {push.run_id}):
                return None
            connection.execute(upsert)
            return read_push(connection, push.run_id)

        stored = await self.database.write(work)
        if stored is None:
            raise Unknown(f"run: expected one that is known here, found {push.run_id[:80]!r}")
        return stored

    async def push(self, run_id: str) -> Push | None:
        return await self.database.read(lambda connection: read_push(connection, run_id))

    async def accept(self, run_id: str, results: Sequence[Result], now: datetime) -> Accepted:
        if reason := unkeepable(results):
            raise Rejected(reason)
        call = Handed.of(run_id, results, now, self.new_id)
        if len(results) <= MANY:
            return await self._accept(call)
        (answer,) = await self._accept_all([call])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask_complete(self, run_id: str, now: datetime) -> Push | None:
        asking = change_push(
            run_id, complete_asked_at=func.coalesce(pushes.c.complete_asked_at, _moment(now))
        )

        def work(connection: Connection) -> Push | None:
            connection.execute(asking)
            return read_push(connection, run_id)

        return await self.database.write(work)

    async def claim(self, now: datetime, term: timedelta, limit: int) -> Batch | None:
        claim = sql_claiming.Claim(self.new_id(), now, term, limit)
        waiting = await self.database.read(lambda c: sql_claiming.runs_in_turn(c, claim))
        if not waiting:
            return None
        batch = await self.database.write(lambda c: sql_claiming.claim_first(c, waiting, claim))
        if batch is not None:
            return batch
        return await self.database.write(
            lambda c: sql_claiming.claim_of(c, waiting[0], claim, waits=True)
        )

    async def sending(self, entries: Sequence[Entry], now: datetime) -> bool:
        def work(connection: Connection) -> None:
            if _change_claimed(connection, entries, {"sent_at": now}) < len(entries):
                raise _ClaimLost

        try:
            await self.database.write(work)
        except _ClaimLost:
            return False
        return True

    async def opened(self, run_id: str) -> None:
        opening = change_push(run_id, phase=Phase.OPEN).where(pushes.c.phase == Phase.NEW)
        await self._changed(opening)

    async def settle(
        self,
        entries: Mapping[str, str | None],
        state: EntryState,
        now: datetime,
        reason: str | None,
    ) -> int:
        unsettled = and_(
            pushed_results.c.id.in_(list(entries)), pushed_results.c.state.in_(_BEFORE[state])
        )
        changes = {
            "state": state,
            "target_id": func.coalesce(bindparam("target"), pushed_results.c.target_id),
            "due_at": None,
            "claim": None,
            "attempt": pushed_results.c.attempt + 1,
            "reason": reason,
            "settled_at": None if state is EntryState.HELD else now,
        }
        settling = (
            update(pushed_results).where(pushed_results.c.id == bindparam("entry")).values(changes)
        )

        def work(connection: Connection) -> int:
            ours = hold_entries(connection, unsettled)
            rows = [{"entry": entry, "target": entries[entry]} for entry in ours]
            if rows:
                connection.execute(settling, rows)
            return len(rows)

        return await self.database.write(work)

    async def retry_later(
        self, entries: Sequence[Entry], due_at: datetime, reason: str, *, count: bool
    ) -> None:
        attempt = pushed_results.c.attempt + int(count)
        changes = {"due_at": due_at, "claim": None, "attempt": attempt, "reason": reason}
        await self.database.write(lambda c: _change_claimed(c, entries, changes))

    async def not_sent(self, entries: Sequence[Entry]) -> None:
        await self.database.write(lambda c: _change_claimed(c, entries, {"sent_at": None}))

    async def claim_ending(
        self, now: datetime, term: timedelta, idle_before: datetime
    ) -> tuple[Push, Sequence[Entry]] | None:
        return await self.database.write(
            lambda connection: sql_claiming.claim_ending(connection, now, term, idle_before)
        )

    async def ended(self, run_id: str, accepted_at: datetime, now: datetime) -> bool:
        open_ = exists().where(pushed_results.c.run_id == run_id, pushed_results.c.state.in_(_OPEN))
        ending = change_push(
            run_id, phase=Phase.COMPLETED, completed_at=now, reason=None, ending_due_at=None
        ).where(pushes.c.accepted_at == accepted_at, ~open_, ~HAS_WAITING_FILE)
        beginning_anew = change_push(run_id, phase=Phase.NEW, planned=None)
        alone = select(pushes.c.run_id).where(pushes.c.run_id == run_id).with_for_update()

        def work(connection: Connection) -> bool:
            connection.execute(alone)  # so that what is being handed in now is seen, or sees us
            if connection.execute(ending).rowcount:
                return True
            connection.execute(beginning_anew)
            return False

        return await self.database.write(work)

    async def end_later(self, run_id: str, due_at: datetime, reason: str) -> None:
        failed = {"attempt": pushes.c.attempt + 1, "reason": reason, "ending_due_at": due_at}
        await self._changed(change_push(run_id, **failed))

    async def looked(self, run_id: str, *, planned: bool) -> None:
        await self._changed(change_push(run_id, planned=planned))

    async def aim(self, run_id: str, targets: Mapping[str, str]) -> set[str]:
        return await self.database.write(lambda c: sql_aiming.aim(c, run_id, targets))

    async def targets(self, run_id: str, external_ids: Collection[str]) -> set[str]:
        query = sql_aiming.targets_of(run_id, external_ids)
        return await self.database.read(lambda connection: set(connection.scalars(query)))

    async def contested(self, run_id: str, external_ids: Collection[str]) -> set[str]:
        query = sql_aiming.contested(run_id, external_ids)
        return await self.database.read(lambda connection: set(connection.scalars(query)))

    async def lost(self, entries: Sequence[Entry], now: datetime) -> None:
        await self.database.write(lambda c: sql_aiming.lost(c, entries, now))

    async def entries(self, which: Filter) -> Sequence[Entry]:
        query = SELECT_ENTRY.order_by(pushed_results.c.id.desc()).limit(which.limit)
        if which.state is not None:
            query = query.where(pushed_results.c.state == which.state)
        if which.run_id is not None:
            query = query.where(pushed_results.c.run_id == which.run_id)
        if which.before is not None:
            query = query.where(pushed_results.c.id < which.before)
        return await self.database.read(lambda connection: read_entries(connection, query))

    async def get(self, entry_id: str) -> Entry | None:
        query = SELECT_ENTRY.where(pushed_results.c.id == entry_id)
        found = await self.database.read(lambda connection: read_entries(connection, query))
        return found[0] if found else None

    async def oldest_pending(self, run_id: str) -> Entry | None:
        query = SELECT_ENTRY.where(
            pushed_results.c.run_id == run_id, pushed_results.c.state == EntryState.PENDING
        )
        oldest = query.order_by(pushed_results.c.id).limit(1)
        found = await self.database.read(lambda connection: read_entries(connection, oldest))
        return found[0] if found else None

    async def counts(self, run_id: str | None = None) -> dict[EntryState, int]:
        query = select(pushed_results.c.state, func.count()).group_by(pushed_results.c.state)
        if run_id is not None:
            query = query.where(pushed_results.c.run_id == run_id)
        rows = await self.database.read(lambda connection: connection.execute(query).all())
        return {EntryState(row[0]): row[1] for row in rows}

    async def revive(self, entry_id: str | None, run_id: str | None, now: datetime) -> int:
        of_runs = select(pushed_results.c.run_id).where(_dead(entry_id, run_id)).distinct()
        revived = 0
        for run in await self.database.read(lambda c: list(c.scalars(of_runs))):
            dead = _dead(entry_id, run)
            revived += await self.database.write(partial(_revive, run_id=run, which=dead, now=now))
        return revived

    async def drop(self, entry_id: str | None, run_id: str | None) -> int:
        dead = _dead(entry_id, run_id)
        return await self._some_by_some(lambda c: sql_forgetting.remove_results(c, dead))

    async def forget(self, before: datetime) -> int:
        forgotten = await self._some_by_some(lambda c: sql_forgetting.delivered(c, before))
        await self._some_by_some(lambda c: sql_forgetting.files(c, before))
        await self._some_by_some(lambda c: sql_forgetting.contents(c, before))
        await self._some_by_some(lambda c: sql_forgetting.completed(c, before))
        return forgotten

    async def _some_by_some(self, remove: Callable[[Connection], int]) -> int:
        removed = 0
        while some := await self.database.write(remove):
            removed += some
        return removed

    async def _accept_all(self, calls: Sequence[Handed]) -> Sequence[Accepted | Exception]:
        return await self.database.write(lambda connection: accept(connection, calls))

    async def _changed(self, statement: Update) -> int:
        return await self.database.write(lambda connection: connection.execute(statement).rowcount)


class _ClaimLost(SyncsvcError):
    """Takes back what was written for entries of which some belong to another claim now."""


def _moment(now: datetime) -> ColumnElement[datetime]:
    return bindparam("moment", now, type_=pushes.c.accepted_at.type)


def _change_claimed(
    connection: Connection, entries: Sequence[Entry], changes: Mapping[str, object]
) -> int:
    """Change entries that are still ours, and count them."""
    claims = {entry.claim for entry in entries if entry.claim is not None}
    ours = and_(
        pushed_results.c.id.in_([entry.id for entry in entries]), pushed_results.c.claim.in_(claims)
    )
    hold_entries(connection, ours)
    return connection.execute(update(pushed_results).where(ours).values(changes)).rowcount


def _revive(
    connection: Connection, *, run_id: str, which: ColumnElement[bool], now: datetime
) -> int:
    """Begin anew with entries of a run, and with its push; count them."""
    hold_push(connection, run_id)
    hold_entries(connection, which)
    changes = {
        "state": EntryState.PENDING,
        "due_at": now,
        "revived_at": now,
        "attempt": 0,
        "settled_at": None,
    }
    revived = connection.execute(update(pushed_results).where(which).values(changes)).rowcount
    if revived:
        connection.execute(change_push(run_id, **REOPEN))
    return revived


def _dead(entry_id: str | None, run_id: str | None) -> ColumnElement[bool]:
    which = pushed_results.c.state == EntryState.DEAD
    if entry_id is not None:
        which = and_(which, pushed_results.c.id == entry_id)
    if run_id is not None:
        which = and_(which, pushed_results.c.run_id == run_id)
    return which
