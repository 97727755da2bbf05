"""The permits of one lease in this process: the same rules as `permits.lua`, moment by moment.

Moments are whole milliseconds, as those of the scripts are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from syncsvc.coordination.leases.model import SHOWN, Holder, View

REMEMBERED_MS = 600_000  # what was given back may be given back again so long
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Held:
    weight: int
    token: int
    ticket: str
    ends: int


@dataclass(frozen=True, slots=True)
class Place:
    weight: int
    ttl: int
    alive: int
    ticket: str


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

    def settle(self, now: int, tell: Callable[[str], None]) -> None:
        """Drop what has ended, then grant to the head of the queue as long as it fits."""
        self.held = {name: held for name, held in self.held.items() if held.ends > now}
        while self.queue:
            worker, place = next(iter(self.queue.items()))
            is_alive = place.alive > now
            if is_alive and self.used + place.weight > self.limit:
                return
            del self.queue[worker]
            if is_alive:
                self.grant(worker, place, now)
                tell(worker)

    def grant(self, worker: str, place: Place, now: int) -> None:
        self.token, self.owner = max(self.token + 1, now * 1000), worker
        self.held[worker] = Held(place.weight, self.token, place.ticket, now + place.ttl)

    def lead(self, worker: str, ttl: timedelta, now: int) -> None:
        """Let one that leads go on, or lead from now on: nobody else holds the only permit."""
        self.limit = 1
        self.queue.pop(worker, None)
        if worker in self.held:
            self.extend(worker, now + ttl // MILLISECOND)
        else:
            self.grant(worker, Place(1, ttl // MILLISECOND, now, ""), now)

    def extend(self, worker: str, ends: int) -> None:
        self.held[worker] = replace(self.held[worker], ends=ends)

    def give_back(self, worker: str, now: int) -> None:
        known = {key: at for key, at in self.released.items() if at > now - REMEMBERED_MS}
        self.released = {**known, (self.held.pop(worker).token, worker): now}

    def put_first(self, worker: str) -> None:
        self.queue = {worker: self.queue.pop(worker), **self.queue}

    def waits(self, worker: str, now: int) -> bool:
        return worker in self.queue and self.queue[worker].alive > now

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
