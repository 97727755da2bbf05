"""Turns in Redis: sorted sets of terms, by the server's clock."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncsvc.coordination.gate.model import CAME, KEPT, LOOKING, Reason, Terms, Turn, digest
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.coordination.gate"
CLOCK = "syncsvc.coordination:clock"
ASK = Script.load(PACKAGE, CLOCK, "gate", "ask")
GIVE_BACK = Script.load(PACKAGE, CLOCK, "gate", "give_back")
PAUSE = Script.load(PACKAGE, CLOCK, "gate", "pause")


@dataclass
class RedisTurns:
    """`clock_shift` moves the server's clock, for tests."""

    scripts: Scripts
    clock_shift: timedelta = timedelta(0)

    async def ask(self, place: str, ticket: str, terms: Terms) -> Turn:
        came, *why = await self._run(
            ASK,
            keys.gate(digest(place), terms.life),
            ticket,
            terms.at_once,
            _ms(terms.longest),
            _ms(LOOKING),
            *_bucket(terms),
        )
        return CAME if came else _waiting(*why)

    async def give_back(self, place: str, ticket: str) -> None:
        await self._run(GIVE_BACK, keys.gate(digest(place), KEPT), ticket)

    async def pause(self, place: str, length: timedelta) -> None:
        await self._run(PAUSE, keys.gate(digest(place), KEPT), _ms(length))

    async def _run(self, script: Script, parts: list[keys.Key], *arguments: str | int) -> Any:
        life = parts[0].life_ms
        return await self.scripts.run(script, parts, _ms(self.clock_shift), life, *arguments)


def _bucket(terms: Terms) -> tuple[str, int]:
    if terms.rate is None:
        return "0", 0
    return repr(float(terms.rate.per_second)), terms.rate.burst


def _waiting(reason: str, wait: int, ahead: int) -> Turn:
    known = timedelta(milliseconds=int(wait)) if wait else None
    return Turn(came=False, reason=Reason(reason), wait=known, ahead=int(ahead))


def _ms(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)
