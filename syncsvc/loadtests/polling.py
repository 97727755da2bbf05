"""Runs cycles when they are due: one at a time, over all processes.

Once a cycle has found steps that a witness has to attend to, the next turns are reserved for its
process, which then runs cycles by itself as well: for what was witnessed is in its memory only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.errors import Conflict, SyncsvcError, Unavailable
from syncsvc.loadtests.cycle import CycleRunner
from syncsvc.loadtests.jobs import JobDefaults, state_of
from syncsvc.loadtests.ports import Control, CycleReport, SyncJob, Turn
from syncsvc.loadtests.waking import news_or
from syncsvc.loadtests.witness import Witness
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

TERM = timedelta(seconds=15)  # then a turn whose process died is free
KEPT_EVERY = timedelta(seconds=4)
LONGEST_CYCLE = timedelta(seconds=60)  # less than a task may take
LONGEST = timedelta(seconds=100)  # as long as a task may take
RETRY = timedelta(milliseconds=200)
TICK = timedelta(seconds=1)  # between two looks at whether a cycle is due


@dataclass
class Polling:
    """Takes turns. `holder` names this process, which runs one cycle at a time as well."""

    runner: CycleRunner
    control: Control
    defaults: JobDefaults
    holder: str
    clock: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]]
    witness: Witness
    _mine: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _attending: asyncio.Task[None] | None = field(default=None, init=False)
    _kept_at: datetime | None = field(default=None, init=False)

    async def poll(self) -> CycleReport | None:
        """Run a cycle if one is due and nobody runs one; else give None.

        Raises Unavailable when nothing can be kept.
        """
        if self._mine.locked():
            return None
        return await self._due_one()

    async def poll_now(self, patience: timedelta) -> CycleReport:
        """Run a cycle whether it is due or not, once the one that runs has ended.

        While the turns are another's, that one is asked to hurry, and its next cycle is as good.
        Raises Conflict when that takes longer than our patience.
        """
        until, before = self.clock() + patience, await self._newest()
        report = await self._asked_for()
        if report is None and not self._mine.locked():
            await self.control.hurry(self.clock())
        while report is None:
            if self.clock() >= until:
                raise Conflict(
                    "a cycle over load tests runs already: its report comes with 'cycles'"
                )
            await self.pause(RETRY.total_seconds())
            report = await self._since(before) or await self._asked_for()
        return report

    async def close(self) -> None:
        """End what goes on by itself, and let another process take the turn."""
        task, self._attending = self._attending, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._rest()

    async def _asked_for(self) -> CycleReport | None:
        if self._mine.locked():
            return None
        async with self._mine:
            return await self._cycle(await self.control.job(), at_once=True)

    async def _due_one(self, *, at_once: bool = False) -> CycleReport | None:
        async with self._mine:
            job = await self.control.job()
            if not state_of(job, self.defaults, self.clock()).is_running:
                if self.witness.is_attending:
                    await self._rest()
                return None
            return await self._cycle(job, at_once=at_once, attends=True)

    async def _cycle(
        self, job: SyncJob, *, at_once: bool = False, attends: bool = False
    ) -> CycleReport | None:
        interval = job.interval or self.defaults.interval
        turn = Turn(job.version, interval, self.holder, TERM, at_once)
        if not await self.control.take_due(turn, self.clock()):
            return None
        keeping = asyncio.create_task(self._keep())
        try:
            report = await self.runner.run(min(interval, LONGEST_CYCLE))
            if attends or self.witness.is_attending:
                await self._attend()
            return report
        except Conflict:  # it took longer than its turn, and another has begun
            log.warning("a newer cycle over load tests has taken over")
            return None
        finally:
            keeping.cancel()
            with suppress(SyncsvcError):  # the turn ends by itself
                await self.control.done(self.holder, self._reserved_until())

    async def _keep(self) -> None:
        """Keep the turn for as long as the cycle takes."""
        while True:
            await self.pause(KEPT_EVERY.total_seconds())
            try:
                if not await self.control.keep(self.holder, self.clock() + TERM):
                    return
            except Unavailable as error:
                log.warning("the turn of a cycle could not be kept", reason=str(error))

    async def _attend(self) -> None:
        """Witness what may be lost before the next cycle; that it cannot harms no cycle."""
        try:
            await self.witness.attend()
        except SyncsvcError as error:
            log.warning("what load tests may lose is not known", reason=str(error))
        if self.witness.is_attending and (self._attending is None or self._attending.done()):
            self._attending = asyncio.create_task(self._attended())

    def _reserved_until(self) -> datetime | None:
        self._kept_at = self.clock() if self.witness.is_attending else None
        return self._kept_at and self._kept_at + TERM

    async def _attended(self) -> None:
        """Run cycles when they are due or there is news, until nothing is to be witnessed.

        After one for news it rests as long as that took.
        """
        while self.witness.is_attending:
            has_news = await news_or(self.witness.news, self.pause(TICK.total_seconds()))
            rest = TICK if has_news else timedelta(0)
            try:
                async with asyncio.timeout(LONGEST.total_seconds()):
                    report = await self._next(at_once=has_news)
                rest = max(rest, report.duration) if report and has_news else rest
            except (SyncsvcError, TimeoutError) as error:
                log.warning("a witness could not use its turn", reason=str(error))
                rest = TICK
                self.witness.news.set()
            await self.pause(rest.total_seconds())

    async def _next(self, *, at_once: bool) -> CycleReport | None:
        if not await self._is_reserved():
            log.warning("another process has taken the turn: what was witnessed is lost")
            await self.witness.rest()
            return None
        self.witness.news.clear()
        report = await self._due_one(at_once=at_once)
        if at_once and report is None:
            self.witness.news.set()
        return report

    async def _is_reserved(self) -> bool:
        """Keep the turn reserved; False when another process has it."""
        now = self.clock()
        if self._kept_at is None or now < self._kept_at + KEPT_EVERY:
            return True
        self._kept_at = now
        return await self.control.keep(self.holder, now + TERM)

    async def _rest(self) -> None:
        await self.witness.rest()
        with suppress(SyncsvcError):  # it ends by itself
            await self.control.done(self.holder)

    async def _newest(self) -> int:
        return next((cycle.fence for cycle in await self.runner.cycles.latest(1)), 0)

    async def _since(self, fence: int) -> CycleReport | None:
        """Give the report of a cycle that another process has begun since, and ended."""
        cycles = await self.runner.cycles.latest(1)
        return next((cycle.report for cycle in cycles if cycle.fence > fence), None)
