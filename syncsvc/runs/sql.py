"""Runs in SQL; their tokens are sealed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.runs.model import Destination, Run
from syncsvc.stores.sql.database import Database
from syncsvc.stores.sql.sealing import Seal
from syncsvc.stores.sql.tables import runs


@dataclass(frozen=True)
class SqlRuns:
    database: Database
    seal: Seal

    async def put(self, run: Run) -> None:
        token = run.destination.token
        destination = {
            "base_url": run.destination.base_url,
            "token": None if token is None else self.seal.seal(token),
            "registered_at": run.created_at,
        }
        dialect = sqlite if self.database.is_sqlite else postgresql
        statement = dialect.insert(runs).values(id=run.id, created_at=run.created_at, **destination)
        upsert = statement.on_conflict_do_update(index_elements=["id"], set_=destination)
        await self.database.write(lambda connection: connection.execute(upsert))

    async def get(self, run_id: str) -> Run | None:
        found = await self._read(select(runs).where(runs.c.id == run_id))
        return found[0] if found else None

    async def count(self, run: Run) -> None:
        statement = (
            update(runs)
            .where(runs.c.id == run.id)
            .values(result_count=run.result_count, counted_at=run.counted_at)
        )
        await self.database.write(lambda connection: connection.execute(statement))

    async def closed_early(self, run_id: str, now: datetime) -> bool:
        statement = (
            update(runs)
            .where(runs.c.id == run_id, runs.c.closed_early_at.is_(None))
            .values(closed_early_at=now)
        )
        return await self.database.write(
            lambda connection: connection.execute(statement).rowcount > 0
        )

    async def count_closed_early(self) -> int:
        query = select(func.count()).where(runs.c.closed_early_at.is_not(None))
        return await self.database.read(lambda connection: connection.scalar(query) or 0)

    async def newest(self, limit: int) -> Sequence[Run]:
        return await self._read(select(runs).order_by(runs.c.registered_at.desc()).limit(limit))

    async def _read(self, query: Select[Any]) -> list[Run]:
        rows = await self.database.read(
            lambda connection: connection.execute(query).mappings().all()
        )
        return [self._run(row) for row in rows]

    def _run(self, row: RowMapping) -> Run:
        token = None if row["token"] is None else self.seal.open(row["token"])
        return Run(
            id=row["id"],
            destination=Destination(row["base_url"], token),
            created_at=row["created_at"],
            result_count=row["result_count"],
            counted_at=row["counted_at"],
            closed_early_at=row["closed_early_at"],
        )


def known_runs(connection: Connection, wanted: Collection[str]) -> set[str]:
    """Name those of the runs that are known; they stay so while the transaction lasts."""
    query = select(runs.c.id).where(runs.c.id.in_(wanted)).order_by(runs.c.id)
    return set(connection.scalars(query.with_for_update(read=True, key_share=True)))
