"""Numbers in Redis: a key each, and one for each answer that may be asked for again."""

from dataclasses import dataclass
from datetime import timedelta

from syncsvc.coordination.counters.model import Counted, full
from syncsvc.coordination.names import subject
from syncsvc.coordination.once import Once
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.coordination.counters"
ADD = Script.load(PACKAGE, "syncsvc.coordination:once", "add")
GET = Script.load(PACKAGE, "get")


@dataclass(frozen=True)
class RedisCounters:
    scripts: Scripts
    life: timedelta

    async def add(self, counted: Counted, delta: int, once: Once) -> int:
        number, done = self._key(counted), keys.done(counted.run, once.id, once.life)
        about = subject(counted.kind, counted.run, counted.name)
        added, value = await self.scripts.run(
            ADD, (number, done), delta, number.life_ms, done.life_ms, keys.NEWS, about
        )
        if not added:
            raise full(int(value), delta)
        return int(value)

    async def get(self, counted: Counted) -> int:
        number = self._key(counted)
        return int(await self.scripts.run(GET, number, number.life_ms))

    def _key(self, counted: Counted) -> keys.Key:
        return keys.counter(counted.run, counted.kind, counted.name, self.life)
