"""Workers count, send signals, and wait until something was counted often enough."""

from dataclasses import dataclass, field

from syncsvc.coordination.counters.model import Counted, Kind
from syncsvc.coordination.counters.ports import Counters
from syncsvc.coordination.names import check_name, subject
from syncsvc.coordination.once import once
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.waiting import Look, Shared, wait_until_enough


@dataclass
class CounterService:
    """What is counted in every run; all of it raises Rejected for names, and Unavailable."""

    counters: Counters
    signals: Signals
    _value: Shared[Counted, int] = field(init=False)

    def __post_init__(self) -> None:
        self._value = Shared(self.counters.get)

    async def add(self, run: str, name: str, delta: int, request: str | None = None) -> int:
        """Add to a counter and give its value.

        Raises Rejected when the sum has more than 64 bits.
        """
        counted = _counted(run, Kind.COUNTER, name)
        return await self.counters.add(counted, delta, once("counter.add", name, request))

    async def get(self, run: str, name: str) -> int:
        return await self._value(_counted(run, Kind.COUNTER, name))

    async def wait(self, run: str, name: str, at_least: int, seconds: float) -> int:
        """Wait until a counter is at least so large; gives its value, also when it is not."""
        return await self._wait(_counted(run, Kind.COUNTER, name), at_least, seconds)

    async def send(self, run: str, name: str, request: str | None = None) -> int:
        """Send a signal and give its place among all that were sent: 1, 2, 3 and so on."""
        counted = _counted(run, Kind.SIGNAL, name)
        return await self.counters.add(counted, 1, once("signal.send", name, request))

    async def wait_for_signals(self, run: str, name: str, target: int, seconds: float) -> int:
        """Wait until a signal was sent so often; gives how often, also when it was not."""
        return await self._wait(_counted(run, Kind.SIGNAL, name), target, seconds)

    async def _wait(self, counted: Counted, target: int, seconds: float) -> int:
        async def look() -> Look[int]:
            value = await self._value(counted)
            return Look(value, enough=value >= target)

        about = subject(counted.kind, counted.run, counted.name)
        return await wait_until_enough(self.signals, about, seconds, look)


def _counted(run: str, kind: Kind, name: str) -> Counted:
    return Counted(check_name("run", run), kind, check_name("name", name))
