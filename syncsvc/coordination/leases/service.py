"""Workers ask for permits, wait in line, keep them alive, give them back, and watch who leads."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from syncsvc.coordination.leases.lines import Lines, next_change
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
from syncsvc.coordination.waiting import Look, wait_until_enough
from syncsvc.errors import Conflict, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class LeaseService:
    """Locks, read-write locks, semaphores and leaders."""

    leases: Leases
    signals: Signals
    new_ticket: Callable[[], str]
    gateway: str = field(init=False)  # by which its places are known
    lines: Lines = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gateway", self.new_ticket())
        object.__setattr__(self, "lines", Lines(self.signals))

    async def acquire(self, lease: Lease, wish: Wish, wait_seconds: float) -> View:
        """Take permits, or wait for them in line; `mine` is None when the time has passed.

        Whoever is cancelled while waiting leaves nothing behind.
        Raises Conflict when the limit, or the worker's own permits, are others than known.
        """
        wish = replace(wish, ticket=self.new_ticket(), gateway=self.gateway)
        try:
            return await self._acquire(lease, wish, wait_seconds)
        except asyncio.CancelledError:
            await self._take_back(lease, wish)
            raise
        finally:
            self.lines.leave(lease, wish.ticket)

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
            return Look(view, token != after_token, next_change(view))

        return await wait_until_enough(self.signals, lease.subject, wait_seconds, look)

    async def _acquire(self, lease: Lease, wish: Wish, wait_seconds: float) -> View:
        async def look() -> Look[View]:
            self.lines.look(lease, wish.ticket)
            answer = await self.leases.acquire(lease, wish, queue=wait_seconds > 0)
            if answer.outcome is not Outcome.DONE:
                raise Conflict(other_terms(lease, wish, answer))
            view = answer.view
            soon = self.lines.next_look(lease, wish.ticket, wish.worker, view)
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
