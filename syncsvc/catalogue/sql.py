"""The record of syncs and of their units in SQL. Each call is one transaction, or reads."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from syncsvc.catalogue import sql_committing, sql_history, sql_runs, sql_units
from syncsvc.catalogue.model import ErrorClass, PhaseProgress, RunStatus, SyncEvent, SyncRun
from syncsvc.catalogue.ports import Begun, CustomerPulse, CustomerState, NewRun, RunFilter
from syncsvc.catalogue.sql_rows import Journal
from syncsvc.catalogue.work import Claimed, Committed, Step, Unit
from syncsvc.errors import Conflict
from syncsvc.stores.sql.database import Database

TRIES = 3  # to begin a run

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class SqlSync:
    """Both ports, SyncRuns and SyncUnits: runs and units are changed together."""

    database: Database
    new_id: Callable[[], str]

    async def begin(self, new: NewRun) -> Begun:
        for _ in range(TRIES):
            try:
                return await self._write(new.now, lambda journal: sql_runs.begin(journal, new))
            except IntegrityError:
                continue  # another was recorded meanwhile, past the lock; now it is seen
        raise Conflict(f"sync run: expected an id that is new, found {new.id!r}")

    async def run(self, run_id: str) -> SyncRun:
        return await self.database.read(lambda c: sql_history.run(c, run_id))

    async def runs(self, which: RunFilter) -> Sequence[SyncRun]:
        return await self.database.read(lambda c: sql_history.runs(c, which))

    async def phases(self, run_id: str) -> Sequence[PhaseProgress]:
        return await self.database.read(lambda c: sql_history.phases(c, run_id))

    async def units(self, run_id: str) -> Sequence[Unit]:
        return await self.database.read(lambda c: sql_history.units(c, run_id))

    async def events(self, run_id: str) -> Sequence[SyncEvent]:
        return await self.database.read(lambda c: sql_history.events(c, run_id))

    async def note(self, event: SyncEvent) -> None:
        await self._write(event.at, lambda journal: journal.write(event))

    async def close(
        self,
        run_id: str,
        status: RunStatus,
        now: datetime,
        *,
        reason: str,
        error_class: ErrorClass | None = None,
    ) -> SyncRun:
        return await self._write(
            now, lambda journal: sql_runs.close(journal, run_id, status, reason, error_class)
        )

    async def dead(self, shared_since: datetime, alone_since: datetime) -> Sequence[SyncRun]:
        return await self.database.read(lambda c: sql_runs.dead(c, shared_since, alone_since))

    async def take_slot(self, customer: str, slot: datetime) -> bool:
        return await self.database.write(lambda c: sql_runs.take_slot(c, customer, slot))

    async def return_slot(self, customer: str, slot: datetime) -> None:
        await self.database.write(lambda c: sql_runs.return_slot(c, customer, slot))

    async def state(self, customer: str) -> CustomerState:
        return await self.database.read(lambda c: sql_history.state(c, customer))

    async def pulse(self, customer: str) -> CustomerPulse:
        return await self.database.read(lambda c: sql_history.pulse(c, customer))

    async def forget(self, before: datetime) -> int:
        forgotten = 0
        while some := await self.database.write(lambda c: sql_history.forget_some(c, before)):
            forgotten += some
        await self.database.write(lambda c: sql_history.forget_events(c, before))
        return forgotten

    async def claim(
        self, now: datetime, term: timedelta, run_id: str | None = None
    ) -> Claimed | None:
        wish = sql_units.Wish(self.new_id(), term)
        waiting = await self.database.read(lambda c: sql_units.runs_in_turn(c, now, run_id))
        if not waiting:
            return None
        claimed = await self._write(now, lambda j: sql_units.claim_first(j, waiting, wish))
        if claimed is not None:
            return claimed
        return await self._write(now, lambda j: sql_units.claim_of(j, waiting[0], wish, waits=True))

    async def keep(
        self, claims: Collection[str], runs: Collection[str], now: datetime, term: timedelta
    ) -> Collection[str]:
        def work(connection: Connection) -> set[str]:
            of_claims = sql_units.runs_of(connection, claims)
            held = sql_units.hold_running(connection, of_claims.union(runs))
            sql_units.keep_runs(connection, held.intersection(runs), now)
            return sql_units.keep_claims(connection, claims, held, now + term)

        kept = await self.database.write(work)
        return set(claims) - kept

    async def commit(self, claimed: Claimed, step: Step, now: datetime) -> Committed:
        return await self._write(now, lambda j: sql_committing.commit(j, claimed, step))

    async def _write(self, now: datetime, work: Callable[[Journal], Answer]) -> Answer:
        return await self.database.write(lambda c: work(Journal(c, now, self.new_id)))
