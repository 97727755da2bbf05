"""How many requests may be under way to a place, how fast new ones begin, and who waits how long.

A turn ends when it is given back, or after its term: a process that was killed keeps nobody out
for longer. Who waits stands in a line of all processes; whoever stopped looking lost his place.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256

LOOKING = timedelta(seconds=0.5)  # a place in line is kept so long unless its owner looks again
KEPT = timedelta(hours=1)  # what is known of a place that nobody asks for


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket that holds `burst` requests and is filled with so many per second."""

    per_second: float
    burst: int = 1

    def __post_init__(self) -> None:
        if self.per_second <= 0:
            raise ValueError(f"per_second: found {self.per_second}, expected more than 0")
        if self.burst < 1:
            raise ValueError(f"burst: found {self.burst}, expected at least 1")

    @property
    def fills_in(self) -> timedelta:
        return timedelta(seconds=self.burst / self.per_second)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a gate promises to the servers behind it and to those who wait before it.

    `longest` is more than any request takes: after it, a turn counts no more.
    """

    at_once: int
    longest: timedelta
    patience: timedelta = timedelta(seconds=30)
    rate: Rate | None = None

    def __post_init__(self) -> None:
        if self.at_once < 1:
            raise ValueError(f"at_once: found {self.at_once}, expected at least 1")
        if self.longest <= timedelta(0):
            raise ValueError(f"longest: found {self.longest}, expected a time")

    @property
    def life(self) -> timedelta:
        """How long what is known of a place matters."""
        fills_in = self.rate.fills_in if self.rate else timedelta(0)
        return max(KEPT, self.longest, fills_in)


class Reason(StrEnum):
    FULL = "full"  # as many as may be are under way, or will be: others came first
    PAUSED = "paused"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of asking for a turn; `wait` is how long none can come, if that is known."""

    came: bool
    reason: Reason = Reason.FULL
    wait: timedelta | None = None
    ahead: int = 0  # in the line of all processes


CAME = Turn(came=True)


def digest(place: str) -> str:
    """Name a place without telling its address."""
    return sha256(place.encode()).hexdigest()
