"""Follows the logs of a step while it runs: what is kept first, then what its cluster has newer.

Each second the containers are read on, as a cycle does it, but nothing is kept: that remains the
cycle's. What the cluster does not give any more comes from what is kept.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.errors import SyncsvcError, Unknown
from syncsvc.loadtests.clean import Line, line
from syncsvc.loadtests.clusters import Clusters
from syncsvc.loadtests.model import LogsState, Step
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.reading import Reader
from syncsvc.loadtests.seam import START, Cursor, chained
from syncsvc.loadtests.showing import Showing, Told, WhichLines, WhichLogs
from syncsvc.loadtests.stamps import split

PIECE = 1_000_000  # bytes of a read
READ_LIMIT = timedelta(seconds=10)
NEWS_EVERY = timedelta(seconds=1)
UNTOLD = "?"  # the digest of lines that are not all there
ANEW = (
    "... this log is kept in another order than it was shown in, with {lines} more lines: "
    "read it again to see them ..."
)
SETTLED = (LogsState.COMPLETE, LogsState.LOST)


@dataclass
class Following:
    """Follows logs; each container's lines come once and in their order."""

    showing: Showing
    clusters: Clusters
    clock: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]]
    _told: dict[str, Cursor] = field(default_factory=dict, init=False)
    _first: dict[str, int] = field(default_factory=dict, init=False)  # chunks

    async def lines(
        self, step: Step, which: WhichLogs, wanted: WhichLines, until: datetime
    ) -> AsyncGenerator[Told, None]:
        """Give lines as they come, until all logs are complete or lost, or the time is over.

        Raises Unknown when no log has come by then that is asked for, and others have.
        """
        while True:
            step = await self.showing.tests.step(step.id)
            is_last = _is_settled(step) or self.clock() >= until
            logs = await self._logs(step, which, is_last=is_last)
            for log in logs:
                async for told in self._news(step, log, wanted):
                    yield told
            if self.clock() >= until or (_is_settled(step) and _are_settled(logs)):
                return
            await self.pause(NEWS_EVERY.total_seconds())

    async def _logs(self, step: Step, which: WhichLogs, *, is_last: bool) -> Sequence[KeptLog]:
        try:
            return await self.showing.kept(step, which)
        except Unknown:  # its container may be one of those that are not there yet
            if is_last:
                raise
            return []

    async def _news(self, step: Step, log: KeptLog, wanted: WhichLines) -> AsyncIterator[Told]:
        async for told in self._caught_up(log, wanted):
            yield told
        async for told in self._fresh(step, log):
            if told.is_cut or wanted.takes(told.line):
                yield told

    async def _caught_up(self, log: KeptLog, wanted: WhichLines) -> AsyncIterator[Told]:
        """Give a log as it is kept the first time; later say when it was replaced."""
        log_id = log.source.id
        before, first = self._told.get(log_id), self._first.get(log_id)
        self._first[log_id] = log.first
        if before is None:
            self._told[log_id] = log.cursor
            async for told in self.showing.lines(log, wanted):
                yield told
        elif first != log.first:
            self._told[log_id] = log.cursor
            yield _anew(log, before)

    async def _fresh(self, step: Step, log: KeptLog) -> AsyncIterator[Told]:
        """Read on where the log is; what is not there comes from what is kept, now or later."""
        read = None if log.state in SETTLED else await self._read(step, log)
        if read is None:
            async for told in self._kept_since(log):
                yield told
            return
        for raw in read:
            yield Told(log.source, line(raw), raw)

    async def _read(self, step: Step, log: KeptLog) -> Sequence[bytes] | None:
        try:
            cluster = self.clusters.of(step.cluster)
            reader = Reader(cluster, step.namespace, PIECE, READ_LIMIT)
            got = await reader.read(log.source, self._told[log.source.id])
        except SyncsvcError:
            return None
        self._told[log.source.id] = got.news.cursor
        return split(got.news.fresh)

    async def _kept_since(self, log: KeptLog) -> AsyncIterator[Told]:
        """Give what is kept behind the lines that were told, if those are what it begins with."""
        before = self._told[log.source.id]
        if log.cursor.lines <= before.lines:
            return
        self._told[log.source.id] = log.cursor
        at, digest = 0, START
        async for told in self.showing.lines(log, WhichLines(with_progress=True)):
            if at == before.lines and digest not in (before.digest, UNTOLD):
                yield _anew(log, before)
                return
            behind = at + told.lines if told.lines else max(at, before.lines)
            if behind > before.lines or not told.lines:
                yield told
            at = behind
            digest = UNTOLD if told.is_cut or digest == UNTOLD else chained([told.raw], digest)


def _is_settled(step: Step) -> bool:
    return step.is_over and step.logs in SETTLED


def _are_settled(logs: Sequence[KeptLog]) -> bool:
    return all(log.state in SETTLED for log in logs)


def _anew(log: KeptLog, told: Cursor) -> Told:
    text = ANEW.format(lines=max(0, log.cursor.lines - told.lines))
    return Told(log.source, Line(text), text.encode() + b"\n", is_cut=True, lines=0)
