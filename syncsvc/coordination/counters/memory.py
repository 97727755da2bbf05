"""Numbers in this process: the twin that unit tests use."""

from collections.abc import Callable
from dataclasses import dataclass, field

from syncsvc.coordination.counters.model import LARGEST, SMALLEST, Counted, full
from syncsvc.coordination.names import subject
from syncsvc.coordination.once import Once


@dataclass
class MemoryCounters:
    announce: Callable[[str, str], None]
    numbers: dict[Counted, int] = field(default_factory=dict)
    done: dict[tuple[str, str], int] = field(default_factory=dict)

    async def add(self, counted: Counted, delta: int, once: Once) -> int:
        request = (counted.run, once.id)
        if request not in self.done:
            self.done[request] = self._add(counted, delta)
        return self.done[request]

    async def get(self, counted: Counted) -> int:
        return self.numbers.get(counted, 0)

    def _add(self, counted: Counted, delta: int) -> int:
        value = self.numbers.get(counted, 0)
        if not SMALLEST <= value + delta <= LARGEST:
            raise full(value, delta)
        self.numbers[counted] = value + delta
        self.announce(subject(counted.kind, counted.run, counted.name), str(value + delta))
        return value + delta
