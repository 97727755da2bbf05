"""Time as the client sees it: its clock, how it waits between attempts, and for how long."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from syncsvc.errors import Rejected

Seconds = float | timedelta

FIRST_DELAY = 0.1  # seconds; doubled with each attempt
LONGEST_DELAY = 5.0


def seconds(field: str, value: Seconds) -> float:
    """Read a duration. Raises Rejected when it is negative or no number."""
    found = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not 0 <= found < float("inf"):
        raise Rejected(f"{field}: expected seconds, 0 or more, found {found:g}")
    return found


def elapsed() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Tempo:
    """The clock, the chance and the patience of one client."""

    connect_within: float = 10.0
    reconnect_within: float = 60.0
    clock: Callable[[], float] = elapsed
    chance: Callable[[], float] = random.random
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    def delays(self) -> Iterator[float]:
        """Give the pauses between attempts: exponential, with full jitter."""
        most = FIRST_DELAY
        while True:
            yield self.chance() * most
            most = min(most * 2, LONGEST_DELAY)
