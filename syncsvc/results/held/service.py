"""A worker hands over a result to be held back; waiting for it, hurrying it, repairing it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.contextvars import bind_contextvars

from syncsvc.coordination.names import check_name
from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.model import Cut, Entry, EntryState
from syncsvc.results.held.ports import Filter, Nudge, Outbox
from syncsvc.runs.model import Liveness, at_work
from syncsvc.runs.ports import Rosters
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

LOOK_AGAIN = timedelta(milliseconds=250)
GRACE = timedelta(seconds=1)  # JS adapters hang up 3 s after their patience ends
LONGEST_ID = 1000
LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Completion:
    """Whether anything is still held back, in numbers and in words."""

    waiting: int  # results that will be tried, or tried again
    dead: int  # results that somebody must look at
    is_known: bool = True  # False: nobody could be asked in time

    @property
    def completed(self) -> bool:
        return self.is_known and not self.waiting and not self.dead

    @property
    def message(self) -> str:
        if not self.is_known:
            return "what is held back is not known yet: ask again"
        if self.waiting:
            return f"{_results(self.waiting)} not final yet"
        if self.dead:
            remedy = "see 'syncsvc results list --dead'"
            return f"{_results(self.dead)} could not be finalised: {remedy}"
        return "nothing is held back"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller may wait: while others are at work, and once they are done."""

    at_work: timedelta
    done: timedelta


@dataclass
class ResultService:
    """What the workers of a run and the people behind them may ask about held results."""

    outbox: Outbox
    rosters: Rosters
    nudge: Nudge
    liveness: Liveness
    clock: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]]

    async def hold(self, cut: Cut) -> str:
        """Keep a result until its run is over; give the id of its entry once committed.

        Raises Rejected for a cut that cannot be, Unknown when its run never registered,
        Unavailable when it could not be stored: then the worker keeps responsibility.
        """
        check_name("testRunId", cut.run_id)
        if not cut.external_id or len(cut.external_id) > LONGEST_ID:
            raise Rejected(
                f"autoTestExternalId: expected 1 to {LONGEST_ID} characters, "
                f"found {len(cut.external_id)}"
            )
        entry_id = await self.outbox.hold(cut, self.clock())
        bind_contextvars(entry=entry_id, test=cut.external_id)
        return entry_id

    async def is_published(self, run_id: str) -> bool:
        """Tell whether a result was ever held for this run. Raises Unavailable."""
        return bool(await self.outbox.counts(run_id))

    async def force(self, run_id: str) -> Completion:
        """Finalise now what a run holds, without waiting for its workers.

        Raises Unavailable.
        """
        if await self.outbox.release(run_id, self.clock(), forced=True):
            await self.nudge.deliver()
        return await self.completion(run_id)

    async def completion(self, run_id: str | None) -> Completion:
        """Say how far a run is; None asks about all of them. Raises Unavailable."""
        counts = await self.outbox.counts(run_id)
        waiting = counts.get(EntryState.HELD, 0) + counts.get(EntryState.PENDING, 0)
        return Completion(waiting, counts.get(EntryState.DEAD, 0))

    async def wait(self, run_id: str | None, patience: Patience) -> Completion:
        """Wait until nothing of a run is held back, or patience ends. Raises Unavailable.

        A store that does not answer makes nobody wait longer than `GRACE` more.
        """
        try:
            async with asyncio.timeout((patience.done + GRACE).total_seconds()):
                return await self._wait(run_id, patience)
        except TimeoutError:
            log.warning("waiting ended without an answer")
            return Completion(0, 0, is_known=False)

    async def _wait(self, run_id: str | None, patience: Patience) -> Completion:
        started = self.clock()
        while True:
            now = await self.completion(run_id)
            if not now.waiting:
                return now
            limit = patience.at_work if await self._is_at_work(run_id) else patience.done
            if self.clock() - started >= limit:
                return now
            await self.pause(LOOK_AGAIN.total_seconds())

    async def entries(self, which: Filter) -> Sequence[Entry]:
        """List entries, newest first. Raises Rejected for a limit out of range, Unavailable."""
        if not 1 <= which.limit <= LARGEST_PAGE:
            raise Rejected(f"limit: expected 1 to {LARGEST_PAGE}, found {which.limit}")
        return await self.outbox.entries(which)

    async def entry(self, entry_id: str) -> Entry:
        """Give one entry. Raises Unknown, Unavailable."""
        found = await self.outbox.get(entry_id)
        if found is None:
            raise Unknown(f"result: expected the id of a held result, found {entry_id[:80]!r}")
        return found

    async def retry(self, entry_id: str | None) -> int:
        """Try dead entries (None: all) again, and count them.

        Raises Unknown for an id that is not there, Rejected for one that is not dead, Unavailable.
        """
        revived = await self.outbox.revive(entry_id, self.clock())
        if entry_id is not None and not revived:
            entry = await self.entry(entry_id)
            raise Rejected(f"result {entry.id}: expected one that is dead, found {entry.state}")
        if revived:
            await self.nudge.deliver()
        return revived

    async def forget(self, life: timedelta) -> int:
        """Remove what was delivered longer ago than its life, and count it. Raises Unavailable."""
        return await self.outbox.forget(self.clock() - life)

    async def _is_at_work(self, run_id: str | None) -> bool:
        roster = await self.rosters.get(run_id) if run_id else None
        return roster is not None and bool(at_work(roster, self.clock(), self.liveness))


def _results(count: int) -> str:
    return "1 held result" if count == 1 else f"{count} held results"
