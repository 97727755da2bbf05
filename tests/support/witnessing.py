"""Processes that poll with a witness, over one record and clusters in memory, by a clock."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.loadtests.cycle import CycleRunner
from syncsvc.loadtests.hearing import Room
from syncsvc.loadtests.jobs import JobDefaults
from syncsvc.loadtests.listeners import AttendanceTerms
from syncsvc.loadtests.memory import MemoryControl
from syncsvc.loadtests.memory_rows import Shelf
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.polling import Polling
from syncsvc.loadtests.ports import CycleReport, SyncJob
from syncsvc.loadtests.witness import Witness
from tests.support.builders import SECOND
from tests.support.clusters import FakeClusters
from tests.support.loadtest_cycles import FINAL, INTERVAL, World
from tests.support.virtual_time import AtOnce, VirtualTime, settle

MOST_SECONDS = 120


@dataclass
class WitnessWorld(World):
    """A world with one process after the other; `poll` is what the timetable makes it do."""

    time: VirtualTime = field(default_factory=VirtualTime)
    shelf: Shelf = field(default_factory=Shelf)
    room: Room = field(default_factory=Room)
    polling: Polling = field(init=False)
    processes: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        asyncio.get_running_loop().set_default_executor(AtOnce())  # summaries are read in threads

    def clock(self) -> datetime:
        return self.time.clock()

    def restart(self) -> None:
        """Let another process go on; what the one before has open goes on as well."""
        self.processes += 1
        self.polling = self.another(f"process {self.processes}")

    def another(self, holder: str) -> Polling:
        terms = AttendanceTerms(self.time.pause, patience=timedelta(0))
        clusters, home = FakeClusters(self.clusters), self.home
        witness = Witness(clusters, home, home, terms, room=self.room)
        self.runner = CycleRunner(witness, home, home, home, self.terms, self.clock)
        defaults, control = JobDefaults(interval=INTERVAL), MemoryControl(self.shelf)
        return Polling(self.runner, control, defaults, holder, self.clock, self.time.pause, witness)

    @property
    def job(self) -> SyncJob:
        return self.shelf.job

    async def poll(self) -> CycleReport | None:
        report = await self.polling.poll()
        await settle()
        return report

    async def passes(self, time: timedelta = 20 * SECOND) -> None:
        await self.time.pass_(time)
        await settle()

    async def is_settled(self, name: str = "checkout") -> Step:
        """Let time pass until a step is over with its logs, and give it."""
        for _ in range(MOST_SECONDS):
            step = self.of(name)
            if step.is_over and step.logs in FINAL:
                return step
            await self.passes(SECOND)
            await self.poll()
        raise AssertionError(f"not over with its logs within {MOST_SECONDS} s: {self.of(name)}")

    async def is_killed(self) -> None:
        """End whatever runs in the process, as kill -9 does; another one begins."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.restart()
