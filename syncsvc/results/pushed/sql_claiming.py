"""Claims on pushed results: rows whose due moment was moved to the end of the claim.

Who claims holds the row of the push meanwhile, so claims of one run follow each other, and a
new run cannot have two batches out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import Batch, Entry, Phase, Push
from syncsvc.results.pushed.sql_rows import (
    HAS_WAITING_FILE,
    SELECT_ENTRY,
    change_push,
    hold_push,
    read_entries,
    read_push,
)
from syncsvc.stores.sql.tables import pushed_results, pushes

RUNS_TRIED = 20  # of those that wait, in their turn
LOOK_AHEAD = 4  # times the batch, for tests that are not in it yet

_PENDING = pushed_results.c.state == EntryState.PENDING
_OF_PUSH = pushed_results.c.run_id == pushes.c.run_id
_UNFINISHED = pushes.c.phase.in_((Phase.NEW, Phase.OPEN))


@dataclass(frozen=True, slots=True)
class Claim:
    """One wish to hold up to `limit` entries until the term ends."""

    token: str
    now: datetime
    term: timedelta
    limit: int

    @property
    def ends_at(self) -> datetime:
        return self.now + self.term


def runs_in_turn(connection: Connection, claim: Claim) -> Sequence[str]:
    """Name the runs with entries that may be claimed, longest unserved first."""
    query = (
        select(pushes.c.run_id)
        .where(_may_be_claimed(claim.now))
        .order_by(pushes.c.served_at.asc().nulls_first(), pushes.c.run_id)
        .limit(RUNS_TRIED)
    )
    return list(connection.scalars(query))


def claim_first(connection: Connection, runs: Sequence[str], claim: Claim) -> Batch | None:
    """Claim of the first of the runs that nobody else is claiming of at this moment."""
    for run_id in runs:
        if batch := claim_of(connection, run_id, claim, waits=False):
            return batch
    return None


def claim_of(connection: Connection, run_id: str, claim: Claim, *, waits: bool) -> Batch | None:
    """Claim of one run; None when there is nothing, or somebody else does and we do not wait."""
    mine = hold_push(connection, run_id, waits=waits)
    if not mine or not _still_may(connection, run_id, claim.now):
        return None
    entries = _claim_entries(connection, run_id, claim)
    push = read_push(connection, run_id)
    if not entries or push is None:
        return None
    connection.execute(change_push(run_id, served_at=claim.now))
    more = _has_more(connection, run_id, claim.token) or _has_files(connection, run_id)
    return Batch(push, entries, push.phase is Phase.NEW, more)


def claim_ending(
    connection: Connection, now: datetime, term: timedelta, idle_before: datetime
) -> tuple[Push, Sequence[Entry]] | None:
    """Claim the run that waits longest for its end."""
    asked = or_(pushes.c.complete_asked_at.is_not(None), pushes.c.accepted_at < idle_before)
    due = or_(pushes.c.ending_due_at.is_(None), pushes.c.ending_due_at <= now)
    ready = (
        select(pushes.c.run_id)
        .where(_UNFINISHED, asked, due, ~exists().where(_OF_PUSH, _PENDING))
        .order_by(pushes.c.accepted_at, pushes.c.run_id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    run_id = connection.scalar(ready)
    push = None if run_id is None else read_push(connection, run_id)
    if push is None:
        return None
    connection.execute(change_push(push.run_id, ending_due_at=now + term))
    held = SELECT_ENTRY.where(
        pushed_results.c.run_id == push.run_id, pushed_results.c.state == EntryState.HELD
    )
    return push, read_entries(connection, held)


def _may_be_claimed(now: datetime) -> ColumnElement[bool]:
    due = exists().where(_OF_PUSH, _PENDING, pushed_results.c.due_at <= now)
    out = exists().where(
        _OF_PUSH, pushed_results.c.claim.is_not(None), pushed_results.c.due_at > now
    )
    return and_(_UNFINISHED, due, or_(pushes.c.phase != Phase.NEW, ~out))


def _still_may(connection: Connection, run_id: str, now: datetime) -> bool:
    """Look again while nobody else can claim of the run."""
    query = select(pushes.c.run_id).where(pushes.c.run_id == run_id, _may_be_claimed(now))
    return connection.scalar(query) is not None


def _claim_entries(connection: Connection, run_id: str, claim: Claim) -> Sequence[Entry]:
    due = and_(_PENDING, pushed_results.c.due_at <= claim.now)
    of_run = and_(pushed_results.c.run_id == run_id, due)
    chosen = _one_of_each_test(connection, of_run, claim.limit)
    # Without the run, which would have PostgreSQL read all of its rows to find these.
    free = select(pushed_results.c.id).where(pushed_results.c.id.in_(chosen), due)
    ids = list(connection.scalars(free.with_for_update(skip_locked=True)))
    taken = update(pushed_results).where(pushed_results.c.id.in_(ids))
    connection.execute(taken.values(claim=claim.token, due_at=claim.ends_at))
    mine = SELECT_ENTRY.where(
        pushed_results.c.id.in_(ids), pushed_results.c.claim == claim.token
    ).order_by(pushed_results.c.id)
    return read_entries(connection, mine)


def _one_of_each_test(
    connection: Connection, due: ColumnElement[bool], limit: int
) -> Sequence[str]:
    """Choose ids; only where the next ones repeat few tests are all that wait looked through."""
    ahead = (
        select(pushed_results.c.external_id, pushed_results.c.id)
        .where(due)
        .order_by(pushed_results.c.due_at, pushed_results.c.id)
        .limit(limit * LOOK_AHEAD)
    )
    rows = connection.execute(ahead).all()
    first: dict[str, str] = {}
    for external_id, entry_id in rows:
        first.setdefault(external_id, entry_id)
    if len(first) >= limit or len(rows) < limit * LOOK_AHEAD:
        return list(islice(first.values(), limit))
    oldest = func.min(pushed_results.c.id)
    of_all = select(oldest).where(due).group_by(pushed_results.c.external_id).order_by(oldest)
    return list(connection.scalars(of_all.limit(limit)))


def _has_files(connection: Connection, run_id: str) -> bool:
    query = select(pushes.c.run_id).where(pushes.c.run_id == run_id, HAS_WAITING_FILE)
    return connection.scalar(query) is not None


def _has_more(connection: Connection, run_id: str, token: str) -> bool:
    others = (
        select(pushed_results.c.id)
        .where(
            pushed_results.c.run_id == run_id,
            _PENDING,
            pushed_results.c.claim.is_distinct_from(token),
        )
        .limit(1)
    )
    return connection.scalar(others) is not None
