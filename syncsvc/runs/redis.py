"""Rosters in Redis: one hash a run, changed by scripts only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syncsvc.runs.model import Roster, Worker, WorkerStatus
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.runs"
REGISTER = Script.load(PACKAGE, "register")
REPORT = Script.load(PACKAGE, "report")
TAKE_OVER = Script.load(PACKAGE, "take_over")
ROSTER = Script.load(PACKAGE, "roster")


@dataclass(frozen=True)
class RedisRosters:
    scripts: Scripts
    auto: bool
    idle_limit: timedelta

    async def register(self, run_id: str, worker: str, now: datetime) -> tuple[bool, str | None]:
        key, stale = keys.roster(run_id), _ms(now - self.idle_limit)
        auto = int(self.auto)
        chosen, *gives_way = await self.scripts.run(
            REGISTER, key, worker, _ms(now), key.life_ms, auto, stale
        )
        return chosen == "1", gives_way[0] if gives_way else None

    async def take_over(self, run_id: str, worker: str, master: str) -> bool:
        return bool(await self.scripts.run(TAKE_OVER, keys.roster(run_id), worker, master))

    async def report(
        self, run_id: str, worker: str, status: WorkerStatus | None, now: datetime
    ) -> bool | None:
        key = keys.roster(run_id)
        noted = await self.scripts.run(REPORT, key, worker, _ms(now), key.life_ms, status or "", 0)
        return None if noted < 0 else bool(noted)

    async def adopt(
        self, run_id: str, worker: str, status: WorkerStatus | None, now: datetime
    ) -> None:
        key = keys.roster(run_id)
        await self.scripts.run(REPORT, key, worker, _ms(now), key.life_ms, status or "", 1)

    async def get(self, run_id: str) -> Roster | None:
        flat = await self.scripts.run(ROSTER, keys.roster(run_id))
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        if not fields:
            return None
        return Roster(tuple(_workers(fields)), fields.get("master"))


def _workers(fields: dict[str, str]) -> Iterator[Worker]:
    for field, state in fields.items():
        if field.startswith("w:"):
            status, beats, seen = state.split("|")
            seen_at = datetime.fromtimestamp(int(seen) / 1000, tz=UTC)
            yield Worker(field[2:], WorkerStatus(status), seen_at, beats == "1")


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
