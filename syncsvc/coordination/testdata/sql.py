"""Test data in SQL. What arrives together is committed, or asked for, together.

A transaction goes through the runs of its group once, in their order, and forgetting passes
rows by that somebody is writing: so no two processes wait for each other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.grouping import Grouped
from syncsvc.stores.sql.database import BUSY_SECONDS, ROWS_AT_ONCE, Database
from syncsvc.stores.sql.tables import test_data

_READ = select(test_data.c.run, test_data.c.content).where(
    test_data.c.run.in_(bindparam("wanted", expanding=True))
)


@dataclass(frozen=True, slots=True)
class _Write:
    run: str
    content: bytes
    at: datetime
    replaces: bool

    @property
    def row(self) -> dict[str, Any]:
        return {"run": self.run, "content": self.content, "written_at": self.at}


@dataclass
class SqlTestData:
    database: Database
    _write: Grouped[_Write, bool] = field(init=False)
    _find: Grouped[str, bytes | None] = field(init=False)

    def __post_init__(self) -> None:
        patience = timedelta(seconds=BUSY_SECONDS + 2)
        self._write = Grouped(self._write_all, patience=patience)
        self._find = Grouped(self._find_all, patience=patience)
        dialect = sqlite if self.database.is_sqlite else postgresql
        adding = dialect.insert(test_data)
        self._add = adding.on_conflict_do_nothing().returning(test_data.c.run)
        self._put = adding.on_conflict_do_update(
            index_elements=["run"],
            set_={"content": adding.excluded.content, "written_at": adding.excluded.written_at},
        )

    async def create(self, run: str, content: bytes, at: datetime) -> bool:
        return await self._write(_Write(run, content, at, replaces=False))

    async def replace(self, run: str, content: bytes, at: datetime) -> None:
        await self._write(_Write(run, content, at, replaces=True))

    async def read(self, run: str) -> bytes | None:
        return await self._find(run)

    async def older(self, before: datetime) -> Sequence[str]:
        old = select(test_data.c.run).where(test_data.c.written_at < before)
        return await self.database.read(lambda connection: list(connection.scalars(old)))

    async def forget(self, before: datetime, runs: Collection[str]) -> int:
        ordered, forgotten = sorted(runs), 0
        for first in range(0, len(ordered), ROWS_AT_ONCE):
            some = ordered[first : first + ROWS_AT_ONCE]
            forgotten += await self._forget_some(some, before)
        return forgotten

    async def _forget_some(self, runs: Sequence[str], before: datetime) -> int:
        still_old = (
            select(test_data.c.run)
            .where(test_data.c.run.in_(runs), test_data.c.written_at < before)
            .with_for_update(skip_locked=True)
        )
        forgetting = delete(test_data).where(test_data.c.run.in_(still_old))
        return await self.database.write(lambda connection: connection.execute(forgetting).rowcount)

    async def _write_all(self, writes: Sequence[_Write]) -> Sequence[bool]:
        first: dict[str, _Write] = {}
        last: dict[str, _Write] = {}
        for write in writes:
            first.setdefault(write.run, write)
            if write.replaces or write.run not in last:
                last[write.run] = write
        rows = [last[run].row for run in sorted(last)]
        added = await self.database.write(lambda c: set(c.scalars(self._add, rows)))
        known = [row for row in rows if row["run"] not in added and last[row["run"]].replaces]
        if known:  # apart: who has added a late run must not wait for an early one
            await self.database.write(lambda c: c.execute(self._put, known).rowcount)
        return [write.run in added and first[write.run] is write for write in writes]

    async def _find_all(self, runs: Sequence[str]) -> Sequence[bytes | None]:
        wanted = {"wanted": list(dict.fromkeys(runs))}
        found = await self.database.read(
            lambda connection: {row.run: row.content for row in connection.execute(_READ, wanted)}
        )
        return [found.get(run) for run in runs]
