"""Opens what a command of syncs needs.

With Redis the task workers share the work, and the gate and the lock are those of all hosts.
Without, one process of this host does it alone, kept apart from others by a file.
"""

import os
import socket
from dataclasses import dataclass

from syncsvc.adapters.tasks import CeleryNudge
from syncsvc.catalogue.locks.file import FileLock
from syncsvc.catalogue.service import SyncService
from syncsvc.coordination.gate.memory import MemoryTurns
from syncsvc.errors import Unavailable
from syncsvc.settings import Settings
from syncsvc.stores.redis.scripts import Scripts, connect
from syncsvc.stores.sql.database import Database, open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.wiring.catalogue import Catalogue, Company, build_catalogue, shared
from syncsvc.wiring.moments import now


@dataclass(frozen=True)
class Syncing:
    """All that a command of syncs needs, opened for it alone."""

    catalogue: Catalogue
    database: Database
    scripts: Scripts | None

    @property
    def syncs(self) -> SyncService:
        return self.catalogue.syncs

    async def close(self) -> None:
        await self.catalogue.close()
        if self.scripts is not None:
            await self.scripts.close()
        await self.database.close()


class NoNudge:
    """There is nobody else to be woken up."""

    async def sync(self, workers: int) -> None:
        """Do nothing."""


def alone(settings: Settings) -> Company:
    path = settings.sync_lock_file or settings.data_dir / "sync.lock"
    holder = f"{socket.gethostname()}:{os.getpid()}"
    return Company(MemoryTurns(now), FileLock(path, now), NoNudge(), holder)


async def open_syncing(settings: Settings) -> Syncing:
    """Open what a command needs: with Redis if it is there, alone if none is configured.

    A SQLite database is brought to this release first. Raises Unavailable when a Redis that is
    configured cannot be reached: other hosts may be syncing.
    """
    database = open_database(settings.database)
    scripts = await _redis(settings)
    if database.is_sqlite:
        await migrate(database)
    company = alone(settings)
    if scripts is not None:
        company = shared(scripts, CeleryNudge(settings.broker), settings)
    return Syncing(build_catalogue(settings, database, company), database, scripts)


async def _redis(settings: Settings) -> Scripts | None:
    if settings.embeds_redis and not settings.valkey_socket.exists():
        return None
    scripts = Scripts(connect(settings.redis))
    try:
        await scripts.ping()
    except Unavailable as error:
        await scripts.close()
        if settings.embeds_redis:
            return None  # what is left of an `up` that has ended
        raise Unavailable(
            "SYNCSVC_REDIS_URL: the server cannot be reached, and without it this sync could meet "
            f"that of another host: {error}"
        ) from error
    return scripts
