"""Every key we keep in Redis, with its life beside it.

The part in braces is the hash tag: all keys of one run live in one slot of a cluster.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    life: timedelta

    @property
    def life_ms(self) -> int:
        return int(self.life.total_seconds() * 1000)


FOR_EVER = timedelta(days=3650)
NEWS = "syncsvc:news"  # the one channel on which scripts announce what happened

INCARNATION = Key("syncsvc:incarnation", FOR_EVER)  # gone when the server lost what it kept
BEAT_LOCK = Key("syncsvc:beat:lock", timedelta(seconds=6))  # held by the beat that keeps time


def roster(run_id: str) -> Key:
    """The workers of a run; outlives the longest silence of a worker that may come back."""
    return Key(f"syncsvc:{{{run_id}}}:roster", timedelta(hours=24))
