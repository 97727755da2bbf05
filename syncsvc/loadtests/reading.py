"""One read of a container's log, joined to what is kept of it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from syncsvc.errors import Unavailable
from syncsvc.loadtests.clusters import Cluster
from syncsvc.loadtests.ports import LogSource
from syncsvc.loadtests.seam import Cursor, News, joined

WHOLE = 1_000_000  # bytes: a log that is not larger is read once more as a whole at its end
LARGEST = 64_000_000  # bytes of one read
MOST_NEWS = 4_000_000  # that a read is made for


@dataclass(frozen=True, slots=True)
class Got:
    """What a read has brought. `is_all`: there was no more; `whole` is the log from its start."""

    news: News
    is_all: bool
    calls: int
    size: int
    whole: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads logs in pieces of so many bytes, or more where what is known comes again with them."""

    cluster: Cluster
    namespace: str
    piece: int
    limit: timedelta

    async def read(self, source: LogSource, cursor: Cursor, *, has_ended: bool = False) -> Got:
        """Read on; a log that has ended and is not large is read from its start.

        Raises NoLog, and what a Cluster raises.
        """
        whole = cursor.since is None or (has_ended and cursor.size <= WHOLE)
        limit = self._limit(cursor.size if whole else cursor.window_bytes)
        calls = size = 0
        while True:
            log = await self._asked(source, None if whole else cursor, limit)
            calls, size = calls + 1, size + len(log)
            was_cut = len(log) >= limit
            is_last = has_ended and not was_cut
            news = joined(cursor, log, is_whole=whole, is_last=is_last, was_cut=was_cut)
            if not news.blocked or limit >= LARGEST:
                return Got(news, not was_cut, calls, size, log if whole else None)
            limit = min(limit * 4, LARGEST)

    def _limit(self, known: int) -> int:
        """Read more news where more is known, for that comes again with each read."""
        return known + max(self.piece, min(known, MOST_NEWS))

    async def _asked(self, source: LogSource, cursor: Cursor | None, limit: int) -> bytes:
        try:
            async with asyncio.timeout(self.limit.total_seconds()):
                return await self.cluster.log(
                    self.namespace,
                    source.pod,
                    source.container,
                    since=cursor.since if cursor else None,
                    limit_bytes=limit,
                )
        except TimeoutError as error:
            seconds = self.limit.total_seconds()
            raise Unavailable(f"log of {source.pod}: not read within {seconds:g} s") from error
