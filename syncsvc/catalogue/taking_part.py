"""A process takes part in a run until it is over: in its own, or in one that it has joined."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from syncsvc.catalogue.beginning import Beginning
from syncsvc.catalogue.ending import Ending
from syncsvc.catalogue.locks.turns import Turns
from syncsvc.catalogue.model import RunStatus, SyncRun
from syncsvc.catalogue.ports import SyncNudge, SyncRuns
from syncsvc.catalogue.request import Drives, Looked, Progress
from syncsvc.catalogue.tending import Tending
from syncsvc.errors import Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class TakingPart:
    record: SyncRuns
    executor: Drives
    turns: Turns
    beginning: Beginning
    ending: Ending
    tending: Tending
    nudge: SyncNudge
    pause: Callable[[float], Awaitable[None]]

    async def carry_out(self, run: SyncRun, progress: Progress | None) -> None:
        """Do a run whose turn this process has; cancelled, it is closed before this is left."""
        try:
            await self._wake(run)
            run = await self._driven(run, progress)
            await self.ending.free(run)
        except BaseException as error:
            await self._break_off(run, error)
            raise
        finally:
            self.turns.leave(run.order.customer)

    async def join(self, run: SyncRun, progress: Progress | None) -> None:
        """Help with a run of task workers, or wait for one that a process drives alone."""
        if run.is_shared and self.beginning.holder is None:
            await self._driven(run, progress)
            return
        looked = self._looked(progress)
        while not run.status.is_over:
            if self.tending.is_dead(run):
                await self.tending.bury(run)
            else:
                await self.pause(self.beginning.next_look())
            run = await self.record.run(run.id)
            if looked is not None:
                await looked(run)

    async def _driven(self, run: SyncRun, progress: Progress | None) -> SyncRun:
        looked = self._looked(progress)
        run = await self.executor.drive(run.id, looked)
        if looked is not None:
            await looked(run)
        return run

    async def _wake(self, run: SyncRun) -> None:
        if run.is_shared:
            await self.nudge.sync(self.tending.terms.woken)

    async def _break_off(self, run: SyncRun, error: BaseException) -> None:
        """Close a run that this process leaves; task workers go on with theirs after a failure."""
        was_stopped = not isinstance(error, Exception)
        if run.is_shared and not was_stopped:
            return
        status = RunStatus.CANCELLED if was_stopped else RunStatus.FAILED
        reason = "its process was stopped" if was_stopped else f"its process failed: {error}"
        await self.ending.in_time(self.ending.end(run, status, reason))

    def _looked(self, progress: Progress | None) -> Looked | None:
        if progress is None:
            return None

        async def looked(run: SyncRun) -> None:
            try:
                progress(run, await self.record.phases(run.id))
            except Unavailable as error:
                log.debug("progress not read", run=run.id, reason=str(error))

        return looked
