"""A run begins when nobody else syncs the customer: first the lock, then the row, then the turn.

Whoever finds it taken looks again, with pauses; no lock is waited for inside another.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.catalogue.ending import Ending
from syncsvc.catalogue.locks.turns import Turns
from syncsvc.catalogue.model import IfRunning, Order, RunStatus, SyncRun
from syncsvc.catalogue.ports import Begun, LockHeld, NewRun, RunFilter, SyncLock, SyncRuns
from syncsvc.catalogue.request import Request, SyncTerms
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

SHORTEST, LONGEST = 0.2, 1.0  # seconds between two looks
MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Beginning:
    record: SyncRuns
    lock: SyncLock
    turns: Turns
    ending: Ending
    terms: SyncTerms
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    pause: Callable[[float], Awaitable[None]]
    chance: Callable[[], float]
    holder: str | None

    async def begin(self, order: Order, request: Request, *, here: bool) -> Begun:
        """Begin a run, or give the one to join; with `here` this process has the turn then.

        Raises LockHeld when the customer is synced and that is not what was hoped for.
        """
        policy, patience = request.if_running, request.patience
        until = self.clock() + (timedelta(0) if policy is IfRunning.FAIL else patience)
        while True:
            left = (until - self.clock()).total_seconds()
            in_vain = patience if policy is IfRunning.WAIT and left <= 0 else None
            begun = await self._try(order, here=here, in_vain=in_vain)
            if begun is not None and (begun.is_new or policy is IfRunning.JOIN):
                return begun
            if left <= 0:
                raise await self._held(order.customer, begun)
            await self.pause(min(self.next_look(), left))

    def next_look(self) -> float:
        """Give the seconds until one looks again."""
        return SHORTEST + (LONGEST - SHORTEST) * self.chance()

    async def _try(self, order: Order, *, here: bool, in_vain: timedelta | None) -> Begun | None:
        """Begin, or give what runs; None when it is taken, and nothing is recorded to run."""
        running = await self._newest(order.customer, RunStatus.RUNNING)
        known = None if running is None else Begun(running, is_new=False)
        if here and self.turns.is_taken(order.customer):
            return known
        live_since = await self._live_since(running, in_vain)
        run_id = self.new_id()
        token = await self._locked(order.customer, run_id, is_free=running is None)
        if token is None:
            return known
        is_alone = self.holder is not None
        now = self.clock()
        new = NewRun(run_id, order, now, live_since, token, self.holder, is_alone)
        return await self._recorded(new, token, here=here)

    async def _live_since(self, running: SyncRun | None, in_vain: timedelta | None) -> datetime:
        """Say which sign of life is too old; the lock of a run without a newer one is freed."""
        now = self.clock()
        if running is None or not self.terms.is_dead(running, now, in_vain):
            return now - self.terms.dead_shared_after
        await self.ending.free(running)
        return running.heartbeat_at + MOMENT

    async def _locked(self, customer: str, run_id: str, *, is_free: bool) -> int | None:
        token = await self.lock.acquire(customer, run_id)
        if token is not None or not is_free:
            return token
        left_by = await self._newest(customer)
        if left_by is None or not left_by.status.is_over:
            return None
        await self.ending.free(left_by)  # whoever saw its end may have died before
        return await self.lock.acquire(customer, run_id)

    async def _recorded(self, new: NewRun, token: int, *, here: bool) -> Begun | None:
        customer = new.order.customer
        try:
            begun = await self.record.begin(new)
            _tell(begun)
            if not begun.is_new:
                await self.lock.release(customer, new.id, token)
            elif here and not await self.turns.take(customer):
                reason = "another run of this process has not ended yet"
                await self.ending.take_back(new, token, reason)
                return None
        except BaseException:
            reason = "stopped while it began"
            await self.ending.in_time(self.ending.take_back(new, token, reason))
            raise
        return begun

    async def _newest(self, customer: str, status: RunStatus | None = None) -> SyncRun | None:
        found = await self.record.runs(RunFilter(customer, status, limit=1))
        return found[0] if found else None

    async def _held(self, customer: str, begun: Begun | None) -> LockHeld:
        if begun is None:
            holder = await self.lock.holder(customer) or "a run that begins or ends"
            return LockHeld(
                f"the sync lock of customer {customer} is held by {holder}: try again soon"
            )
        run, now = begun.run, self.clock()
        silence = (now - run.heartbeat_at).total_seconds()
        who = "the task workers" if run.holder is None else f"process {run.holder}"
        return LockHeld(
            f"customer {customer} is synced by run {run.id} of {who} for {run.seconds(now):.0f} s "
            f"now (last sign of life {silence:.0f} s ago): wait longer, join it, "
            f"or end it with: syncsvc sync cancel {run.id}",
            run.id,
        )


def _tell(begun: Begun) -> None:
    gone = begun.reclaimed
    if gone is not None:
        seen = gone.heartbeat_at.isoformat(timespec="seconds")
        log.warning(
            "sync reclaimed from one that died",
            run=begun.run.id,
            gone=gone.id,
            holder=gone.holder,
            last_seen=seen,
        )
