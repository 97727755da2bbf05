"""Paces reads of logs: one that has had nothing new for a while is not read in every cycle.

Kubernetes does not tell whether a log has grown, and a k6 that is told to be quiet writes nothing
between its start and its summary. What has ended is read at once all the same.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

PATIENT_READS = 2  # without news, before a log has to wait
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(seconds=55)


@dataclass(frozen=True, slots=True)
class Reads:
    """When a log was read last, and how many reads in a row brought nothing, or found none."""

    at: datetime
    silent: int = 0
    misses: int = 0

    @property
    def again_at(self) -> datetime:
        if self.silent <= PATIENT_READS:
            return self.at
        doublings = min(self.silent - PATIENT_READS - 1, 8)
        return self.at + min(FIRST_WAIT * 2.0**doublings, LONGEST_WAIT)


@dataclass
class Pace:
    """What one process knows of its reads; who knows nothing of a log reads it."""

    _reads: dict[str, Reads] = field(default_factory=dict, init=False)

    def is_due(self, log_id: str, now: datetime) -> bool:
        reads = self._reads.get(log_id)
        return reads is None or reads.again_at <= now

    def last_read(self, log_id: str) -> datetime | None:
        reads = self._reads.get(log_id)
        return reads.at if reads else None

    def tried(self, log_id: str, now: datetime) -> None:
        """Note that a log is being read; that it fails is no silence."""
        known = self._reads.get(log_id) or Reads(now)
        self._reads[log_id] = replace(known, at=now)

    def read(self, log_id: str, now: datetime, *, has_news: bool) -> None:
        self._reads[log_id] = Reads(now, 0 if has_news else self._silent(log_id) + 1)

    def missed(self, log_id: str, now: datetime) -> int:
        """Note that a log was not there, and say how often that was so in a row."""
        known = self._reads.get(log_id) or Reads(now)
        self._reads[log_id] = replace(known, at=now, misses=known.misses + 1)
        return known.misses + 1

    def keep(self, log_ids: Collection[str]) -> None:
        """Forget all others."""
        for gone in self._reads.keys() - set(log_ids):
            del self._reads[gone]

    def _silent(self, log_id: str) -> int:
        reads = self._reads.get(log_id)
        return reads.silent if reads else 0
