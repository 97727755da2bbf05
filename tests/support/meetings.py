"""A hall where agents meet: gateways, one store in memory, and a clock that a test moves."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from syncsvc.coordination.checkpoints.memory import MemoryCheckpoints
from syncsvc.coordination.checkpoints.model import Arrival, Outcome, Policy, Terms
from syncsvc.coordination.checkpoints.service import Meetings
from syncsvc.errors import SyncsvcError
from tests.support.builders import NOON, SECOND


@dataclass
class Timer:
    callback: Callable[[], object] | None

    def cancel(self) -> None:
        self.callback = None


@dataclass
class FakeTimers:
    """Time that passes when it is told to."""

    now: float = 0.0
    due: list[tuple[float, int, Timer]] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> Timer:
        timer = Timer(lambda: callback(*args))
        heapq.heappush(self.due, (self.now + delay, next(self._numbers), timer))
        return timer

    def move(self, seconds: float) -> None:
        self.now += seconds
        while self.due and self.due[0][0] <= self.now:
            timer = heapq.heappop(self.due)[2]
            if timer.callback is not None:
                timer.callback()


@dataclass(eq=False)
class Agent:
    """Somebody who waits, and all that it was told."""

    arrival: Arrival
    told: list[Outcome] = field(default_factory=list)
    refused: list[SyncsvcError] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, outcome: Outcome) -> None:
        self.told.append(outcome)
        self.over.set()

    def refuse(self, error: SyncsvcError) -> None:
        self.refused.append(error)
        self.over.set()

    @property
    def outcome(self) -> Outcome:
        assert (len(self.told), self.refused) == (1, []), (self.arrival, self.told, self.refused)
        return self.told[0]

    @property
    def error(self) -> SyncsvcError:
        assert (self.told, len(self.refused)) == ([], 1), (self.arrival, self.told, self.refused)
        return self.refused[0]


class Line:
    """A store over a line that may be slow, or dead."""

    def __init__(self, store: MemoryCheckpoints) -> None:
        self._store = store
        self._before, self._after = asyncio.Event(), asyncio.Event()
        self.go_on()
        self.error: SyncsvcError | None = None
        self.lost_answer: SyncsvcError | None = None  # to a call that was carried out
        self.batches: list[Any] = []
        self.withdrawals = 0
        self.pause: Callable[[], Awaitable[None]] | None = None

    def hold(self) -> None:
        self._before.clear()

    def hold_answers(self) -> None:
        self._after.clear()

    def go_on(self) -> None:
        self._before.set()
        self._after.set()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(*arguments: Any) -> Any:
            if name == "arrive":
                self.batches.append(arguments[0])
            self.withdrawals += name == "withdraw"
            await self._delay(self._before)
            if self.error is not None:
                raise self.error
            answer = await getattr(self._store, name)(*arguments)
            await self._delay(self._after)
            if self.lost_answer is not None:
                raise self.lost_answer
            return answer

        return call

    async def _delay(self, held: asyncio.Event) -> None:
        await held.wait()
        if self.pause is not None:
            await self.pause()


class Hall:
    """One gateway; others of the same store are made from it."""

    def __init__(self, beside: "Hall | None" = None) -> None:
        self.timers = beside.timers if beside else FakeTimers()
        self.halls: list[Hall] = beside.halls if beside else []
        self.halls.append(self)
        self.news: list[tuple[str, str]] = beside.news if beside else []
        self.twin = beside.twin if beside else MemoryCheckpoints(self._announce, self._clock)
        self.store = Line(self.twin)
        self.present: Sequence[str] | SyncsvcError = []
        self.announcing = True
        self.meetings = Meetings(
            self.store,
            present=self._present,
            timers=self.timers,
            longest_wait=timedelta(hours=12),
        )
        self._sessions = count(1)

    def gateway(self) -> "Hall":
        return Hall(self)

    def arrival(
        self,
        worker: str,
        *,
        run: str = "r",
        name: str = "start",
        target: int,
        policy: Policy = Policy.IGNORE,
        cyclic: bool = False,
        **more: Any,
    ) -> Arrival:
        session = f"{id(self)}-{next(self._sessions)}"
        return Arrival(run, name, worker, Terms(target, policy, cyclic), session, **more)

    def arrive(self, worker: str, **asked: Any) -> Agent:
        agent = Agent(self.arrival(worker, **asked))
        self.meetings.arrive(agent.arrival, agent)
        return agent

    def gone(self, agent: Agent) -> None:
        self.meetings.gone(agent.arrival)

    async def settled(self) -> None:
        await self.meetings.settled()

    async def look(self) -> None:
        await self.meetings.look()
        await self.meetings.settled()

    async def move(self, seconds: float) -> None:
        """Let time pass for every gateway."""
        self.timers.move(seconds)
        for hall in self.halls:
            await hall.settled()

    async def turn(self) -> None:
        """Let whatever can go on go on."""
        for _ in range(5):
            await asyncio.sleep(0)

    def _announce(self, subject: str, body: str) -> None:
        self.news.append((subject, body))
        for hall in self.halls:
            if hall.announcing:
                hall.meetings.announced(subject, body)

    def _clock(self) -> Any:
        return NOON + self.timers.now * SECOND

    async def _present(self, run: str) -> Sequence[str]:
        if isinstance(self.present, SyncsvcError):
            raise self.present
        return self.present
