"""Turns in this process: the twin that unit tests use."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.coordination.gate.model import CAME, LOOKING, Rate, Reason, Terms, Turn

MILLISECOND = timedelta(milliseconds=1)


@dataclass
class Known:
    """What is known of a place."""

    permits: dict[str, datetime] = field(default_factory=dict)  # ticket -> when its turn ends
    waiting: dict[str, datetime] = field(default_factory=dict)  # in line -> when that lapses
    paused: datetime | None = None
    bucket: tuple[float, datetime] | None = None  # how many were left, and when


@dataclass
class MemoryTurns:
    clock: Callable[[], datetime]
    places: dict[str, Known] = field(default_factory=dict)

    async def ask(self, place: str, ticket: str, terms: Terms) -> Turn:
        known, now = self._settled(place), self.clock()
        if ticket in known.permits:
            return CAME
        if known.paused is not None and known.paused > now:
            return Turn(came=False, reason=Reason.PAUSED, wait=known.paused - now)
        turn = _turn(known, ticket, terms, now)
        if turn.came:
            known.waiting.pop(ticket, None)
            known.permits[ticket] = now + terms.longest
        else:
            known.waiting[ticket] = now + LOOKING
        return turn

    async def give_back(self, place: str, ticket: str) -> None:
        known = self._settled(place)
        known.permits.pop(ticket, None)
        known.waiting.pop(ticket, None)

    async def pause(self, place: str, length: timedelta) -> None:
        known, ends = self._settled(place), self.clock() + length
        known.paused = max(known.paused or ends, ends)

    def _settled(self, place: str) -> Known:
        known, now = self.places.setdefault(place, Known()), self.clock()
        known.permits = {ticket: ends for ticket, ends in known.permits.items() if ends > now}
        known.waiting = {ticket: ends for ticket, ends in known.waiting.items() if ends > now}
        return known


def _turn(known: Known, ticket: str, terms: Terms, now: datetime) -> Turn:
    line = list(known.waiting)
    ahead = line.index(ticket) if ticket in line else len(line)
    if terms.at_once - len(known.permits) <= ahead:
        return Turn(came=False, ahead=ahead)
    return CAME if terms.rate is None else _drawn(known, terms.rate, ahead, now)


def _drawn(known: Known, rate: Rate, ahead: int, now: datetime) -> Turn:
    left = _left(known, rate, now)
    if left < 1:
        wait = math.ceil((ahead + 1 - left) * 1000 / rate.per_second) * MILLISECOND
        return Turn(came=False, reason=Reason.RATE, wait=wait, ahead=ahead)
    if left < ahead + 1:
        return Turn(came=False, ahead=ahead)
    known.bucket = (left - 1, now)
    return CAME


def _left(known: Known, rate: Rate, now: datetime) -> float:
    if known.bucket is None:
        return rate.burst
    before, when = known.bucket
    since = max((now - when).total_seconds(), 0)
    return min(rate.burst, before + since * rate.per_second)
