"""Opens what a command of load tests needs: the database, and the ways into clusters.

Neither Redis nor a task worker is needed: whose turn it is to run a cycle stands in SQL.
"""

from dataclasses import dataclass

from syncsvc.settings import Settings
from syncsvc.stores.sql.database import Database, open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.wiring.loadtests import Watch, build_watch


@dataclass(frozen=True)
class OpenWatch:
    """A watch, and the database that was opened for it alone."""

    watch: Watch
    database: Database

    async def close(self) -> None:
        await self.watch.close()
        await self.database.close()


async def open_watch(settings: Settings) -> OpenWatch:
    """Open it; a SQLite database is brought to this release first.

    Raises Rejected for clusters that cannot be as they are configured, Unavailable when the
    database does not serve.
    """
    database = open_database(settings.database)
    try:
        if database.is_sqlite:
            await migrate(database)
        return OpenWatch(build_watch(settings, database), database)
    except BaseException:
        await database.close()
        raise
