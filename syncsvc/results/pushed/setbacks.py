"""What a failure means for the entries that it met: tried again, or dead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.errors import Denied, Rejected, SyncsvcError, Uncertain
from syncsvc.results.held.model import EntryState, next_pause
from syncsvc.results.pushed.model import Entry
from syncsvc.results.pushed.ports import PushOutbox
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

DENIED_PAUSE = timedelta(minutes=1)  # somebody must change a token: no hurry
SPARE = timedelta(seconds=5)  # of a claim, to write down what has become of it
ECHO = timedelta(seconds=2)  # a request whose answer was lost may still be carried out


@dataclass(frozen=True, slots=True)
class PushTerms:
    """How much at once, and how long to wait for what."""

    idle_limit: timedelta  # a run that nobody completes ends after this silence
    give_up_after: timedelta = timedelta(hours=24)
    at_once: int = 4  # batches of one process
    claim: timedelta = timedelta(minutes=1)  # who has died with it is followed after this

    @property
    def within(self) -> timedelta:
        """How long one batch, or the ending of one run, may take: nobody else has it meanwhile."""
        return self.claim - SPARE


@dataclass(frozen=True)
class Setbacks:
    """Decides what becomes of what failed, and writes it down."""

    outbox: PushOutbox
    terms: PushTerms
    clock: Callable[[], datetime]
    chance: Callable[[], float]

    async def meet(self, entries: Sequence[Entry], error: SyncsvcError) -> int:
        """Have entries tried again, or give them up; count those that are dead now."""
        hopeless = [entry for entry in entries if self._is_hopeless(entry, error)]
        others = [entry for entry in entries if not self._is_hopeless(entry, error)]
        if others:
            due_at = self.due_at(max(entry.attempt for entry in others) + 1, error)
            await self.outbox.retry_later(others, due_at, str(error), count=True)
            log.warning("tried again later", count=len(others), due=str(due_at), reason=str(error))
        return await self.bury(hopeless, str(error))

    async def bury(self, entries: Sequence[Entry], reason: str) -> int:
        """Give entries up; count those that were open until now."""
        if not entries:
            return 0
        targets = {entry.id: entry.target_id for entry in entries}
        dead = await self.outbox.settle(targets, EntryState.DEAD, self.clock(), reason)
        log.error("results dead", count=dead, first=entries[0].id, reason=reason)
        return dead

    def due_at(self, attempt: int, error: SyncsvcError) -> datetime:
        """Say when to try again after a failed attempt (the first is 1)."""
        pause = next_pause(attempt, self.chance())
        asked = getattr(error, "retry_after", None) or pause
        if isinstance(error, Denied):
            asked = DENIED_PAUSE
        elif isinstance(error, Uncertain):
            asked = max(asked, ECHO)
        return self.clock() + max(pause, asked)

    def is_over(self, since: datetime, error: SyncsvcError) -> bool:
        """Tell whether what was promised at that moment is given up after this failure."""
        if isinstance(error, Rejected) and not isinstance(error, Denied):
            return True
        return self.clock() - since >= self.terms.give_up_after

    def _is_hopeless(self, entry: Entry, error: SyncsvcError) -> bool:
        return self.is_over(entry.revived_at or entry.accepted_at, error)
