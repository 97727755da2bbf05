"""What counting needs from outside: a place for the numbers."""

from typing import Protocol

from syncsvc.coordination.counters.model import Counted
from syncsvc.coordination.once import Once


class Counters(Protocol):
    """Keeps numbers. Each call is atomic and may be repeated; all raise Unavailable."""

    async def add(self, counted: Counted, delta: int, once: Once) -> int:
        """Add to a number, announce it and give the sum; a repeated request gets its first sum.

        Raises Rejected when the sum would be no signed number of 64 bits.
        """
        ...

    async def get(self, counted: Counted) -> int:
        """Give a number; one that nobody added to is 0."""
        ...
