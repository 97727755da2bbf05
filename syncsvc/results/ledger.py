"""The ledger lists what is held and what is pushed together, for whoever must look and repair.

Ids of both sort by their moment, so one order holds for all.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.model import Entry as HeldEntry
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.held.service import LARGEST_PAGE, ResultService
from syncsvc.results.pushed.model import Entry as PushedEntry
from syncsvc.results.pushed.model import canonical
from syncsvc.results.pushed.ports import PushNudge, PushOutbox

AnyEntry = HeldEntry | PushedEntry


class Kind(StrEnum):
    HELD = "held"
    PUSHED = "pushed"


@dataclass(frozen=True)
class Ledger:
    """What may be asked about results of both kinds. All raise Unavailable."""

    held: ResultService
    pushed: PushOutbox
    nudge: PushNudge
    clock: Callable[[], datetime]

    async def entries(self, which: Filter, kind: Kind | None = None) -> Sequence[AnyEntry]:
        """List entries (of one kind), newest first. Raises Rejected for a limit out of range."""
        if not 1 <= which.limit <= LARGEST_PAGE:
            raise Rejected(f"limit: expected 1 to {LARGEST_PAGE}, found {which.limit}")
        found: list[AnyEntry] = []
        if kind is not Kind.PUSHED:
            found += await self.held.entries(which)
        if kind is not Kind.HELD:
            found += await self.pushed.entries(replace(which, run_id=_pushed(which.run_id)))
        found.sort(key=lambda entry: entry.id, reverse=True)
        return found[: which.limit]

    async def entry(self, entry_id: str) -> AnyEntry:
        """Give one entry. Raises Unknown."""
        found: AnyEntry | None = await self.held.outbox.get(entry_id)
        if found is None:
            found = await self.pushed.get(entry_id)
        if found is None:
            raise Unknown(f"result: expected the id of a result, found {entry_id[:80]!r}")
        return found

    async def counts(self, run_id: str | None = None) -> dict[EntryState, int]:
        """Count the entries (of a run) by state."""
        counts = await self.held.outbox.counts(run_id)
        for state, count in (await self.pushed.counts(_pushed(run_id))).items():
            counts[state] = counts.get(state, 0) + count
        return counts

    async def retry(self, entry_id: str | None, run_id: str | None = None) -> int:
        """Try dead entries (one, a run's, or all) again, and count them.

        Raises Unknown for an id that is not there, Rejected for one that is not dead.
        """
        if entry_id is not None:
            return await self._one(entry_id, self.held.retry, self._retry_pushed)
        pushed = await self._retry_pushed(None, run_id)
        if run_id is None:
            return pushed + await self.held.retry(None)
        return pushed + await self._retry_held_of(run_id)

    async def drop(self, entry_id: str | None, run_id: str | None = None) -> int:
        """Remove dead entries (one, a run's, or all) for good, and count them.

        Raises Unknown for an id that is not there, Rejected for one that is not dead.
        """
        if entry_id is not None:
            return await self._one(entry_id, self._drop_held, self.pushed.drop)
        return await self._drop_held(None, run_id) + await self.pushed.drop(None, _pushed(run_id))

    async def forget(self, life: timedelta) -> int:
        """Remove what was delivered longer ago than its life, and count it."""
        pushed = await self.pushed.forget(self.clock() - life)  # first: it keeps its runs
        return pushed + await self.held.forget(life)

    async def _one(
        self,
        entry_id: str,
        held: Callable[..., Awaitable[int]],
        pushed: Callable[[str, None], Awaitable[int]],
    ) -> int:
        entry = await self.entry(entry_id)
        if entry.state is not EntryState.DEAD:
            raise Rejected(f"result {entry.id}: expected one that is dead, found {entry.state}")
        return (
            await held(entry_id) if isinstance(entry, HeldEntry) else await pushed(entry_id, None)
        )

    async def _retry_pushed(self, entry_id: str | None, run_id: str | None) -> int:
        revived = await self.pushed.revive(entry_id, _pushed(run_id), self.clock())
        if revived:
            await self.nudge.push()
        return revived

    async def _retry_held_of(self, run_id: str) -> int:
        dead = await self.held.outbox.entries(Filter(EntryState.DEAD, run_id, LARGEST_PAGE))
        return sum([await self.held.retry(entry.id) for entry in dead])

    async def _drop_held(self, entry_id: str | None, run_id: str | None = None) -> int:
        return await self.held.outbox.drop(entry_id, run_id)


def _pushed(run_id: str | None) -> str | None:
    """Spell a run as the pushed results do; what is held goes by what the adapter said."""
    return None if run_id is None else canonical(run_id)
