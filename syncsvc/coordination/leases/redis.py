"""Leases in Redis: four keys each, changed by scripts only, by the server's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncsvc.coordination.leases.model import Answer, Holder, Lease, Outcome, View, Wish
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.keys import Key
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.coordination.leases"
PRELUDES = ("syncsvc.coordination:clock", f"{PACKAGE}:permits")
ACQUIRE = Script.load(PACKAGE, *PRELUDES, "acquire")
WITHDRAW = Script.load(PACKAGE, *PRELUDES, "withdraw")
RENEW = Script.load(PACKAGE, *PRELUDES, "renew")
RELEASE = Script.load(PACKAGE, *PRELUDES, "release")
LOOK = Script.load(PACKAGE, *PRELUDES, "look")

Argument = str | int
OF_THE_LEASE = 9  # fields of a view before those of its holders


@dataclass
class RedisLeases:
    """Leases that nobody touches go after `life`, or later than they end; a test may move time."""

    scripts: Scripts
    life: timedelta
    clock_shift: timedelta = timedelta(0)

    async def acquire(self, lease: Lease, wish: Wish, *, queue: bool) -> Answer:
        terms = (wish.worker, wish.weight, wish.limit, milliseconds(wish.ttl), wish.ticket)
        return await self._run(ACQUIRE, lease, *terms, wish.gateway, int(queue))

    async def withdraw(self, lease: Lease, worker: str, ticket: str, *, release: bool) -> View:
        return (await self._run(WITHDRAW, lease, worker, ticket, int(release))).view

    async def renew(self, lease: Lease, worker: str, token: int, ttl: timedelta) -> Answer:
        return await self._run(RENEW, lease, worker, token, milliseconds(ttl))

    async def release(self, lease: Lease, worker: str, token: int, heir: str | None) -> Answer:
        return await self._run(RELEASE, lease, worker, token, heir or "")

    async def look(self, lease: Lease) -> View:
        return (await self._run(LOOK, lease)).view

    async def _run(self, script: Script, lease: Lease, *arguments: Argument) -> Answer:
        touched = keys_of(lease, self.life)
        terms = arguments_of(lease, self.life, self.clock_shift)
        worker = str(arguments[0]) if arguments else ""
        return _answer(await self.scripts.run(script, touched, *terms, *arguments), worker)


def keys_of(lease: Lease, life: timedelta) -> list[Key]:
    """Give the keys that permits.lua takes."""
    return keys.lease_keys(lease.run, lease.kind, lease.name, life)


def arguments_of(lease: Lease, life: timedelta, shift: timedelta) -> tuple[Argument, ...]:
    """Give the arguments that permits.lua takes."""
    return keys.NEWS, lease.subject, milliseconds(life), milliseconds(shift)


def milliseconds(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)


def _answer(flat: Sequence[Any], worker: str) -> Answer:
    outcome, now, limit, used, waiters, place, bound, mine, ends = flat[:OF_THE_LEASE]
    names, records, all_ends = (flat[OF_THE_LEASE + part :: 3] for part in range(3))
    holders = zip(names, records, all_ends, strict=True)
    view = View(
        limit=int(limit),
        used=int(used),
        waiters=int(waiters),
        holders=tuple(_holder(*holder, now) for holder in holders),
        mine=_holder(worker, mine, ends, now) if mine else None,
        place=int(place) or None,
        bound=int(bound),
    )
    return Answer(Outcome(outcome), view)


def _holder(worker: str, record: str, ends: str, now: str) -> Holder:
    weight, token, _ = record.split("|", 2)
    return Holder(worker, int(weight), int(token), timedelta(milliseconds=int(ends) - int(now)))
