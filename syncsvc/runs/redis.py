"""Rosters in Redis: one hash a run and the lease of its master, changed by scripts only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from syncsvc.coordination.leases.redis import (
    PRELUDES,
    Argument,
    arguments_of,
    keys_of,
    milliseconds,
)
from syncsvc.runs.model import (
    ANYBODY,
    Caller,
    Mastership,
    Roster,
    Worker,
    WorkerStatus,
    master_lease,
)
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.runs"
REGISTER = Script.load(PACKAGE, *PRELUDES, "master", "register")
REPORT = Script.load(PACKAGE, *PRELUDES, "master", "report")
TAKE_OVER = Script.load(PACKAGE, *PRELUDES, "master", "take_over")
ROSTER = Script.load(PACKAGE, "roster")


@dataclass
class RedisRosters:
    """A test may move the time by which a mastership ends."""

    scripts: Scripts
    auto: bool
    idle_limit: timedelta
    beat_silence: timedelta | None = None  # None: who beats may be silent as long as others
    clock_shift: timedelta = timedelta(0)

    async def register(
        self, run_id: str, worker: str, now: datetime, caller: Caller = ANYBODY
    ) -> tuple[bool, Mastership | None]:
        chosen, *gives_way = await self._run(
            REGISTER, run_id, worker, now, *_of(caller), int(self.auto)
        )
        if not gives_way:
            return chosen == "1", None
        return False, Mastership(gives_way[0], int(gives_way[1]))

    async def take_over(
        self,
        run_id: str,
        worker: str,
        gives_way: Mastership,
        now: datetime,
        caller: Caller = ANYBODY,
    ) -> bool:
        terms = (*_of(caller), int(self.auto), gives_way.token)
        return bool(await self._run(TAKE_OVER, run_id, worker, now, *terms))

    async def report(
        self,
        run_id: str,
        worker: str,
        status: WorkerStatus | None,
        now: datetime,
        caller: Caller = ANYBODY,
    ) -> bool | None:
        noted = await self._run(REPORT, run_id, worker, now, *_of(caller), status or "", 0)
        return None if noted < 0 else bool(noted)

    async def adopt(
        self, run_id: str, worker: str, status: WorkerStatus | None, now: datetime
    ) -> None:
        await self._run(REPORT, run_id, worker, now, *_of(ANYBODY), status or "", 1)

    async def get(self, run_id: str) -> Roster | None:
        terms, *_ = keys_of(master_lease(run_id), keys.LONGEST_SILENCE)
        flat, master, token = await self.scripts.run(ROSTER, (keys.roster(run_id), terms))
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        if not fields:
            return None
        return Roster(tuple(_workers(fields)), master or None, int(token) if token else None)

    async def _run(
        self, script: Script, run_id: str, worker: str, now: datetime, *more: Argument
    ) -> Any:
        key, lease = keys.roster(run_id), master_lease(run_id)
        silence = self.beat_silence or self.idle_limit
        return await self.scripts.run(
            script,
            (key, *keys_of(lease, key.life)),
            *arguments_of(lease, key.life, self.clock_shift),
            worker,
            _ms(now),
            milliseconds(self.idle_limit),
            milliseconds(silence),
            *more,
        )


def _workers(fields: dict[str, str]) -> Iterator[Worker]:
    for field, state in fields.items():
        if field.startswith("w:"):
            status, beats, seen = state.split("|")
            seen_at = datetime.fromtimestamp(int(seen) / 1000, tz=UTC)
            kind = fields.get(f"k:{field[2:]}", "").partition("|")[0]
            yield Worker(field[2:], WorkerStatus(status), seen_at, beats == "1", kind)


def _of(caller: Caller) -> tuple[str, str]:
    return caller.kind, caller.peer


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
