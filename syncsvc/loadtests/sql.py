"""Load tests, cycles, logs and the sync job in SQL. Each call is one transaction, or reads."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncsvc.loadtests import sql_cycles, sql_logs, sql_reading, sql_steps
from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.chunking import Part, packed
from syncsvc.loadtests.merging import Summaries
from syncsvc.loadtests.model import LoadTest, Step
from syncsvc.loadtests.ports import (
    Addition,
    Chunk,
    Cycle,
    CycleReport,
    Group,
    JobChange,
    KeptLog,
    Place,
    Pulse,
    SyncJob,
    Turn,
    Which,
)
from syncsvc.stores.sql.database import Database


@dataclass(frozen=True)
class SqlLoadTests:
    database: Database

    async def register(self, test: LoadTest, steps: Sequence[Step]) -> Sequence[Step]:
        return await self.database.write(lambda c: sql_steps.register(c, test, steps))

    async def register_all(self, groups: Sequence[Group]) -> Sequence[Sequence[Step]]:
        return await self.database.write(
            lambda c: [sql_steps.register(c, group.test, group.steps) for group in groups]
        )

    async def test(self, test_id: str) -> LoadTest:
        return await self.database.read(lambda c: sql_reading.test(c, test_id))

    async def tests(self, which: Which) -> Sequence[LoadTest]:
        return await self.database.read(lambda c: sql_reading.tests(c, which))

    async def step(self, step_id: str) -> Step:
        return await self.database.read(lambda c: sql_reading.step(c, step_id))

    async def steps(self, which: Which) -> Sequence[Step]:
        return await self.database.read(lambda c: sql_reading.steps(c, which))

    async def steps_of(self, test_ids: Collection[str]) -> Sequence[Step]:
        return await self.database.read(lambda c: sql_steps.of_tests(c, test_ids))

    async def places(self) -> Sequence[Place]:
        return await self.database.read(sql_reading.places)

    async def pulses(self) -> Sequence[Pulse]:
        return await self.database.read(sql_reading.pulses)

    async def under_way(self, cluster: str, namespace: str) -> Sequence[Step]:
        return await self.database.read(lambda c: sql_reading.under_way(c, cluster, namespace))

    async def save(self, fence: int, steps: Sequence[Step], at: datetime) -> None:
        await self.database.write(lambda c: sql_steps.save(c, fence, steps, at))

    async def forget(self, before: datetime) -> int:
        forgotten = 0
        while some := await self.database.write(lambda c: sql_cycles.forget_tests(c, before)):
            forgotten += some
        await self.database.write(lambda c: sql_cycles.forget_cycles(c, before))
        return forgotten


@dataclass(frozen=True)
class SqlCycles:
    database: Database

    async def begin(self, at: datetime) -> int:
        return await self.database.write(lambda c: sql_cycles.begin(c, at))

    async def end(self, fence: int, report: CycleReport) -> None:
        await self.database.write(lambda c: sql_cycles.end(c, fence, report))

    async def latest(self, limit: int) -> Sequence[Cycle]:
        return await self.database.read(lambda c: sql_cycles.latest(c, limit))

    async def last_ended(self) -> Cycle | None:
        return await self.database.read(sql_cycles.last_ended)


@dataclass(frozen=True)
class SqlLogs:
    database: Database

    async def logs(self, step_ids: Collection[str]) -> Sequence[KeptLog]:
        return await self.database.read(lambda c: sql_logs.logs(c, step_ids))

    async def log(self, log_id: str) -> KeptLog:
        return await self.database.read(lambda c: sql_logs.log(c, log_id))

    async def append(
        self, fence: int, additions: Sequence[Addition], cap: Cap, at: datetime
    ) -> None:
        parts = await asyncio.to_thread(_packed, additions, cap)  # before the transaction
        new = list(zip(additions, parts, strict=True))
        await self.database.write(lambda c: sql_logs.append(c, fence, new, cap, at))

    async def chunks(
        self, log_id: str, after: int = 0, *, limit: int = 16, since: int | None = None
    ) -> Sequence[Chunk]:
        return await self.database.read(lambda c: sql_logs.chunks(c, log_id, after, limit, since))

    async def keep_summaries(self, fence: int, step_id: str, summaries: Summaries) -> None:
        await self.database.write(lambda c: sql_logs.keep_summaries(c, fence, step_id, summaries))

    async def summaries(self, step_id: str) -> Summaries:
        return await self.database.read(lambda c: sql_logs.summaries(c, step_id))


@dataclass(frozen=True)
class SqlControl:
    database: Database

    async def job(self) -> SyncJob:
        return await self.database.read(sql_cycles.job)

    async def change(self, version: int, change: JobChange, at: datetime) -> SyncJob:
        return await self.database.write(lambda c: sql_cycles.change(c, version, change, at))

    async def take_due(self, turn: Turn, now: datetime) -> bool:
        return await self.database.write(lambda c: sql_cycles.take_due(c, turn, now))

    async def keep(self, holder: str, until: datetime) -> bool:
        return await self.database.write(lambda c: sql_cycles.keep(c, holder, until))

    async def hurry(self, at: datetime) -> None:
        await self.database.write(lambda c: sql_cycles.hurry(c, at))

    async def done(self, holder: str, reserved_until: datetime | None = None) -> None:
        await self.database.write(lambda c: sql_cycles.done(c, holder, reserved_until))


def _packed(additions: Sequence[Addition], cap: Cap) -> Sequence[Sequence[Part]]:
    return [packed(addition.fresh, cap) for addition in additions]
