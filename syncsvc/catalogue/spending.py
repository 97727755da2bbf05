"""How many calls a unit makes, and the end of it."""

from dataclasses import dataclass, field

from syncsvc.catalogue.model import Counts
from syncsvc.errors import Unavailable


class BudgetSpent(Unavailable):
    """A unit has made as many calls as it may in one turn."""


@dataclass
class Spending:
    """Counts the calls of one unit's turn: `retries` are those of `calls` that repeat one.

    `throttled` is the time in seconds that the gate and its pauses have cost.
    """

    limit: int
    calls: int = 0
    retries: int = 0
    throttled: float = 0.0
    _taken: Counts = field(default=Counts(), init=False)

    def spend(self, *, again: bool = False) -> None:
        """Count a call that is about to be made. Raises BudgetSpent when there were enough."""
        if self.calls >= self.limit:
            raise BudgetSpent(f"expected at most {self.limit} calls of a unit, found more to do")
        self.calls += 1
        self.retries += again

    def taken(self) -> Counts:
        """Give what was counted since this was last asked."""
        now = Counts(
            calls=self.calls, retries=self.retries, throttled_ms=round(self.throttled * 1000)
        )
        new = Counts(
            calls=now.calls - self._taken.calls,
            retries=now.retries - self._taken.retries,
            throttled_ms=now.throttled_ms - self._taken.throttled_ms,
        )
        self._taken = now
        return new
