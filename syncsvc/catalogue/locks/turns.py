"""The lock in one process: a run's work here ends before that of the next one begins.

While a run has its lock and its row nobody else gets as far as this. It is for a run that was
closed by others, when this process has not noticed yet and still works on it.
"""

import asyncio
from dataclasses import dataclass, field


@dataclass
class Turns:
    """A lock for each customer. Whoever finds one taken looks again, so nobody waits inside."""

    _locks: dict[str, asyncio.Lock] = field(default_factory=dict, init=False)

    def is_taken(self, customer: str) -> bool:
        return customer in self._locks and self._locks[customer].locked()

    async def take(self, customer: str) -> bool:
        """Take it without waiting; False while another has it."""
        lock = self._locks.setdefault(customer, asyncio.Lock())
        return not lock.locked() and await lock.acquire()

    def leave(self, customer: str) -> None:
        self._locks[customer].release()
