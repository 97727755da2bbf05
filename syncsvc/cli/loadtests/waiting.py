"""Waits until steps are over and their logs are read, and runs the cycles that this takes."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.cli.loadtests.polling import LOOK_AGAIN, STOPPED, Pause, cycles_running, is_stopped
from syncsvc.cli.loadtests.telling import Teller
from syncsvc.errors import Unavailable
from syncsvc.loadtests.model import LogsState, Step
from syncsvc.wiring.loadtests import Watch
from syncsvc.wiring.moments import now

LOGS_PATIENCE = timedelta(seconds=30)  # after the end, for logs that are not whole yet
GIVE_UP = timedelta(minutes=1)  # without an answer of the database


@dataclass
class Waiting:
    """Waits for steps of load tests, as one who looks each second."""

    watch: Watch
    teller: Teller
    clock: Callable[[], datetime] = now
    pause: Pause = asyncio.sleep

    async def until_over(self, steps: Sequence[Step], timeout: timedelta | None) -> Sequence[Step]:
        """Give them as they are at the end, or when the time is over.

        Raises Unavailable when the database does not serve for long.
        """
        began = answered = self.clock()
        over_since: datetime | None = None
        if await is_stopped(self.watch):
            self.teller.say(STOPPED)
        async with cycles_running(self.watch, self.clock, self.pause):
            while True:
                try:
                    steps, answered = await self._looked_at(steps), self.clock()
                except Unavailable:
                    if self.clock() - answered >= GIVE_UP:
                        raise
                self.teller.tell(steps)
                over_since = (over_since or self.clock()) if _are_over(steps) else None
                if self._may_end(steps, over_since) or self._is_late(began, timeout):
                    return steps
                await self.pause(LOOK_AGAIN)

    async def _looked_at(self, steps: Sequence[Step]) -> Sequence[Step]:
        tests = {step.test_id for step in steps}
        found = {step.id: step for step in await self.watch.tests.steps_of(tests)}
        return [found.get(step.id, step) for step in steps]

    def _may_end(self, steps: Collection[Step], over_since: datetime | None) -> bool:
        if over_since is None:
            return False
        return _are_read(steps) or self.clock() - over_since >= LOGS_PATIENCE

    def _is_late(self, began: datetime, timeout: timedelta | None) -> bool:
        return timeout is not None and self.clock() - began >= timeout


def _are_over(steps: Collection[Step]) -> bool:
    return all(step.is_over for step in steps)


def _are_read(steps: Collection[Step]) -> bool:
    return all(step.logs in (LogsState.COMPLETE, LogsState.LOST) for step in steps)
