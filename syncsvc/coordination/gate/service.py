"""Whoever wants to pass a gate waits for a turn; one of each process and place asks for all.

A wait that cannot end within its patience ends at once, and says when to come again.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from syncsvc.coordination.gate.model import Reason, Terms, Turn
from syncsvc.coordination.gate.ports import Turns
from syncsvc.errors import Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

SHORTEST, LONGEST = 0.003, 0.05  # seconds between two looks of one that waits in line
OF_THE_WAIT = 0.1  # a look after so much more of the wait finds a turn hardly later than it came


def _new_ticket() -> str:
    return uuid.uuid4().hex


@dataclass
class Line:
    """Those of this process who wait for a place: the one that has `asking` looks for a turn."""

    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    freed: asyncio.Event = field(default_factory=asyncio.Event)  # a turn ended here
    callers: int = 0


@dataclass
class TurnGate:
    """A Gate whose turns are counted elsewhere, for all processes."""

    turns: Turns
    terms: Terms
    new_ticket: Callable[[], str] = _new_ticket
    chance: Callable[[], float] = random.random
    lines: dict[str, Line] = field(default_factory=dict)

    @asynccontextmanager
    async def passing(self, place: str) -> AsyncIterator[None]:
        ticket = self.new_ticket()
        with self._line(place) as line:
            await self._turn(line, place, ticket)
            try:
                yield
            finally:
                await self._give_back(place, ticket)
                line.freed.set()

    async def pause(self, place: str, length: timedelta) -> None:
        if length > timedelta(0):
            await self.turns.pause(place, length)

    @contextmanager
    def _line(self, place: str) -> Iterator[Line]:
        line = self.lines.setdefault(place, Line())
        line.callers += 1
        try:
            yield line
        finally:
            line.callers -= 1
            if not line.callers:
                del self.lines[place]

    async def _turn(self, line: Line, place: str, ticket: str) -> None:
        wait = Wait(self.terms.patience)
        try:
            async with asyncio.timeout_at(wait.ends), line.asking:
                came = await self._asked(line, place, ticket, wait)
        except TimeoutError:
            came = False
        except asyncio.CancelledError:  # a turn may be ours, and its answer lost
            await self._give_back(place, ticket)
            raise
        if not came:
            await self._give_back(place, ticket)
            raise wait.too_long(self.terms)

    async def _asked(self, line: Line, place: str, ticket: str, wait: "Wait") -> bool:
        """Ask until a turn comes; False when none can come in time."""
        while True:
            line.freed.clear()
            wait.seen = turn = await self.turns.ask(place, ticket, self.terms)
            if turn.came or wait.is_too_short_for(turn):
                return turn.came
            await self._nap(line, turn, wait.passed)

    async def _nap(self, line: Line, turn: Turn, passed: float) -> None:
        """Wait a little; in a pause for its end, else at most until a turn ends here."""
        if turn.reason is Reason.PAUSED and turn.wait is not None:
            await asyncio.sleep(turn.wait.total_seconds() + self.chance() * LONGEST)
            return
        soon = max(SHORTEST * (turn.ahead + 1), passed * OF_THE_WAIT)
        if turn.wait is not None:
            soon = max(soon, turn.wait.total_seconds())
        try:
            async with asyncio.timeout(min(soon, LONGEST) * (0.5 + self.chance())):
                await line.freed.wait()
        except TimeoutError:
            return

    async def _give_back(self, place: str, ticket: str) -> None:
        try:
            await self.turns.give_back(place, ticket)
        except Unavailable as error:
            log.warning("a turn was not given back; it ends by itself", reason=str(error))


class Wait:
    """How long one has waited and may wait, in seconds, and what was seen last."""

    def __init__(self, patience: timedelta) -> None:
        self._now = asyncio.get_running_loop().time
        self._began = self._now()
        self.ends = self._began + patience.total_seconds()
        self.seen: Turn | None = None

    @property
    def passed(self) -> float:
        return self._now() - self._began

    def is_too_short_for(self, turn: Turn) -> bool:
        return turn.wait is not None and turn.wait.total_seconds() > self.ends - self._now()

    def too_long(self, terms: Terms) -> Unavailable:
        patience = f"within {terms.patience.total_seconds():g} s"
        if self.seen is None or self.seen.wait is None:
            return Unavailable(
                f"no turn came {patience}: {terms.at_once} requests at once are let through"
            )
        seconds = self.seen.wait.total_seconds()
        why = "it asked for a pause" if self.seen.reason is Reason.PAUSED else "others came first"
        text = f"no turn comes {patience}: {why}, {seconds:.3g} s are left"
        return Unavailable(text, retry_after=self.seen.wait)
