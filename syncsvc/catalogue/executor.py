"""Units of syncs are claimed and carried out, side by side, by any number of processes.

A task worker takes what is due of any shared run; who waits for one run takes part in that one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.catalogue.carrying import Carrying
from syncsvc.catalogue.desk import Story
from syncsvc.catalogue.driving import Driving, Looked
from syncsvc.catalogue.heartbeat import Heartbeat, RunLocks
from syncsvc.catalogue.model import SyncPhase, SyncRun
from syncsvc.catalogue.ports import Sources, Stored, SyncLock, SyncNudge, SyncRuns, SyncUnits
from syncsvc.catalogue.work import Claimed
from syncsvc.sidebyside import SideBySide

TO_THE_END = timedelta(days=7)  # for a process that lives as long as its run


@dataclass(frozen=True, slots=True)
class ExecutorTerms:
    at_once: int = 10  # units of one process
    claim: timedelta = timedelta(seconds=10)  # without a sign of life
    beat: timedelta = timedelta(seconds=3)
    calls_a_turn: int = 200  # of one unit


@dataclass
class Executor:
    units: SyncUnits
    runs: SyncRuns
    stored: Stored
    sources: Sources
    lock: SyncLock
    stories: Mapping[SyncPhase, Story]
    terms: ExecutorTerms
    clock: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]]
    nudge: SyncNudge
    chance: Callable[[], float]  # in [0, 1)
    _heart: Heartbeat = field(init=False)
    _carrying: Carrying = field(init=False)
    _shared: SideBySide[Claimed] = field(init=False)

    def __post_init__(self) -> None:
        locks, terms = RunLocks(self.lock, self.runs), self.terms
        self._heart = Heartbeat(self.units, locks, terms.claim, terms.beat, self.clock, self.pause)
        self._carrying = Carrying(
            self.units,
            self.stored,
            self.sources,
            self.stories,
            self._heart,
            self.nudge,
            terms.calls_a_turn,
            self.clock,
        )
        self._shared = self._side_by_side(None)

    async def work_due(self) -> int:
        """Carry out what is due of shared runs, for a while, and count the units.

        Who asks while this process is at it already gets 0 at once: what is due is seen to.
        Raises Unavailable when units cannot be claimed.
        """
        async with self._heart.beating():
            return await self._shared.until_done()

    async def drive(self, run_id: str, looked: Looked | None = None) -> SyncRun:
        """Take part in a run until it is over, and give it; `looked` sees it every half second.

        Raises Unknown, and Unavailable when nobody has got anything done for a long time.
        """
        side = self._side_by_side(run_id)
        async with self._heart.beating():
            driving = Driving(run_id, self.runs, self._heart, side, self.clock, self._pause, looked)
            return await driving.until_over()

    def _side_by_side(self, run_id: str | None) -> SideBySide[Claimed]:
        async def claim() -> Claimed | None:
            return await self.units.claim(self.clock(), self.terms.claim, run_id)

        side = SideBySide(claim, self._carrying.carry_out, self.terms.at_once, self.clock)
        if run_id is not None:
            side.budget = TO_THE_END
        return side

    async def _pause(self, seconds: float) -> None:
        """Pause a little shorter, by chance, so that those who wait do not all look at once."""
        await self.pause(seconds * (0.5 + self.chance() / 2))
