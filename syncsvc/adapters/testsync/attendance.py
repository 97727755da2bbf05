"""Workers are present while a connection of theirs stands: they join, are beaten for, and leave.

Several connections may carry one worker's name, for example while it reconnects. A connection
that breaks is no farewell: the worker may come back until its beats are missed.
"""

import asyncio
from collections import defaultdict
from datetime import timedelta

from syncsvc.adapters.testsync.ports import Presence
from syncsvc.coordination.presence.model import Arriving
from syncsvc.errors import SyncsvcError, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

LASTS = timedelta(seconds=15)
BEAT_EVERY = LASTS.total_seconds() / 3
PAUSE = 0.5  # seconds until what failed is tried again

Worker = tuple[str, str]  # run and name


class Attendance:
    """The workers whose connections stand here."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._here: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._changed: dict[Worker, bool] = {}  # whether to join, or else to leave
        self._news = asyncio.Event()

    def enter(self, run: str, worker: str) -> None:
        """Take in a connection of a worker."""
        here = self._here[run]
        here[worker] = here.get(worker, 0) + 1
        self._change(run, worker, joins=True)

    def leave(self, run: str, worker: str, *, farewell: bool) -> None:
        """Take out a connection; with a farewell the worker goes at once, if it was its last."""
        here = self._here[run]
        here[worker] -= 1
        if here[worker]:
            return
        del here[worker]
        if not here:
            del self._here[run]
        if farewell:
            self._change(run, worker, joins=False)
        else:
            self._changed.pop((run, worker), None)

    async def keep(self) -> None:
        """Tell who joins and leaves, and beat for who is here, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_telling())
            tasks.create_task(self._keep_beating())

    async def tell_now(self) -> None:
        """Tell who joined and left; what could not be told is kept."""
        changed, self._changed = self._changed, {}
        await asyncio.gather(*(self._tell(*worker, joins) for worker, joins in changed.items()))

    async def beat_now(self) -> None:
        """Beat for everybody who is here, one call a run."""
        here = [(run, list(workers)) for run, workers in self._here.items()]
        await asyncio.gather(*(self._beat(run, workers) for run, workers in here))

    async def _keep_telling(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self.tell_now()
            if self._changed:
                self._news.set()
                await asyncio.sleep(PAUSE)

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            await self.beat_now()

    async def _tell(self, run: str, worker: str, joins: bool) -> None:  # noqa: FBT001 - a row
        try:
            if joins:
                await self._presence.join(run, Arriving(worker, LASTS))
            else:
                await self._presence.leave(run, worker)
        except SyncsvcError as error:
            log.warning("presence not told", run=run, worker=worker, reason=str(error))
            if isinstance(error, Unavailable):
                self._changed.setdefault((run, worker), joins)

    async def _beat(self, run: str, workers: list[str]) -> None:
        try:
            absent = await self._presence.beat_all(run, workers)
        except SyncsvcError as error:
            log.warning("presence not beaten for", run=run, reason=str(error))
            return
        for worker in absent:
            if worker in self._here.get(run, {}):
                self._change(run, worker, joins=True)

    def _change(self, run: str, worker: str, *, joins: bool) -> None:
        self._changed[run, worker] = joins
        self._news.set()
