"""A run ends when all that was pushed to it is there: its held result becomes final.

Test IT closes the run then by itself, so its files are attached before; where it does not and
somebody asked for it, we do.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from structlog.contextvars import bound_contextvars

from syncsvc.errors import Denied, Rejected, SyncsvcError, Unavailable, Unknown
from syncsvc.results.held.model import Cut, EntryState, FinalStatus, final_status
from syncsvc.results.pushed.attaching import Attaching
from syncsvc.results.pushed.model import TYPES, Entry, Push
from syncsvc.results.pushed.ports import PushBoard, PushOutbox
from syncsvc.results.pushed.posting import OVER
from syncsvc.results.pushed.setbacks import Setbacks
from syncsvc.runs.model import Run
from syncsvc.runs.ports import Runs
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

Claimed = tuple[Push, Sequence[Entry]]


@dataclass(frozen=True)
class Ending:
    outbox: PushOutbox
    runs: Runs
    board: PushBoard
    attaching: Attaching
    setbacks: Setbacks
    clock: Callable[[], datetime]

    async def end(self, claimed: Claimed) -> int:
        """End a run, or see that it is tried again; count it if it has ended. It raises nothing."""
        push, held = claimed
        with bound_contextvars(run=push.run_id):
            try:
                failure = await self._try(push, held)
                if isinstance(failure, SyncsvcError):
                    return await self._postpone(push, held, failure)
            except SyncsvcError as error:  # the outbox itself: the claim ends by itself
                log.warning("run left behind", reason=str(error))
                return 0
            if failure:
                log.info("run ended", finalised=len(held))
            return int(failure)

    async def _try(self, push: Push, held: Sequence[Entry]) -> bool | SyncsvcError:
        """Say whether the run has ended, or what stood in the way."""
        within = self.setbacks.terms.within.total_seconds()
        try:
            async with asyncio.timeout(within):
                return await self._end(push, held)
        except TimeoutError:
            return Unavailable(f"not done within {within:g} s")
        except SyncsvcError as error:
            return error
        except Exception as error:  # the outermost loop: one run must not stop the others
            log.exception("ending a run met something unexpected")
            return Unavailable(f"unexpected {error!r}")

    async def _end(self, push: Push, held: Sequence[Entry]) -> bool:
        run = await self.runs.get(push.run_id)
        if run is None:
            raise Unknown(f"run {push.run_id} is not in the database any more")
        await self.attaching.attach(run)
        for entry in held:
            if not await self._finalise(run, push, entry):
                return False
        if push.complete_asked_at is not None:
            await self._complete(run)
        return await self.outbox.ended(push.run_id, push.accepted_at, self.clock())

    async def _complete(self, run: Run) -> None:
        if (await self.board.run_info(run)).state not in OVER:
            await self.board.complete_run(run)

    async def _finalise(self, run: Run, push: Push, entry: Entry) -> bool:
        """Make a held result final, or give it up; False when it has to be posted again."""
        codes = await self.board.status_codes(run, push.project_id)
        try:
            await self._write(run, entry, _final(entry, codes))
        except Denied:
            raise
        except Unknown as error:
            return await self._post_again(push, entry, error)
        except Rejected as error:
            await self.setbacks.bury([entry], str(error))
        else:
            done = {entry.id: entry.target_id}
            await self.outbox.settle(done, EntryState.DELIVERED, self.clock(), None)
        return True

    async def _write(self, run: Run, entry: Entry, status: FinalStatus) -> None:
        try:
            await self.board.finalise(run, str(entry.target_id), status)
        except (Denied, Unknown):
            raise
        except Rejected:
            if status.code is None:
                raise
            # a code of another type than the status: the status counts
            await self.board.finalise(run, str(entry.target_id), FinalStatus(status.type, None))

    async def _post_again(self, push: Push, entry: Entry, error: Unknown) -> bool:
        log.warning("held result is gone, so it is posted again", entry=entry.id)
        await self.outbox.lost([entry], self.clock())
        await self.outbox.end_later(push.run_id, self.clock(), str(error))
        return False

    async def _postpone(self, push: Push, held: Sequence[Entry], error: SyncsvcError) -> int:
        now = self.clock()
        if not self._is_over(push, error):
            due_at = self.setbacks.due_at(push.attempt + 1, error)
            await self.outbox.end_later(push.run_id, due_at, str(error))
            log.warning("run ended later", due=str(due_at), reason=str(error))
            return 0
        log.error("run given up", reason=str(error))
        await self.setbacks.bury(held, str(error))
        await self.attaching.give_up(push.run_id, str(error))
        return int(await self.outbox.ended(push.run_id, push.accepted_at, now))

    def _is_over(self, push: Push, error: SyncsvcError) -> bool:
        if isinstance(error, Unknown):
            return True
        terms = self.setbacks.terms
        since = push.complete_asked_at or push.accepted_at + terms.idle_limit
        return self.clock() - since >= terms.give_up_after


def _final(entry: Entry, codes: Sequence[str]) -> FinalStatus:
    result = entry.result
    cut = Cut(
        entry.run_id,
        result.external_id,
        result.status_code or result.status,
        str(TYPES[result.status]),
    )
    return final_status(cut, codes)
