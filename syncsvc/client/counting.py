"""Counters and signals: how many, and waiting until they are enough."""

import msgspec

from syncsvc.client.asking import Part, new_request
from syncsvc.client.failures import TimedOut
from syncsvc.client.tempo import Seconds

DEFAULT_TIMEOUT = 60.0  # seconds


class _Value(msgspec.Struct, frozen=True):
    value: int
    reached: bool = True


class _Count(msgspec.Struct, frozen=True):
    seq: int = 0
    count: int = 0
    reached: bool = True


class Counter(Part):
    """A number that the workers of a run share."""

    async def add(self, delta: int = 1) -> int:
        """Give the new value; a repeated call after a lost connection adds once."""
        answer = await self._ask(_Value, "counter.add", delta=delta, request=new_request())
        return answer.value

    async def get(self) -> int:
        return (await self._ask(_Value, "counter.get")).value

    async def wait(self, at_least: int, *, timeout: Seconds = DEFAULT_TIMEOUT) -> int:
        """Wait until the value is large enough. Raises TimedOut."""
        for wait in self._turns("timeout", timeout):
            answer = await self._ask(_Value, "counter.wait", wait, at_least=at_least)
            if answer.reached:
                return answer.value
        raise TimedOut(f"counter {self.name!r}: expected at least {at_least}, found {answer.value}")


class Signal(Part):
    """Something that is sent a number of times, and that others wait for."""

    async def send(self) -> int:
        """Give the number of this signal, from 1."""
        return (await self._ask(_Count, "signal.send", request=new_request())).seq

    async def wait(self, target: int = 1, *, timeout: Seconds = DEFAULT_TIMEOUT) -> int:
        """Wait until it was sent `target` times, and give how often it was. Raises TimedOut."""
        for wait in self._turns("timeout", timeout):
            answer = await self._ask(_Count, "signal.wait", wait, target=target)
            if answer.reached:
                return answer.count
        raise TimedOut(f"signal {self.name!r}: expected {target}, found {answer.count}")

    async def send_and_wait(self, target: int, *, timeout: Seconds = DEFAULT_TIMEOUT) -> int:
        """Send it, wait until it was sent `target` times, and give our own number."""
        request, seq = new_request(), 0
        for wait in self._turns("timeout", timeout):
            if seq:
                answer = await self._ask(_Count, "signal.wait", wait, target=target)
            else:
                answer = await self._ask(
                    _Count, "signal.send_and_wait", wait, target=target, request=request
                )
            seq = seq or answer.seq
            if answer.reached:
                return seq
        raise TimedOut(f"signal {self.name!r}: expected {target}, found {answer.count}")
