"""Workers ask for permits, wait in line, keep them alive, give them back, and watch who leads."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from syncsvc.coordination.leases.model import (
    Answer,
    Lease,
    Outcome,
    View,
    Wish,
    held_by,
    other_terms,
)
from syncsvc.coordination.leases.ports import Leases
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.waiting import LOOK_AGAIN, Look, wait_until_enough
from syncsvc.errors import Conflict, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

MOMENT = 0.002  # seconds; whoever looks so long after the end finds that it has come


@dataclass(frozen=True)
class LeaseService:
    """Locks, read-write locks, semaphores and leaders."""

    leases: Leases
    signals: Signals
    new_ticket: Callable[[], str]

    async def acquire(self, lease: Lease, wish: Wish, wait_seconds: float) -> View:
        """Take permits, or wait for them in line; `mine` is None when the time has passed.

        Whoever is cancelled while waiting leaves nothing behind.
        Raises Conflict when the limit, or the worker's own permits, are others than known.
        """
        wish = replace(wish, ticket=self.new_ticket())
        try:
            return await self._acquire(lease, wish, wait_seconds)
        except asyncio.CancelledError:
            await self._take_back(lease, wish)
            raise

    async def renew(self, lease: Lease, worker: str, token: int, ttl: timedelta) -> View:
        """Keep a lease for so long from now. Raises Conflict when it is lost."""
        answer = await self.leases.renew(lease, worker, token, ttl)
        return _kept(lease, token, answer)

    async def release(self, lease: Lease, worker: str, token: int, heir: str | None = None) -> View:
        """Give a lease back, to the next in line or to the heir.

        Raises Conflict when it is lost, or when the heir does not wait.
        """
        answer = await self.leases.release(lease, worker, token, heir)
        if answer.outcome is Outcome.ABSENT:
            raise Conflict(f"to: expected a worker that waits for {lease.name!r}, found {heir!r}")
        return _kept(lease, token, answer)

    async def look(self, lease: Lease) -> View:
        return await self.leases.look(lease)

    async def observe(self, lease: Lease, after_token: int | None, wait_seconds: float) -> View:
        """Give who leads, once it is not who led by this token; 0 stands for nobody."""

        async def look() -> Look[View]:
            view = await self.leases.look(lease)
            token = view.leader.token if view.leader else 0
            return Look(view, token != after_token, _next_look(view))

        return await wait_until_enough(self.signals, lease.subject, wait_seconds, look)

    async def _acquire(self, lease: Lease, wish: Wish, wait_seconds: float) -> View:
        async def look() -> Look[View]:
            answer = await self.leases.acquire(lease, wish, queue=wait_seconds > 0)
            if answer.outcome is not Outcome.DONE:
                raise Conflict(other_terms(lease, wish, answer))
            view = answer.view
            soon = _next_look(view) if view.place == 1 else LOOK_AGAIN
            return Look(view, view.mine is not None, soon)

        subject = lease.subject_of(wish.worker)
        view = await wait_until_enough(self.signals, subject, wait_seconds, look)
        if view.mine is None and wait_seconds > 0:
            return await self.leases.withdraw(lease, wish.worker, wish.ticket, release=False)
        return view

    async def _take_back(self, lease: Lease, wish: Wish) -> None:
        try:
            await self.leases.withdraw(lease, wish.worker, wish.ticket, release=True)
        except Unavailable as error:
            log.warning("what a call left behind ends by itself", reason=str(error))


def _kept(lease: Lease, token: int, answer: Answer) -> View:
    if answer.outcome is Outcome.LOST:
        raise Conflict(
            f"token: expected the token of a lease that has not ended, found {token}; "
            f"{held_by(lease, answer.view)}"
        )
    return answer.view


def _next_look(view: View) -> float:
    """Give the seconds after which something may have changed without an announcement."""
    if view.changes_in is None:
        return LOOK_AGAIN
    return max(view.changes_in.total_seconds(), 0) + MOMENT
