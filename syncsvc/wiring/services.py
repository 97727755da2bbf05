"""Connects the rooms to the stores and the world."""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta

import httpx

from syncsvc.adapters.tasks import CeleryNudge
from syncsvc.adapters.testit.calls import TestItCalls
from syncsvc.adapters.testit.client import TestItBoard
from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.adapters.testit.http import new_http
from syncsvc.adapters.testit.pushes import TestItPushes
from syncsvc.coordination.connections.redis import RedisConnections
from syncsvc.coordination.connections.service import SILENT_AFTER, Connected
from syncsvc.coordination.gate.model import Terms as GateTerms
from syncsvc.coordination.gate.redis import RedisTurns
from syncsvc.coordination.gate.service import TurnGate
from syncsvc.coordination.testdata.sql import SqlTestData
from syncsvc.coordination.upkeep import TestDataUpkeep
from syncsvc.results.held.delivery import Delivery, Terms
from syncsvc.results.held.service import ResultService
from syncsvc.results.held.sql import SqlOutbox
from syncsvc.results.held.stuck import Repair
from syncsvc.results.ledger import Ledger
from syncsvc.results.pushed.delivery import PushDelivery, PushTerms
from syncsvc.results.pushed.service import Defaults, PushService
from syncsvc.results.pushed.sql import SqlPushOutbox
from syncsvc.results.pushed.sql_files import SqlFiles
from syncsvc.runs.model import Liveness
from syncsvc.runs.redis import RedisRosters
from syncsvc.runs.service import RunService
from syncsvc.runs.sql import SqlRuns
from syncsvc.settings import MasterPolicy, Settings
from syncsvc.stores.redis.scripts import Scripts, connect
from syncsvc.stores.sql.database import Database, open_database
from syncsvc.stores.sql.sealing import Seal, key_from
from syncsvc.wiring.catalogue import Catalogue, build_catalogue, shared
from syncsvc.wiring.loadtests import Watch, build_watch
from syncsvc.wiring.moments import new_id, now

MEGABYTE = 1024 * 1024
BATCHES_A_TURN = 3  # one is asked for while the others are written down
CALLS_OF_A_BATCH = 10  # that may all be slow, or wait for slow ones, before a claim must end
SHORTEST_CLAIM, LONGEST_CLAIM = timedelta(seconds=20), timedelta(minutes=1)
IN_ALL = timedelta(seconds=5)  # a call takes little longer than the wait for its answer


@dataclass(frozen=True)
class Stores:
    """Where things are kept."""

    database: Database
    scripts: Scripts
    runs: SqlRuns
    rosters: RedisRosters
    outbox: SqlOutbox
    test_data: SqlTestData
    pushes: SqlPushOutbox
    files: SqlFiles

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
            SqlPushOutbox(database, new_id),
            SqlFiles(
                database,
                new_id,
                largest=settings.attachment_limit_mb * MEGABYTE,
                quota=settings.attachments_quota_mb * MEGABYTE,
            ),
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
    pushes: PushService
    pushing: PushDelivery
    ledger: Ledger
    nudge: CeleryNudge
    repair: Repair
    catalogue: Catalogue
    watch: Watch

    async def close(self) -> None:
        await self.watch.close()
        await self.catalogue.close()
        await self.http.aclose()
        await self.stores.close()


def build(settings: Settings) -> Services:
    """Connect the rooms to the stores and the world; nothing is reached before it is used."""
    stores = Stores.open(settings)
    http = _http(settings)
    destinations = _destinations(settings)
    calls = TestItCalls(http, destinations, _gate(stores, settings))
    board = TestItBoard(calls)
    nudge = CeleryNudge(settings.broker)
    push_board = TestItPushes(calls)
    held = ResultService(
        stores.outbox, stores.rosters, nudge, _liveness(settings), now, asyncio.sleep
    )
    return Services(
        stores,
        RunService(stores.runs, stores.rosters, stores.outbox, destinations, now),
        held,
        Delivery(
            stores.outbox, stores.runs, stores.rosters, board, _terms(settings), now, random.random
        ),
        _test_data_upkeep(stores, settings),
        board,
        http,
        pushes=_pushes(stores, push_board, nudge, settings),
        pushing=_pushing(stores, push_board, calls, settings),
        ledger=Ledger(held, stores.pushes, nudge, now),
        nudge=nudge,
        repair=Repair(stores.outbox, stores.runs, stores.rosters, board, _liveness(settings), now),
        catalogue=build_catalogue(
            settings, stores.database, shared(stores.scripts, nudge, settings)
        ),
        watch=build_watch(settings, stores.database),
    )


def _pushes(
    stores: Stores, board: TestItPushes, nudge: CeleryNudge, settings: Settings
) -> PushService:
    return PushService(
        stores.pushes,
        stores.files,
        stores.runs,
        board,
        _destinations(settings),
        nudge,
        Defaults(settings.testit_project_id, settings.testit_configuration_id),
        now,
    )


def _pushing(
    stores: Stores, board: TestItPushes, calls: TestItCalls, settings: Settings
) -> PushDelivery:
    """Connect delivery, which has more batches out only as the gate lets calls of this process in.

    Else each of many task workers would claim what then waits at the gate until its claim ends.
    """
    terms = PushTerms(
        settings.push_idle_limit,
        settings.give_up_after,
        BATCHES_A_TURN * settings.testit_at_once,
        claim=min(max(CALLS_OF_A_BATCH * settings.testit_timeout, SHORTEST_CLAIM), LONGEST_CLAIM),
    )
    pushing = PushDelivery(
        stores.pushes,
        stores.files,
        stores.runs,
        board,
        terms,
        now,
        random.random,
        room=lambda: 1 + BATCHES_A_TURN * calls.inside,
    )
    calls.on_entering = pushing.look_again
    return pushing


def _http(settings: Settings) -> httpx.AsyncClient:
    proxy = settings.testit_proxy
    return new_http(
        settings.testit_timeout,
        settings.testit_ca_file,
        verify=settings.testit_verify_tls,
        proxy=proxy.get_secret_value() if proxy else None,
        at_once=settings.testit_at_once,
    )


def _gate(stores: Stores, settings: Settings) -> TurnGate:
    terms = GateTerms(settings.testit_at_once, longest=settings.testit_timeout + IN_ALL)
    return TurnGate(RedisTurns(stores.scripts), terms)


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
        settings.verify_after,
        settings.complete_runs,
    )
