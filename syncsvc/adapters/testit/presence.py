"""Workers that have completed and are still connected: some upload only then.

Adapters for Python say "completed" and then send all their results, which may take minutes and
of which we see nothing but that their connection stands; it ends with their process. So while it
does, the worker is heard of again and again, and its run does not become quiet. Other clients
complete after their uploads, and may keep connections for reasons of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.errors import SyncsvcError
from syncsvc.runs.model import ANYBODY, Caller, WorkerStatus
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

CONNECTION = "syncsvc.connection"  # the extension of a request's scope that knows it

IsOpen = Callable[[], bool]


@dataclass
class Presence:
    """Speaks for workers that have completed, for as long as they are connected.

    `limit` ends that for a process that never does.
    """

    report: Callable[[str, str, WorkerStatus | None, Caller], Awaitable[None]]
    clock: Callable[[], datetime]
    every: timedelta
    limit: timedelta
    _there: dict[tuple[str, str, Caller], tuple[IsOpen, datetime]] = field(default_factory=dict)

    def note(
        self,
        run_id: str,
        worker: str,
        status: WorkerStatus,
        is_open: IsOpen | None,
        caller: Caller = ANYBODY,
    ) -> None:
        """Take note of what a worker said, and how to ask for its connection."""
        if status is WorkerStatus.COMPLETED and is_open is not None:
            self._there[run_id, worker, caller] = is_open, self.clock() + self.limit
        else:
            self._there.pop((run_id, worker, caller), None)

    async def speak(self) -> None:
        """Speak for whoever is there, again and again until cancelled."""
        while True:
            await asyncio.sleep(self.every.total_seconds())
            await self.speak_once()

    async def speak_once(self) -> None:
        await asyncio.gather(*(self._say(*each) for each in self._still_there()))

    def _still_there(self) -> list[tuple[str, str, Caller]]:
        now = self.clock()
        self._there = {
            who: (is_open, until)
            for who, (is_open, until) in self._there.items()
            if is_open() and now < until
        }
        return list(self._there)

    async def _say(self, run_id: str, worker: str, caller: Caller) -> None:
        try:
            await self.report(run_id, worker, WorkerStatus.COMPLETED, caller)
        except SyncsvcError as error:
            log.warning("worker was not spoken for", run=run_id, worker=worker, reason=str(error))
