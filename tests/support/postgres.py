"""Another process at the same PostgreSQL, and what waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Executable, text
from sqlalchemy.ext.asyncio import AsyncConnection

from syncsvc.stores.sql.database import Database, Postgresql
from tests.support.waiting import LOOK_AGAIN

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE :pattern"
)


@asynccontextmanager
async def elsewhere(
    postgres: Postgresql, statement: Executable, *values: dict[str, object]
) -> AsyncIterator[AsyncConnection]:
    """Carry out a statement in a transaction of its own, and give that before it ends."""
    async with postgres._engine.connect() as connection:
        await connection.execute(statement, *values)
        yield connection


async def until_waiting(
    database: Database, count: int = 1, *, pattern: str = "%", within: float = 60
) -> None:
    """Return once so many statements like the pattern wait for somebody else's lock."""
    wanted = {"pattern": pattern}
    async with asyncio.timeout(within):
        while await _count(database, wanted) < count:  # noqa: ASYNC110 - it cannot tell us
            await asyncio.sleep(LOOK_AGAIN)


async def _count(database: Database, wanted: dict[str, str]) -> int:
    return int(await database.read(lambda c: c.scalar(_WAITING, wanted)) or 0)
