"""A process that waits for a run takes part in it, and looks how far it is meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.catalogue.heartbeat import Heartbeat
from syncsvc.catalogue.model import PhaseProgress, SyncRun
from syncsvc.catalogue.ports import SyncRuns
from syncsvc.catalogue.work import Claimed
from syncsvc.errors import Unavailable
from syncsvc.sidebyside import SideBySide
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

Looked = Callable[[SyncRun], Awaitable[None]]

SHORTEST, LONGEST, GROWTH = 0.1, 0.5, 1.5  # seconds between two looks
STILL = timedelta(minutes=15)  # nothing was committed by anybody: then nobody works


@dataclass
class Driving:
    """Drives one run to its end."""

    run_id: str
    runs: SyncRuns
    heart: Heartbeat
    side: SideBySide[Claimed]
    clock: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]]
    looked: Looked | None = None
    _nap: float = field(default=SHORTEST, init=False)
    _seen: Sequence[PhaseProgress] = field(default=(), init=False)
    _moved_at: datetime = field(init=False)
    _is_cut_off: bool = field(default=False, init=False)
    _working: asyncio.Task[int] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._moved_at = self.clock()

    async def until_over(self) -> SyncRun:
        """Give the run once it is over. Raises Unknown, and Unavailable when nothing moves."""
        run = await self.runs.run(self.run_id)
        with self.heart.watching(run):
            try:
                while not (run := await self._look(run)).status.is_over:
                    await self._work()
                await self._end()
                return run
            finally:
                await self._stop()

    async def _look(self, before: SyncRun) -> SyncRun:
        try:
            run = await self.runs.run(self.run_id)
            seen = await self.runs.phases(self.run_id)
        except Unavailable as error:
            self._cut_off(error)
            return before
        if seen != self._seen:
            self._seen, self._moved_at = seen, self.clock()
        if self.looked is not None:
            await self.looked(run)
        if not run.status.is_over:
            self._check_moves()
        return run

    def _check_moves(self) -> None:
        if self.clock() - self._moved_at >= STILL:
            minutes = STILL / timedelta(minutes=1)
            raise Unavailable(
                f"sync {self.run_id} has not moved for {minutes:g} minutes: see what it waits for"
            )

    async def _work(self) -> None:
        """Take part for a little while; soon again where something was done."""
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._claims())
        else:
            self.side.look_again()  # others may have opened something
        working, resting = self._working, asyncio.ensure_future(self.pause(self._nap))
        try:
            await asyncio.wait({working, resting}, return_when=asyncio.FIRST_COMPLETED)
            if working.done() and working.result():
                self._nap = SHORTEST
                return
            await resting
        finally:
            resting.cancel()
        self._nap = min(self._nap * GROWTH, LONGEST)

    async def _claims(self) -> int:
        try:
            count = await self.side.until_done()
        except Unavailable as error:
            self._cut_off(error)
            return 0
        self._is_cut_off = False
        return count

    async def _end(self) -> None:
        """Let what is still done for a run that is over here end, as what others had it do."""
        self.heart.drop(self.run_id)
        if self._working is not None:
            await self._working

    async def _stop(self) -> None:
        """Cancel what is under way, and wait until it has given its units back."""
        if self._working is not None and not self._working.done():
            self._working.cancel()
            await asyncio.wait({self._working})

    def _cut_off(self, error: Unavailable) -> None:
        if not self._is_cut_off:
            log.warning("sync cannot be seen now, looked for again", reason=str(error))
        self._is_cut_off = True
        self._check_moves()
