"""Connects the catalogue's room to the stores, to TestIO, and to whoever shares the work.

The gate and the lock are those of all hosts then.
"""

import asyncio
import random
from dataclasses import dataclass

import httpx

from syncsvc.adapters.tasks import CeleryNudge
from syncsvc.adapters.testio.accounts import accounts_from
from syncsvc.adapters.testio.sources import (
    TestIoSources,
    gate_terms_from,
    http_from,
    manner_from,
)
from syncsvc.catalogue.executor import Executor, ExecutorTerms
from syncsvc.catalogue.features import Features
from syncsvc.catalogue.locks.lease import LeaseLock
from syncsvc.catalogue.model import SyncPhase
from syncsvc.catalogue.ports import SyncLock, SyncNudge
from syncsvc.catalogue.products import Products
from syncsvc.catalogue.service import SyncService, SyncTerms
from syncsvc.catalogue.sql import SqlSync
from syncsvc.catalogue.sql_stored import SqlStored
from syncsvc.catalogue.tests import NewTests, WalkTerms
from syncsvc.coordination.gate.ports import Turns
from syncsvc.coordination.gate.redis import RedisTurns
from syncsvc.coordination.gate.service import TurnGate
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.settings import Settings
from syncsvc.stores.redis.scripts import Scripts
from syncsvc.stores.sql.database import Database
from syncsvc.wiring.moments import new_id, now

UNITS_A_CALL = 1.5  # some write down what they have read while others are answered
SPREAD = 0.1  # of the time between sweeps: so early may a product come due


@dataclass(frozen=True)
class Company:
    """What a sync shares with others: `holder` names a process that has no others."""

    turns: Turns
    lock: SyncLock
    nudge: SyncNudge
    holder: str | None


@dataclass(frozen=True)
class Catalogue:
    """The syncs, and who works on them in this process."""

    syncs: SyncService
    executor: Executor
    http: httpx.AsyncClient

    async def close(self) -> None:
        await self.http.aclose()


def shared(scripts: Scripts, nudge: CeleryNudge, settings: Settings) -> Company:
    leases = RedisLeases(scripts, settings.coordination_life)
    return Company(RedisTurns(scripts), LeaseLock(leases), nudge, holder=None)


def build_catalogue(settings: Settings, database: Database, company: Company) -> Catalogue:
    """Connect it all; nothing is reached before it is used.

    Raises Rejected, naming the setting, for an account that cannot be used.
    """
    http = http_from(settings)
    sources = sources_from(settings, http, company.turns)
    record, stored = SqlSync(database, new_id), SqlStored(database)
    executor = _executor(settings, record, stored, sources, company)
    service = SyncService(
        runs=record,
        stored=stored,
        sources=sources,
        lock=company.lock,
        executor=executor,
        nudge=company.nudge,
        terms=SyncTerms(
            sync_every=settings.sync_every,
            by_itself=settings.sync_by_itself,
            page_size=settings.testio_page_size,
        ),
        clock=now,
        new_id=new_id,
        pause=asyncio.sleep,
        chance=random.random,
        holder=company.holder,
    )
    return Catalogue(service, executor, http)


def _executor(
    settings: Settings,
    record: SqlSync,
    stored: SqlStored,
    sources: TestIoSources,
    company: Company,
) -> Executor:
    return Executor(
        units=record,
        runs=record,
        stored=stored,
        sources=sources,
        lock=company.lock,
        stories={
            SyncPhase.PRODUCTS: Products(),
            SyncPhase.FEATURES: Features(),
            SyncPhase.NEW_TESTS: NewTests(_walk_terms(settings)),
        },
        terms=ExecutorTerms(at_once=round(settings.testio_at_once * UNITS_A_CALL)),
        clock=now,
        pause=asyncio.sleep,
        nudge=company.nudge,
        chance=random.random,
    )


def sources_from(settings: Settings, http: httpx.AsyncClient, turns: Turns) -> TestIoSources:
    """Connect the accounts of TestIO, with a gate before them that takes its turns from there.

    Raises Rejected, naming the setting, for an account that cannot be used.
    """
    terms = gate_terms_from(settings)
    gate, manner = TurnGate(turns, terms), manner_from(settings, terms)
    return TestIoSources(accounts_from(settings), http, gate, manner)


def _walk_terms(settings: Settings) -> WalkTerms:
    return WalkTerms(
        page_size=settings.testio_page_size,
        refresh_after=settings.sync_refresh_after,
        sweep_every=settings.sync_sweep_every,
        spread=SPREAD,
    )
