"""Runs are ended before they are through: closed in the record first, then their locks freed."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.catalogue.model import RunStatus, SyncRun
from syncsvc.catalogue.ports import NewRun, SyncLock, SyncRuns
from syncsvc.errors import SyncsvcError, Unavailable, Unknown
from syncsvc.telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class Ending:
    record: SyncRuns
    lock: SyncLock
    clock: Callable[[], datetime]
    limit: timedelta

    async def end(self, run: SyncRun, status: RunStatus, reason: str) -> SyncRun:
        """Close a run and free its lock; one that is over already stays as it is."""
        try:
            return await self.record.close(run.id, status, self.clock(), reason=reason)
        finally:
            await self.free(run)

    async def free(self, run: SyncRun) -> None:
        """Give a run's lock back; where that fails it ends by itself."""
        if run.lease_token is None:
            return
        try:
            await self.lock.release(run.order.customer, run.id, run.lease_token)
        except Unavailable as error:
            log.warning("lock of a sync not given back", run=run.id, reason=str(error))

    async def take_back(self, new: NewRun, token: int, reason: str) -> None:
        """End a run that may have been recorded, as nobody will drive it, and free its lock."""
        try:
            await self.record.close(new.id, RunStatus.CANCELLED, self.clock(), reason=reason)
        except Unknown:
            return
        finally:
            await self.lock.release(new.order.customer, new.id, token)

    async def in_time(self, story: Coroutine[None, None, object]) -> None:
        """Carry out what must be done before this process ends, also while it is cancelled.

        What fails is told: signs of life end with the process, and the reaper does the rest.
        """
        task = asyncio.create_task(story)
        try:
            await asyncio.wait({task}, timeout=self.limit.total_seconds())
        finally:
            if not task.done():
                task.cancel()
                log.warning("sync not closed in time", seconds=self.limit.total_seconds())
        if task.done():
            _tell(task)


def _tell(task: "asyncio.Task[object]") -> None:
    error = task.exception()
    if isinstance(error, SyncsvcError):
        log.warning("sync not closed", reason=str(error))
    elif error is not None:
        log.error("closing a sync met something unexpected", exc_info=error)
