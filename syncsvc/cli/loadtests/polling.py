"""Lets load tests get on although nobody else may be there who looks at them.

Task workers run the cycles; whoever waits or follows does so only once a cycle has been due for a
while and nobody has begun it. From then on it is theirs.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.errors import Unavailable
from syncsvc.wiring.loadtests import Watch
from syncsvc.wiring.moments import now

LOOK_AGAIN = 1.0  # seconds
OTHERS_TAKE = timedelta(seconds=3)  # for a task worker a cycle is due a second at most
STOPPED = (
    "warning: the sync job is stopped, so nothing is looked at: start it with "
    "'syncsvc k6 job start', or look once with 'syncsvc k6 sync'"
)

Clock = Callable[[], datetime]
Pause = Callable[[float], Awaitable[None]]


@dataclass
class StandIn:
    """Runs cycles where no task worker does."""

    watch: Watch
    clock: Clock = now
    _due_since: datetime | None = field(default=None, init=False)
    _is_alone: bool = field(default=False, init=False)

    async def look(self) -> None:
        """Run a cycle if one is due and it is ours. Raises Unavailable."""
        state = await self.watch.jobs.state()
        if state.next_in is None or state.next_in > timedelta(0):
            self._due_since = None
            return
        self._due_since = self._due_since or self.clock()
        if self._is_alone or self.clock() - self._due_since >= OTHERS_TAKE:
            self._is_alone = await self.watch.polling.poll() is not None

    async def stand_in(self, pause: Pause) -> None:
        """Look each second, for ever."""
        while True:
            with suppress(Unavailable):  # who waits meets it too, and says so
                await self.look()
            await pause(LOOK_AGAIN)


@asynccontextmanager
async def cycles_running(
    watch: Watch, clock: Clock = now, pause: Pause = asyncio.sleep
) -> AsyncIterator[None]:
    """See to it that cycles are run, until the context ends."""
    task = asyncio.create_task(StandIn(watch, clock).stand_in(pause))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def is_stopped(watch: Watch) -> bool:
    """Whether somebody has stopped the sync job, so that no cycle is due."""
    return not (await watch.jobs.state()).is_running
