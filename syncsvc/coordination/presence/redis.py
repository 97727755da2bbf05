"""Presence in Redis: a sorted set of terms, changed by scripts only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from syncsvc.coordination.names import subject
from syncsvc.coordination.presence.model import Arriving, Attendance, Present
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.coordination.presence"
CLOCK = "syncsvc.coordination:clock"
JOIN = Script.load(PACKAGE, CLOCK, "presence", "join")
BEAT = Script.load(PACKAGE, CLOCK, "presence", "beat")
LEAVE = Script.load(PACKAGE, CLOCK, "presence", "leave")
LIST = Script.load(PACKAGE, CLOCK, "presence", "list")
TOGETHER = 1000  # workers in one script: it holds up whoever comes after it


@dataclass
class RedisAttendances:
    """`clock_shift` moves the server's clock, for tests."""

    scripts: Scripts
    life: timedelta
    clock_shift: timedelta = timedelta(0)

    async def join(self, run: str, arriving: Arriving) -> int:
        lasts = max(_ms(arriving.lasts), 1)
        return int(await self._run(JOIN, run, arriving.worker, lasts, arriving.about))

    async def beat(self, run: str, workers: Sequence[str]) -> Sequence[str]:
        strangers: list[str] = []
        for first in range(0, len(workers), TOGETHER):
            strangers += await self._run(BEAT, run, *workers[first : first + TOGETHER])
        return strangers

    async def leave(self, run: str, worker: str) -> int:
        return int(await self._run(LEAVE, run, worker))

    async def list(self, run: str) -> Attendance:
        version, changes_in, *flat = await self._run(LIST, run)
        pairs = zip(flat[::2], flat[1::2], strict=True)
        workers = sorted((_present(*pair) for pair in pairs), key=lambda each: each.worker)
        changes = None if changes_in < 0 else timedelta(milliseconds=changes_in)
        return Attendance(int(version), tuple(workers), changes)

    async def _run(self, script: Script, run: str, *arguments: str | int) -> Any:
        parts = [keys.presence(run, part, self.life) for part in ("until", "about", "version")]
        shift, life = _ms(self.clock_shift), _ms(self.life)
        about = subject("presence", run)
        return await self.scripts.run(script, parts, shift, life, keys.NEWS, about, *arguments)


def _present(worker: str, known: str) -> Present:
    since, _, about = known.split("|", 2)
    return Present(worker, datetime.fromtimestamp(int(since) / 1000, tz=UTC), about)


def _ms(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)
