"""One batch is delivered: look what is there, bring the files, then post what is left."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from structlog.contextvars import bound_contextvars

from syncsvc.errors import Conflict, Denied, SyncsvcError, Unavailable, Uncertain, Unknown
from syncsvc.results.pushed.looking import Looking
from syncsvc.results.pushed.model import Batch, Entry, Phase
from syncsvc.results.pushed.ports import Files, PushBoard, PushOutbox
from syncsvc.results.pushed.posting import Posting
from syncsvc.results.pushed.setbacks import ECHO, Setbacks
from syncsvc.results.pushed.settling import Settling
from syncsvc.results.pushed.uploading import Uploading
from syncsvc.results.pushed.work import ClaimLost, Work
from syncsvc.runs.ports import Runs
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

LOOKS = 3  # of one attempt at a batch, each after a lost answer


@dataclass
class Batches:
    outbox: PushOutbox
    files: Files
    runs: Runs
    board: PushBoard
    setbacks: Setbacks
    clock: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]]
    _settling: Settling = field(init=False)
    _looking: Looking = field(init=False)
    _uploading: Uploading = field(init=False)
    _posting: Posting = field(init=False)

    def __post_init__(self) -> None:
        self._settling = Settling(self.outbox, self.setbacks, self.clock)
        self._looking = Looking(self.outbox, self.board, self._settling)
        self._uploading = Uploading(self.files, self.board, self._settling)
        self._posting = Posting(self.outbox, self.board, self._settling, self.clock)

    async def deliver(self, batch: Batch) -> int:
        """Deliver a batch as far as it goes, and count those that are settled.

        It raises nothing: what is not settled is tried again later, or when its claim ends.
        """
        began = self.clock()
        with bound_contextvars(run=batch.push.run_id, batch=len(batch.entries)):
            try:
                settled = await self._deliver(batch)
            except ClaimLost as lost:
                log.warning("claim lost", reason=str(lost))
                return 0
            except SyncsvcError as error:  # the outbox itself: the claims end by themselves
                log.warning("batch left behind", reason=str(error))
                return 0
            milliseconds = (self.clock() - began) / timedelta(milliseconds=1)
            log.info("batch tried", settled=settled, ms=round(milliseconds))
            return settled

    async def _deliver(self, batch: Batch) -> int:
        try:
            work = await self._begin(batch)
        except SyncsvcError as error:
            return await self.setbacks.meet(batch.entries, error)
        failure = await self._try(work)
        if failure is None:
            return work.settled
        return work.settled + await self.setbacks.meet(list(work.left.values()), failure)

    async def _begin(self, batch: Batch) -> Work:
        run = await self.runs.get(batch.push.run_id)
        if run is None:
            raise Unknown(f"run {batch.push.run_id} is not in the database any more")
        return Work(
            run,
            batch.push,
            {entry.id: entry for entry in batch.entries},
            opens=batch.opens,
            more=batch.more or batch.push.complete_asked_at is None,
            is_open=batch.push.phase is Phase.OPEN,
        )

    async def _try(self, work: Work) -> SyncsvcError | None:
        """Give the failure that those who are left have met, if any are."""
        within = self.setbacks.terms.within.total_seconds()
        try:
            async with asyncio.timeout(within):
                await self._show_or_each(work)
            return None
        except ClaimLost:
            raise
        except TimeoutError:
            return Unavailable(f"not done within {within:g} s")
        except SyncsvcError as error:
            return error
        except Exception as error:  # the outermost loop: one batch must not stop the others
            log.exception("delivery met something unexpected")
            return Unavailable(f"unexpected {error!r}")

    async def _show_or_each(self, work: Work) -> None:
        """Show a batch; where one entry breaks our code, the others do not wait for its repair."""
        try:
            await self._show(work)
        except SyncsvcError:
            raise
        except Exception:
            if len(work.left) == 1:
                raise
            log.exception("delivery met something unexpected, so each is tried alone")
            for entry in list(work.left.values()):
                await self._show_alone(work, entry)

    async def _show_alone(self, work: Work, entry: Entry) -> None:
        alone = work.alone(entry)
        try:
            await self._show(alone)
        except (Denied, Unavailable, Conflict):  # no fault of this entry
            raise
        except SyncsvcError as error:
            await self._put_off(alone, error)
        except Exception as error:  # noqa: BLE001  the trace is told once, for the batch
            await self._put_off(alone, Unavailable(f"unexpected {error!r}"))
        finally:
            work.rejoin(entry, alone)

    async def _put_off(self, alone: Work, error: SyncsvcError) -> None:
        alone.settled += await self.setbacks.meet(list(alone.left.values()), error)
        alone.left.clear()
        alone.has_put_off = True

    async def _show(self, work: Work) -> None:
        """Show a batch; where an answer was lost, look at once: we still know its autotests."""
        for _ in range(LOOKS):
            try:
                return await self._show_once(work)
            except Uncertain as error:
                log.warning("looked at soon", count=len(work.left), reason=str(error))
                await self.pause(ECHO.total_seconds())
        return await self._show_once(work)

    async def _show_once(self, work: Work) -> None:
        await self._refuse_unplaced(work)
        await self._looking.settle_shown(work)
        files = await self._uploading.upload(work)
        if work.left:
            await self._looking.aim_at_waiting(work)
            await self._posting.post_all(work, files)

    async def _refuse_unplaced(self, work: Work) -> None:
        unplaced = [e for e in work.left.values() if work.configuration(e) is None]
        if unplaced:
            reason = "configuration_id: expected one in the result or for its push, found none"
            await self._settling.refused(work, unplaced, reason)
