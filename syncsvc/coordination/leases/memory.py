"""Leases in this process: the twin that unit tests use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.coordination.leases.model import (
    Answer,
    Lease,
    LeaseKind,
    Outcome,
    View,
    Wish,
)
from syncsvc.coordination.leases.permits import MILLISECOND, Permits, Place

Announce = Callable[[str, str], None]


def to_nobody(_subject: str, _body: str) -> None:
    """Announce to nobody."""


@dataclass
class MemoryLeases:
    """Announces as the scripts do, to whom it is given."""

    clock: Callable[[], datetime]
    announce: Announce = to_nobody
    leases: dict[Lease, Permits] = field(default_factory=dict)

    async def acquire(self, lease: Lease, wish: Wish, *, queue: bool) -> Answer:
        now = self.now()
        with self.changing(lease, now, wish.worker) as permits:
            if not permits.held and not permits.queue:
                permits.limit = wish.limit
            outcome = _differing(permits, wish) or Outcome.DONE
            if outcome is Outcome.DONE:
                _hold_or_wait(permits, wish, now, queue=queue)
            return Answer(outcome, permits.view(now, wish.worker))

    async def withdraw(self, lease: Lease, worker: str, ticket: str, *, release: bool) -> View:
        permits, now = self.permits(lease), self.now()
        place = permits.queue.get(worker)
        with self._told(lease, worker):
            if place is not None and place.ticket == ticket:
                del permits.queue[worker]
            if release:
                permits.forget(worker, ticket, now)
            self.settle(lease, now)
            if not release and worker in permits.held:
                permits.claim(worker, ticket, now)
        return permits.view(now, worker)

    async def renew(self, lease: Lease, worker: str, token: int, ttl: timedelta) -> Answer:
        now = self.now()
        with self.changing(lease, now) as permits:
            if not _has(permits, worker, token):
                return Answer(Outcome.LOST, permits.view(now, worker))
            permits.claim(worker, "", now)
            before, ends = permits.held[worker].ends, now + ttl // MILLISECOND
            permits.extend(worker, ends)
            if ends < before and permits.first is not None:
                self.announce(lease.subject_of(permits.first), "")
            return Answer(Outcome.DONE, permits.view(now, worker))

    async def release(self, lease: Lease, worker: str, token: int, heir: str | None) -> Answer:
        now = self.now()
        with self.changing(lease, now) as permits:
            if not _has(permits, worker, token):
                known = (token, worker) in permits.released
                outcome = Outcome.DONE if known else Outcome.LOST
                return Answer(outcome, permits.view(now, worker))
            if heir is not None and not permits.waits(heir, now):
                return Answer(Outcome.ABSENT, permits.view(now, worker))
            if heir is not None:
                permits.put_first(heir)
            permits.give_back(worker, now)
            self.settle(lease, now)
            return Answer(Outcome.DONE, permits.view(now, worker))

    async def look(self, lease: Lease) -> View:
        now = self.now()
        with self.changing(lease, now) as permits:
            return permits.view(now)

    def lose(self) -> None:
        """Forget everything, as a Redis without persistence does when it restarts."""
        self.leases.clear()

    def now(self) -> int:
        return milliseconds(self.clock())

    def permits(self, lease: Lease) -> Permits:
        return self.leases.setdefault(lease, Permits())

    @contextmanager
    def changing(self, lease: Lease, now: int, asking: str | None = None) -> Iterator[Permits]:
        """Give the permits of a lease, settled; tell of what changed for others afterwards."""
        with self._told(lease, asking):
            self.settle(lease, now, asking)
            yield self.permits(lease)

    @contextmanager
    def _told(self, lease: Lease, asking: str | None) -> Iterator[None]:
        permits = self.permits(lease)
        led, first = permits.led, permits.first
        yield
        if permits.first not in (None, first, asking):
            self.announce(lease.subject_of(str(permits.first)), "")
        if lease.kind is LeaseKind.LEADER and permits.led != led:
            self.announce(lease.subject, str(permits.led or ""))

    def settle(self, lease: Lease, now: int, asking: str | None = None) -> None:
        """Drop and offer what is due; the one that asks need not be told."""
        permits = self.permits(lease)

        def tell(worker: str) -> None:
            if worker != asking:
                self.announce(lease.subject_of(worker), str(permits.token))

        permits.settle(now, tell, asking)


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _differing(permits: Permits, wish: Wish) -> Outcome | None:
    if permits.limit != wish.limit:
        return Outcome.OTHER_LIMIT
    known = permits.held.get(wish.worker) or permits.queue.get(wish.worker)
    return Outcome.OTHER_WEIGHT if known and known.weight != wish.weight else None


def _hold_or_wait(permits: Permits, wish: Wish, now: int, *, queue: bool) -> None:
    ttl, is_new = wish.ttl // MILLISECOND, wish.worker not in permits.held
    place = Place(wish.weight, ttl, wish.ticket, wish.gateway, now)
    if is_new and not permits.queue and permits.used + wish.weight <= permits.limit:
        permits.offer(wish.worker, place, now)
    if wish.worker in permits.held:
        permits.claim(wish.worker, wish.ticket, now)
        permits.extend(wish.worker, max(permits.held[wish.worker].ends, now + ttl))
    elif queue:
        permits.queue[wish.worker] = place


def _has(permits: Permits, worker: str, token: int) -> bool:
    held = permits.held.get(worker)
    return held is not None and held.token == token
