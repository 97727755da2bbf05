"""Topics in Redis: a stream each, written and read by scripts only."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syncsvc.coordination.names import subject
from syncsvc.coordination.once import Once
from syncsvc.coordination.topics.model import LARGEST_READ, MOST_ENTRIES, Batch, Place, Published
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.coordination.topics"
CLOCK, ONCE = "syncsvc.coordination:clock", "syncsvc.coordination:once"
PUBLISH = Script.load(PACKAGE, CLOCK, ONCE, "topic", "publish")
READ = Script.load(PACKAGE, CLOCK, "topic", "read")


@dataclass
class RedisTopics:
    """`clock_shift` moves the server's clock, for tests."""

    scripts: Scripts
    life: timedelta
    most_entries: int = MOST_ENTRIES
    clock_shift: timedelta = timedelta(0)

    async def publish(self, run: str, name: str, payload: str, once: Once) -> int:
        done = keys.done(run, once.id, once.life)
        offset = await self.scripts.run(
            PUBLISH,
            [*self._keys(run, name), done],
            round(self.clock_shift.total_seconds() * 1000),
            self._life_ms,
            payload,
            self.most_entries,
            done.life_ms,
            keys.NEWS,
            subject("topic", run, name),
        )
        return int(offset)

    async def read(self, place: Place) -> Batch:
        oldest, *flat = await self.scripts.run(
            READ,
            self._keys(place.run, place.name),
            self._life_ms,
            place.after,
            place.limit,
            LARGEST_READ,
        )
        parts = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        entries = (Published(int(at), payload, _moment(ms)) for at, ms, payload in parts)
        return Batch(tuple(entries), int(oldest))

    @property
    def _life_ms(self) -> int:
        return round(self.life.total_seconds() * 1000)

    def _keys(self, run: str, name: str) -> list[keys.Key]:
        return [keys.topic(run, part, name, self.life) for part in ("entries", "last")]


def _moment(ms: str) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, tz=UTC)
