"""How often a customer may call, and whether a promised pause is kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil
from typing import Annotated, Literal

from msgspec import Meta, Struct

UNDERWAY = 0.25  # seconds; calls sent before the refusal was read come in so late


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bucket that holds `burst` calls and fills at `per_second`."""

    per_second: Annotated[float, Meta(gt=0, le=100_000)]
    burst: Annotated[int, Meta(ge=1, le=100_000)]
    retry_after: Literal["seconds", "date"] = "seconds"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Meter:
    """Counts a customer's calls; `early` ones came although a pause had been promised."""

    limit: Limit | None = None
    tick: Callable[[], float] = time.monotonic
    clock: Callable[[], datetime] = _now
    answered: int = 0
    throttled: int = 0
    early: int = 0
    _left: float = 0.0
    _filled: float = 0.0
    _promised: list[tuple[float, float]] = field(default_factory=list)  # known from, until

    def put(self, limit: Limit | None) -> None:
        """Set another limit; counts begin anew and the bucket is full."""
        self.limit = limit
        self.answered = self.throttled = self.early = 0
        self._left = limit.burst if limit else 0
        self._filled = self.tick()
        self._promised.clear()

    def refuse(self, began: float) -> str | None:
        """Count a call that began then; give Retry-After if it is one too many."""
        if any(known < began < until for known, until in self._promised):
            self.early += 1
        if self.limit is None or self._takes(self.limit):
            self.answered += 1
            return None
        self.throttled += 1
        return self._pause(self.limit)

    def _takes(self, limit: Limit) -> bool:
        now = self.tick()
        self._left = min(limit.burst, self._left + (now - self._filled) * limit.per_second)
        self._filled = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _pause(self, limit: Limit) -> str:
        """Promise whole seconds; a date is rounded up, so that nobody who keeps it is early."""
        seconds = max(1, ceil((1 - self._left) / limit.per_second))
        now = self.tick()
        self._promised = [each for each in self._promised if each[1] > now]
        self._promised.append((now + UNDERWAY, now + seconds))
        if limit.retry_after == "seconds":
            return str(seconds)
        until = (self.clock() + timedelta(seconds=seconds)).replace(microsecond=0)
        return format_datetime(until + timedelta(seconds=1), usegmt=True)
