"""Counts this gateway's connections by run, and what the other gateways say of theirs.

Answers come from memory. What changes here is told to the others soon after, many changes at
once; what they tell arrives as announcements, and whole with each report of ours.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from syncsvc.coordination.connections.model import Count, Totals, total
from syncsvc.coordination.connections.ports import Connections
from syncsvc.coordination.names import LINE
from syncsvc.errors import Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

KIND = "connections"
SILENT_AFTER = timedelta(seconds=60)  # a gateway that reports nothing so long is gone
REPORT_EVERY = 20.0  # seconds; three reports may get lost before the others think us gone
GATHER = 0.01  # seconds in which changes gather before they are told
PAUSE = 0.5  # seconds until a store that failed is tried again
KNOWN_WITHIN = 1.0  # seconds in which the others' counts of a new run are waited for
FORGET_AFTER = 30  # reports without a connection


class Tally:
    """The connections of one run."""

    __slots__ = ("_idle", "_learnt", "_others", "known", "live", "run", "said", "total")

    def __init__(self, run: str, source: str) -> None:
        self.run = run
        self.live = 0
        self.said = Count(source, 0, 0, 0)
        self.total = Totals(0, 0)
        self._others: dict[str, Count] = {}
        self.known = False  # whether the other gateways' counts are in the total
        self._learnt = asyncio.Event()
        self._idle = 0

    async def wait_until_known(self) -> None:
        """Wait until they are, but not for ever: ours are exact without them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_WITHIN):
                await self._learnt.wait()

    def change(self, live: int, ever: int) -> None:
        self.live += live
        said = self.said
        self.said = Count(said.source, said.number + 1, self.live, said.ever + ever)
        self._idle = 0
        self._add_up()

    def is_idle(self) -> bool:
        """Tell, and note, that another round passed without a connection."""
        self._idle = 0 if self.live else self._idle + 1
        return self._idle > FORGET_AFTER

    def learn(self, *counts: Count) -> None:
        for count in counts:
            known = self._others.get(count.source)
            if count.source != self.said.source and (known is None or known.number <= count.number):
                self._others[count.source] = count
        self._add_up()

    def learnt_all(self) -> None:
        self.known = True
        self._learnt.set()

    def _add_up(self) -> None:
        others = total(self._others.values())
        self.total = Totals(self.live + others.live, self.said.ever + others.ever)


@dataclass(frozen=True)
class Connected:
    """Picks the runs that any gateway has connections of. Raises Unavailable."""

    store: Connections

    async def __call__(self, runs: Sequence[str]) -> set[str]:
        counts = await asyncio.gather(*map(self.store.counts, runs))
        return {run for run, said in zip(runs, counts, strict=True) if total(said).live}


class ConnectionCounts:
    """Counts the connections of this gateway."""

    def __init__(self, store: Connections, gateway_id: str) -> None:
        self._store = store
        self._gateway_id = gateway_id
        self._tallies: dict[str, Tally] = {}
        self._changed: dict[str, Tally] = {}
        self._news = asyncio.Event()
        self._sources = 0

    def enter(self, run: str) -> Tally:
        """Count a connection."""
        tally = self._tallies.get(run)
        if tally is None:
            self._sources += 1  # a run that was forgotten counts from nought under another name
            tally = self._tallies[run] = Tally(run, f"{self._gateway_id}.{self._sources}")
        self._change(tally, 1, 1)
        return tally

    def leave(self, tally: Tally) -> None:
        """Count a connection no longer."""
        self._change(tally, -1, 0)

    async def totals(self, run: str) -> Totals:
        """Give the counts of any run, from the store. Raises Unavailable."""
        return total(await self._store.counts(run))

    async def ever(self, run: str) -> bool:
        """Tell whether a run ever had a connection. Raises Unavailable."""
        return run in self._tallies or (await self.totals(run)).ever > 0

    def announced(self, subject: str, body: str) -> None:
        """Take in what another gateway says; a handler for announcements of KIND."""
        tally = self._tallies.get(subject.partition(LINE)[2])
        if tally is not None:
            number, live, ever, source = body.split("|", 3)
            tally.learn(Count(source, int(number), int(live), int(ever)))

    def look_again(self) -> None:
        """Report every run, and so learn what the others said meanwhile."""
        self._changed.update(self._tallies)
        self._news.set()

    def forget_idle(self) -> None:
        """Forget runs that have had no connection for some rounds."""
        for run in [run for run, tally in self._tallies.items() if tally.is_idle()]:
            del self._tallies[run]

    async def tell(self) -> None:
        """Tell the others what changes, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_changes())
            tasks.create_task(self._tell_all())

    async def _tell_changes(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.tell_now()
            except Unavailable as error:
                log.warning("connection counts not told", reason=str(error))
                self._news.set()
                await asyncio.sleep(PAUSE)
            await asyncio.sleep(GATHER)

    async def _tell_all(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY)
            self.forget_idle()
            self.look_again()

    async def tell_now(self) -> None:
        """Tell the others what changed. Raises Unavailable, and keeps what was not told."""
        tallies, self._changed = list(self._changed.values()), {}
        told = await asyncio.gather(*map(self._report, tallies), return_exceptions=True)
        failures = [error for error in told if isinstance(error, BaseException)]
        for tally, error in zip(tallies, told, strict=True):
            if isinstance(error, BaseException):
                self._changed.setdefault(tally.run, tally)
        if failures:
            raise failures[0]

    async def _report(self, tally: Tally) -> None:
        tally.learn(*await self._store.report(tally.run, tally.said))
        tally.learnt_all()

    def _change(self, tally: Tally, live: int, ever: int) -> None:
        tally.change(live, ever)
        self._changed[tally.run] = tally
        self._news.set()
