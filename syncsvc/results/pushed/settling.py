"""Settling entries of a batch: what Test IT shows of them is written down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import Entry
from syncsvc.results.pushed.ports import PushOutbox
from syncsvc.results.pushed.setbacks import Setbacks
from syncsvc.results.pushed.work import Work


@dataclass(frozen=True)
class Settling:
    outbox: PushOutbox
    setbacks: Setbacks
    clock: Callable[[], datetime]

    async def delivered(self, work: Work, targets: Mapping[str, str | None]) -> None:
        """Note that Test IT shows entries (by id) finally."""
        await self._settle(work, targets, EntryState.DELIVERED)

    async def held(self, work: Work, targets: Mapping[str, str | None]) -> None:
        """Note that Test IT shows entries in progress: the run stays open, others may go out."""
        await self._settle(work, targets, EntryState.HELD)
        if targets:
            await self.outbox.opened(work.run.id)

    async def refused(self, work: Work, entries: Sequence[Entry], reason: str) -> None:
        """Give entries up, with the reason."""
        dead = await self.setbacks.bury(entries, reason)
        work.done({entry.id: None for entry in entries}, EntryState.DEAD, dead)

    async def _settle(
        self, work: Work, targets: Mapping[str, str | None], state: EntryState
    ) -> None:
        if targets:
            count = await self.outbox.settle(targets, state, self.clock(), None)
            work.done(targets, state, count)
