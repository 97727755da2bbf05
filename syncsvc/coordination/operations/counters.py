"""The commands of counters and signals."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from syncsvc.coordination.counters.model import LARGEST, SMALLEST
from syncsvc.coordination.counters.service import CounterService
from syncsvc.coordination.operations.fields import Asking, RequestId, Seconds
from syncsvc.coordination.operations.operation import Caller, Operation, Reply, table

Number = Annotated[int, Meta(ge=SMALLEST, le=LARGEST)]
Target = Annotated[int, Meta(ge=1, le=LARGEST)]


class CounterAdd(Asking, frozen=True, kw_only=True):
    name: str
    delta: Number = 1
    request: RequestId | None = None


class CounterGet(Asking, frozen=True, kw_only=True):
    name: str


class CounterWait(Asking, frozen=True, kw_only=True):
    name: str
    at_least: Number
    wait_seconds: Seconds


class CounterValue(Reply, frozen=True):
    name: str
    value: int


class CounterReached(Reply, frozen=True):
    name: str
    value: int
    reached: bool


class SignalSend(Asking, frozen=True, kw_only=True):
    name: str
    request: RequestId | None = None


class SignalWait(Asking, frozen=True, kw_only=True):
    name: str
    target: Target
    wait_seconds: Seconds


class SignalSendAndWait(SignalWait, frozen=True, kw_only=True):
    request: RequestId | None = None


class SignalSent(Reply, frozen=True):
    name: str
    seq: int


class SignalCount(Reply, frozen=True):
    name: str
    count: int
    reached: bool


class SignalSentAndCount(Reply, frozen=True):
    name: str
    seq: int
    count: int
    reached: bool


@dataclass(frozen=True)
class CounterCommands:
    """Carries them out."""

    counters: CounterService

    async def add(self, caller: Caller, asked: CounterAdd) -> CounterValue:
        value = await self.counters.add(caller.run, asked.name, asked.delta, asked.request)
        return CounterValue(asked.name, value)

    async def get(self, caller: Caller, asked: CounterGet) -> CounterValue:
        return CounterValue(asked.name, await self.counters.get(caller.run, asked.name))

    async def wait(self, caller: Caller, asked: CounterWait) -> CounterReached:
        value = await self.counters.wait(caller.run, asked.name, asked.at_least, asked.wait_seconds)
        return CounterReached(asked.name, value, value >= asked.at_least)

    async def send(self, caller: Caller, asked: SignalSend) -> SignalSent:
        seq = await self.counters.send(caller.run, asked.name, asked.request)
        return SignalSent(asked.name, seq)

    async def wait_for_signals(self, caller: Caller, asked: SignalWait) -> SignalCount:
        count = await self._count(caller, asked)
        return SignalCount(asked.name, count, count >= asked.target)

    async def send_and_wait(self, caller: Caller, asked: SignalSendAndWait) -> SignalSentAndCount:
        seq = await self.counters.send(caller.run, asked.name, asked.request)
        count = await self._count(caller, asked)
        return SignalSentAndCount(asked.name, seq, count, count >= asked.target)

    async def _count(self, caller: Caller, asked: SignalWait) -> int:
        return await self.counters.wait_for_signals(
            caller.run, asked.name, asked.target, asked.wait_seconds
        )


def counter_operations(counters: CounterService) -> dict[str, Operation]:
    """Give the commands of counters and signals."""
    do = CounterCommands(counters)
    return table(*_of_counters(do), *_of_signals(do))


def _of_counters(do: CounterCommands) -> tuple[Operation, ...]:
    return (
        Operation(
            "counter.add",
            "Adds to a counter and gives its value.",
            CounterAdd,
            CounterValue,
            do.add,
        ),
        Operation("counter.get", "Gives a counter's value.", CounterGet, CounterValue, do.get),
        Operation(
            "counter.wait",
            "Waits until a counter is at least so large.",
            CounterWait,
            CounterReached,
            do.wait,
        ),
    )


def _of_signals(do: CounterCommands) -> tuple[Operation, ...]:
    return (
        Operation(
            "signal.send",
            "Sends a signal and gives its place among all that were sent.",
            SignalSend,
            SignalSent,
            do.send,
        ),
        Operation(
            "signal.wait",
            "Waits until a signal was sent so often.",
            SignalWait,
            SignalCount,
            do.wait_for_signals,
        ),
        Operation(
            "signal.send_and_wait",
            "Sends a signal and waits until it was sent so often.",
            SignalSendAndWait,
            SignalSentAndCount,
            do.send_and_wait,
        ),
    )
