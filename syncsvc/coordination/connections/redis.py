"""Counts of connections in Redis: one hash a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from syncsvc.coordination.connections.model import Count
from syncsvc.coordination.names import subject
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.coordination.connections"
REPORT = Script.load(PACKAGE, "prelude", "report")
COUNTS = Script.load(PACKAGE, "prelude", "counts")


@dataclass
class RedisConnections:
    scripts: Scripts
    life: timedelta
    silent_after: timedelta
    clock_shift: timedelta = timedelta(0)

    async def report(self, run: str, count: Count) -> Sequence[Count]:
        key = keys.connections(run, self.life)
        said = (count.source, count.number, count.live, count.ever)
        life, shift = key.life_ms, _ms(self.clock_shift)
        news = (keys.NEWS, subject("connections", run))
        return _counts(
            await self.scripts.run(REPORT, key, *said, _ms(self.silent_after), life, shift, *news)
        )

    async def counts(self, run: str) -> Sequence[Count]:
        key = keys.connections(run, self.life)
        limits = (_ms(self.silent_after), _ms(self.clock_shift))
        return _counts(await self.scripts.run(COUNTS, key, *limits))


def _counts(flat: list[str]) -> Sequence[Count]:
    rows = zip(*[iter(flat)] * 4, strict=True)
    return [Count(source, int(n), int(live), int(ever)) for source, n, live, ever in rows]


def _ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
