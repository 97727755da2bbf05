"""What is final is looked at once more, and a run that all of it leaves open is completed.

Some adapters read a result and write it back at the end of their session, with the status that
it had when they read it. So a delivered entry is looked at again; one that was written back is
pending again, and so is its run not over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from structlog.contextvars import bound_contextvars

from syncsvc.errors import Rejected
from syncsvc.results.held.model import FIRST_PAUSE, MOST_WRITES, Entry, EntryState
from syncsvc.results.held.ports import Outbox, ResultBoard
from syncsvc.results.held.writing import Writer
from syncsvc.runs.model import Run
from syncsvc.runs.ports import Runs
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

OVER = frozenset({"Completed", "Stopped"})


@dataclass(frozen=True)
class SecondLook:
    """`completes`: a run that Test IT leaves open is completed by us."""

    outbox: Outbox
    runs: Runs
    board: ResultBoard
    writer: Writer
    clock: Callable[[], datetime]
    completes: bool

    async def look(self, run: Run, entries: Sequence[Entry], *, is_busy: bool) -> None:
        """See that delivered results have stayed final; end the run if nobody is at work.

        Raises Rejected or Unavailable.
        """
        kept = [entry for entry in entries if await self._is_kept(run, entry)]
        if kept and not is_busy:
            await self._end(run, kept)
        for entry in kept:
            await self.outbox.settle(entry, EntryState.DELIVERED, self.clock(), entry.reason)

    async def note_if_closed(self, run: Run) -> None:
        """Report a run that Test IT has closed though a result of it is in progress."""
        if await self._state(run) in OVER:
            await self._closed_early(run, "a result of it was still in progress")

    async def _is_kept(self, run: Run, entry: Entry) -> bool:
        with bound_contextvars(entry=entry.id, test=entry.cut.external_id):
            try:
                if await self._is_final(run, entry):
                    return True
            except Rejected as error:
                log.warning("result cannot be looked at again", reason=str(error))
                return True
            await self._take_back(entry)
            return False

    async def _is_final(self, run: Run, entry: Entry) -> bool:
        if entry.target_id is None:
            return True
        target = await self.board.read(run, entry.target_id)
        return target.is_final and await self.writer.left_beside(run, entry, target) is None

    async def _take_back(self, entry: Entry) -> None:
        if entry.writes >= MOST_WRITES:
            reason = f"Test IT shows it in progress again after it was made final {entry.writes} "
            reason += "times: something writes it back"
            if await self.outbox.settle(entry, EntryState.DEAD, self.clock(), reason):
                log.error("result dead", reason=reason)
            return
        due_at = self.clock() + FIRST_PAUSE * float(2**entry.writes)
        if await self.outbox.put_back(entry, EntryState.PENDING, due_at):
            log.warning("result was written back", due=str(due_at))

    async def _end(self, run: Run, kept: Sequence[Entry]) -> None:
        counts = await self.outbox.counts(run.id)
        if counts.get(EntryState.HELD, 0) or counts.get(EntryState.PENDING, 0):
            return
        if not any(entry.forced for entry in kept):  # else nobody waited for quiet
            await self._note_if_more_came(run)
        if self.completes and await self._is_left_open(run):
            await self.board.complete(run)
            log.info("run completed")

    async def _note_if_more_came(self, run: Run) -> None:
        if run.result_count is None:
            return
        count = await self.board.count_results(run)
        if count is not None and count > run.result_count and await self._state(run) in OVER:
            came = count - run.result_count
            await self._closed_early(run, f"{came} more came after the last one was final")

    async def _is_left_open(self, run: Run) -> bool:
        if await self._state(run) != "InProgress":
            return False
        return not await self.board.is_waiting(run)

    async def _state(self, run: Run) -> str | None:
        try:
            return await self.board.state(run)
        except Rejected as error:  # the token may write results and not read runs
            log.warning("state of the run is not known", reason=str(error))
            return None

    async def _closed_early(self, run: Run, what: str) -> None:
        if await self.runs.closed_early(run.id, self.clock()):
            log.warning("run closed early", run=run.id, reason=what)
