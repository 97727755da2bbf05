"""How a sync is asked for, beside what is to be synced; and the terms that hold for all."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from syncsvc.catalogue.model import Barrier, IfRunning, PhaseProgress, SyncRun, Trigger

Progress = Callable[[SyncRun, Sequence[PhaseProgress]], None]
Looked = Callable[[SyncRun], Awaitable[None]]

PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, and what to do while another sync of the customer runs.

    `customer` may be left out where only one is configured. `progress` is told now and then.
    """

    customer: str | None = None
    trigger: Trigger = Trigger.LIBRARY
    barrier: Barrier = Barrier.PRODUCT
    if_running: IfRunning = IfRunning.WAIT
    patience: timedelta = PATIENCE
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class SyncTerms:
    """`heartbeat_limit`: a process that drives a run alone is dead when it is silent so long.

    A run of task workers may have to wait for one of them, so it is given up later:
    `dead_shared_after`, or when somebody has waited his patience for it in vain.
    """

    sync_every: timedelta = timedelta(minutes=15)
    by_itself: bool = True  # else syncs begin only when somebody asks
    heartbeat_limit: timedelta = timedelta(seconds=15)
    dead_shared_after: timedelta = timedelta(minutes=30)
    closing: timedelta = timedelta(seconds=5)  # time to record that a run was stopped
    woken: int = 4  # task workers that are told of a new run
    page_size: int = 25  # tests on a page

    def is_dead(self, run: SyncRun, now: datetime, in_vain: timedelta | None = None) -> bool:
        """Whether a run is given up, after somebody has waited so long for it in vain."""
        limit = self.dead_shared_after if run.is_shared else self.heartbeat_limit
        if run.is_shared and in_vain is not None:
            limit = min(limit, max(in_vain, 2 * self.heartbeat_limit))
        return now - run.heartbeat_at >= limit


class Drives(Protocol):
    """Works on runs; `Executor` does."""

    async def drive(self, run_id: str, looked: Looked | None) -> SyncRun:
        """Take part in a run until it is over, and give it as it is then.

        `looked` is called with it now and then. Cancelled, the work here ends and the run stays.
        """
        ...
