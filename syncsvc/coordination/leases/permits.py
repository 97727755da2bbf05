"""The permits of one lease in this process: the same rules as `permits.lua`, moment by moment.

Moments are whole milliseconds, as those of the scripts are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from syncsvc.coordination.leases.model import ALIVE, CALLS, OFFER, SHOWN, Holder, View

REMEMBERED_MS = 600_000  # what was given back may be given back again so long
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker waits for, by which call, and when it looked last."""

    weight: int
    ttl: int
    ticket: str
    gateway: str
    seen: int

    def is_alive(self, now: int) -> bool:
        return self.seen + ALIVE // MILLISECOND > now


@dataclass(frozen=True, slots=True)
class Held:
    """What a worker holds, or was offered: then `offered` is what it waited for."""

    weight: int
    token: int
    calls: frozenset[str]  # those that know of it; '' is one that never gives up
    ends: int
    offered: Place | None = None

    def claimed(self, ticket: str, now: int) -> "Held":
        """Note a call that knows of it; an offer lasts from now on, and no other call knows."""
        if self.offered is not None:
            ends = now + self.offered.ttl
            return replace(self, calls=frozenset({ticket}), ends=ends, offered=None)
        known = ticket in self.calls or len(self.calls) < CALLS
        return replace(self, calls=self.calls | {ticket if known else ""})

    def lapsed(self) -> Iterator[tuple[str, int]]:
        """Give the gateway that let an offer lapse, and since when it was known to it."""
        if self.offered is not None and self.offered.gateway:
            yield self.offered.gateway, self.ends - lasting(self.offered)


def lasting(offered: Place) -> int:
    return min(OFFER // MILLISECOND, offered.ttl)


@dataclass
class Permits:
    """Who holds what until when, and who waits in which order."""

    limit: int = 0
    token: int = 0
    owner: str | None = None  # of the newest token
    held: dict[str, Held] = field(default_factory=dict)
    queue: dict[str, Place] = field(default_factory=dict)  # in its order
    released: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def used(self) -> int:
        return sum(held.weight for held in self.held.values())

    @property
    def led(self) -> int | None:
        """The token of the one who leads; None when nobody does."""
        held = self.held.get(self.owner or "")
        return held.token if held else None

    @property
    def first(self) -> str | None:
        """The one that is next in line."""
        return next(iter(self.queue), None)

    def settle(self, now: int, tell: Callable[[str], None], asking: str | None = None) -> None:
        """Drop what has ended, then offer to the head of the queue as long as it fits."""
        self._drop_places(self._drop_ended(now, asking), asking)
        while self.queue:
            worker, place = next(iter(self.queue.items()))
            is_alive = place.is_alive(now)
            if is_alive and self.used + place.weight > self.limit:
                return
            del self.queue[worker]
            if is_alive:
                self.offer(worker, place, now)
                tell(worker)

    def _drop_ended(self, now: int, asking: str | None) -> dict[str, int]:
        """Give the gateways that let offers lapse, and since when.

        The offer to the one that asks does not lapse: it is about to claim it.
        """
        silent: dict[str, int] = {}
        for worker in [name for name, held in self.held.items() if held.ends <= now]:
            offered = self.held[worker].offered
            if offered is not None and worker == asking:
                self.extend(worker, now + lasting(offered))
                continue
            for gateway, since in self.held.pop(worker).lapsed():
                silent[gateway] = max(since, silent.get(gateway, 0))
        return silent

    def _drop_places(self, silent: dict[str, int], asking: str | None) -> None:
        """Drop the places of gateways of which nobody has looked since."""
        for worker, place in self.queue.items():
            since = silent.get(place.gateway)
            if since is not None and (place.seen > since or worker == asking):
                del silent[place.gateway]
        kept = {name: place for name, place in self.queue.items() if place.gateway not in silent}
        self.queue = kept

    def offer(self, worker: str, place: Place, now: int) -> None:
        self.token, self.owner = max(self.token + 1, now * 1000), worker
        calls, ends = frozenset({place.ticket}), now + lasting(place)
        self.held[worker] = Held(place.weight, self.token, calls, ends, place)

    def claim(self, worker: str, ticket: str, now: int) -> None:
        """Note that a call knows what its worker holds."""
        self.held[worker] = self.held[worker].claimed(ticket, now)

    def forget(self, worker: str, ticket: str, now: int) -> None:
        """Take permits back once the last call that knows of them has given up."""
        held = self.held.get(worker)
        if held is None or ticket not in held.calls:
            return
        self.held[worker] = replace(held, calls=held.calls - {ticket})
        if not self.held[worker].calls:
            self.give_back(worker, now)

    def lead(self, worker: str, ttl: timedelta, now: int) -> None:
        """Let one that leads go on, or lead from now on: nobody else holds the only permit."""
        self.limit, lasts = 1, ttl // MILLISECOND
        self.queue.pop(worker, None)
        if worker not in self.held:
            self.offer(worker, Place(1, lasts, "", "", now), now)
        self.claim(worker, "", now)
        self.extend(worker, now + lasts)

    def extend(self, worker: str, ends: int) -> None:
        self.held[worker] = replace(self.held[worker], ends=ends)

    def give_back(self, worker: str, now: int) -> None:
        known = {key: at for key, at in self.released.items() if at > now - REMEMBERED_MS}
        self.released = {**known, (self.held.pop(worker).token, worker): now}

    def put_first(self, worker: str) -> None:
        self.queue = {worker: self.queue.pop(worker), **self.queue}

    def waits(self, worker: str, now: int) -> bool:
        return worker in self.queue and self.queue[worker].is_alive(now)

    def view(self, now: int, worker: str | None = None) -> View:
        """Give the permits as they stand to a worker."""
        asked = worker or ""
        by_end = sorted(self.held, key=lambda name: (self.held[name].ends, name.encode()))
        own = self.held.get(asked) or self.queue.get(asked)
        return View(
            limit=self.limit,
            used=self.used,
            waiters=len(self.queue),
            holders=tuple(self._holder(name, now) for name in by_end[:SHOWN]),
            mine=self._holder(asked, now) if asked in self.held else None,
            place=list(self.queue).index(asked) + 1 if asked in self.queue else None,
            bound=own.weight if own else 0,
        )

    def _holder(self, worker: str, now: int) -> Holder:
        held = self.held[worker]
        return Holder(worker, held.weight, held.token, (held.ends - now) * MILLISECOND)
