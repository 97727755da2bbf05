"""Connects the rooms to the stores and the world."""

import asyncio
import random
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from syncsvc.adapters.tasks import CeleryNudge
from syncsvc.adapters.testit.client import TestItBoard, new_http
from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.coordination.connections.redis import RedisConnections
from syncsvc.coordination.connections.service import SILENT_AFTER, Connected
from syncsvc.coordination.testdata.sql import SqlTestData
from syncsvc.coordination.upkeep import TestDataUpkeep
from syncsvc.results.held.delivery import Delivery, Terms
from syncsvc.results.held.service import ResultService
from syncsvc.results.held.sql import SqlOutbox
from syncsvc.runs.model import Liveness
from syncsvc.runs.redis import RedisRosters
from syncsvc.runs.service import RunService
from syncsvc.runs.sql import SqlRuns
from syncsvc.settings import MasterPolicy, Settings
from syncsvc.stores.redis.scripts import Scripts, connect
from syncsvc.stores.sql.database import Database, open_database
from syncsvc.stores.sql.sealing import Seal, key_from


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """Give an id that sorts by its moment: rows are appended to their index, not scattered."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


@dataclass(frozen=True)
class Stores:
    """Where things are kept."""

    database: Database
    scripts: Scripts
    runs: SqlRuns
    rosters: RedisRosters
    outbox: SqlOutbox
    test_data: SqlTestData

    @classmethod
    def open(cls, settings: Settings) -> "Stores":
        database = open_database(settings.database)
        scripts = Scripts(connect(settings.redis))
        return cls(
            database,
            scripts,
            SqlRuns(database, Seal(_key(settings))),
            RedisRosters(
                scripts,
                auto=settings.master_policy is MasterPolicy.AUTO,
                idle_limit=settings.idle_limit,
                beat_silence=settings.beat_silence,
            ),
            SqlOutbox(database, new_id),
            SqlTestData(database),
        )

    async def close(self) -> None:
        await self.scripts.close()
        await self.database.close()


@dataclass(frozen=True)
class Services:
    """What a process of ours can do."""

    stores: Stores
    runs: RunService
    results: ResultService
    delivery: Delivery
    test_data_upkeep: TestDataUpkeep
    board: TestItBoard
    http: httpx.AsyncClient

    async def close(self) -> None:
        await self.http.aclose()
        await self.stores.close()


def build(settings: Settings) -> Services:
    """Connect the rooms to the stores and the world; nothing is reached before it is used."""
    stores = Stores.open(settings)
    http = new_http(settings.testit_timeout)
    destinations = _destinations(settings)
    board = TestItBoard(http, destinations)
    nudge = CeleryNudge(settings.broker)
    return Services(
        stores,
        RunService(stores.runs, stores.rosters, stores.outbox, destinations, now),
        ResultService(
            stores.outbox, stores.rosters, nudge, _liveness(settings), now, asyncio.sleep
        ),
        Delivery(
            stores.outbox, stores.runs, stores.rosters, board, _terms(settings), now, random.random
        ),
        _test_data_upkeep(stores, settings),
        board,
        http,
    )


def _test_data_upkeep(stores: Stores, settings: Settings) -> TestDataUpkeep:
    life = settings.coordination_life
    connected = Connected(RedisConnections(stores.scripts, life, SILENT_AFTER))
    return TestDataUpkeep(stores.test_data, connected, now, life)


def _destinations(settings: Settings) -> TestItDestinations:
    token = settings.testit_token.get_secret_value() if settings.testit_token else None
    return TestItDestinations(settings.testit_url, token)


def _key(settings: Settings) -> str:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return key_from(settings.data_dir / "secret.key")


def _liveness(settings: Settings) -> Liveness:
    return Liveness(settings.beat_silence, settings.idle_limit, settings.unheard_limit)


def _terms(settings: Settings) -> Terms:
    return Terms(
        settings.quiet_period,
        settings.give_up_after,
        settings.missing_limit,
        _liveness(settings),
    )
