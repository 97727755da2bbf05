"""The log part of a cycle: each log that may have news is read on from where it is kept.

Logs of containers that have ended come first, then those that were read longest ago: what there
is no time for is read in the next cycle. A cluster that is slow takes no time from others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from syncsvc.errors import Denied, SyncsvcError
from syncsvc.loadtests.abreast import abreast
from syncsvc.loadtests.appending import Appending
from syncsvc.loadtests.choosing import Due, due
from syncsvc.loadtests.clusters import Clusters, Forbidden, NoLog
from syncsvc.loadtests.finishing import with_logs
from syncsvc.loadtests.model import LogsState, Step
from syncsvc.loadtests.pacing import Pace
from syncsvc.loadtests.ports import Addition, KeptLog, Logs, Place
from syncsvc.loadtests.reading import Got, Reader
from syncsvc.loadtests.seam import News
from syncsvc.loadtests.seen import ContainerKind, Role
from syncsvc.loadtests.summary import TAIL, summary
from syncsvc.loadtests.summary_rows import Row
from syncsvc.loadtests.tallying import Tally
from syncsvc.loadtests.watching import Watched

ASKED = 500  # steps at once
TAIL_CHUNKS = 64
SHORTEST = timedelta(seconds=1)  # that a read may take
MISSES = 2  # in a row prove that what is left of a container has no log
NEVER = datetime.min.replace(tzinfo=UTC)

ROTATED = "lines may be missing: the cluster had thrown them away before they were read"
LOST = "its last lines were not read: {why}"
ENDLESS = "{pod}: a line is longer than what is read at once"
ODD = "{pod}: found no log, but: {odd}"


@dataclass(frozen=True, slots=True)
class LogTerms:
    """What reading may take in a cycle: calls side by side for each cluster, calls and bytes.

    Of init containers and sidecars those are read whose name fits a pattern of `beside`.
    """

    at_once: int = 48
    calls: int = 8_000
    size: int = 256_000_000
    piece: int = 500_000  # bytes of one read
    limit: timedelta = timedelta(seconds=10)  # for one read
    beside: Sequence[str] = ("k6-init-*",)


@dataclass
class Collecting:
    """Collects logs in one cycle. The pace outlives it."""

    clusters: Clusters
    logs: Logs
    appending: Appending
    terms: LogTerms
    clock: Callable[[], datetime]
    tally: Tally
    pace: Pace
    _kept: dict[str, dict[str, KeptLog]] = field(default_factory=dict, init=False)
    _barred: dict[Place, str] = field(default_factory=dict, init=False)

    async def collect(self, watched: Sequence[Watched], until: datetime) -> Sequence[Step]:
        """Read what there is time for, and give the steps of whose logs there is news.

        Raises Conflict when a newer cycle has begun, Unavailable when logs cannot be kept.
        """
        await self._recall([each.step.id for each in watched])
        found = [due(each, self._of(each.step), self.terms.beside) for each in watched]
        queues = self._queues([log for logs in found for log in logs])
        workers = [queue for queue in queues for _ in range(self.terms.at_once)]
        await abreast(self._work(queue, until) for queue in workers)
        self.tally.left = sum(1 for queue in queues for _ in queue)
        await self.appending.flush()
        return list(self._told(watched, found))

    async def _recall(self, step_ids: Sequence[str]) -> None:
        for first in range(0, len(step_ids), ASKED):
            for kept in await self.logs.logs(step_ids[first : first + ASKED]):
                self._kept.setdefault(kept.source.step_id, {})[kept.source.id] = kept

    def _of(self, step: Step) -> dict[str, KeptLog]:
        return self._kept.setdefault(step.id, {})

    def _queues(self, wanted: Sequence[Due]) -> Sequence[Iterator[Due]]:
        """Line logs up for each cluster; whoever is free takes the next."""
        self.pace.keep({log.source.id for log in wanted})
        now = self.clock()
        lines: defaultdict[str, list[Due]] = defaultdict(list)
        for log in sorted(wanted, key=self._turn):
            if log.is_last or self.pace.is_due(log.source.id, now):
                lines[log.place.cluster].append(log)
        return [iter(line) for line in lines.values()]

    def _turn(self, log: Due) -> tuple[bool, datetime]:
        read_at = self.pace.last_read(log.source.id) or log.kept.updated_at
        return not log.is_last, read_at or NEVER

    def _told(self, watched: Sequence[Watched], found: Sequence[Sequence[Due]]) -> Iterator[Step]:
        for each, wanted in zip(watched, found, strict=True):
            logs = self._of(each.step)
            is_read = all(log.source.id in logs for log in wanted)
            step = with_logs(each.step, list(logs.values()), is_read=is_read)
            if step != each.step:
                yield step

    async def _work(self, queue: Iterator[Due], until: datetime) -> None:
        while self._may_go_on(until):
            log = next(queue, None)
            if log is None:
                return
            while not await self._is_read(log, until) and self._may_go_on(until):
                log = replace(log, kept=self._of(log.step)[log.source.id], is_new=False)

    def _may_go_on(self, until: datetime) -> bool:
        tally, terms = self.tally, self.terms
        return self.clock() < until and tally.calls < terms.calls and tally.size < terms.size

    async def _is_read(self, log: Due, until: datetime) -> bool:
        """Read on in a log; False when there is more."""
        if log.place in self._barred:
            self.tally.failed(log.step, self._barred[log.place])
            return True
        self.pace.tried(log.source.id, self.clock())
        try:
            got = await self._reader(log, until).read(
                log.source, log.kept.cursor, has_ended=log.has_ended
            )
        except SyncsvcError as error:
            await self._failed(log, error)
            return True
        self.tally.calls += got.calls
        self.tally.size += got.size
        return await self._is_taken(log, got)

    def _reader(self, log: Due, until: datetime) -> Reader:
        cluster = self.clusters.of(log.place.cluster)
        limit = max(SHORTEST, min(self.terms.limit, until - self.clock()))
        return Reader(cluster, log.place.namespace, self.terms.piece, limit)

    async def _failed(self, log: Due, error: SyncsvcError) -> None:
        """Note what went wrong; a right that lacks for one log lacks for all of the place."""
        self.tally.calls += 1
        if isinstance(error, NoLog):
            await self._not_there(log, error)
            return
        if isinstance(error, (Denied, Forbidden)):
            self._barred[log.place] = str(error)
        self.tally.failed(log.step, str(error))
        await self._add(log, News(log.kept.cursor), log.kept.state, log.kept.detail)

    async def _not_there(self, log: Due, error: NoLog) -> None:
        """Give up what is gone, or has ended and was not there twice: the next list tells more."""
        if not log.is_gone and not (log.has_ended and self._is_missed_again(log)):
            await self._add(log, News(log.kept.cursor), log.kept.state, log.kept.detail)
            return
        rows = await self._summary(log, b"") if log.kept.last else None
        detail = LOST.format(why=error)
        await self._add(log, News(log.kept.cursor), LogsState.LOST, detail, rows)

    def _is_missed_again(self, log: Due) -> bool:
        return self.pace.missed(log.source.id, self.clock()) >= MISSES

    async def _is_taken(self, log: Due, got: Got) -> bool:
        news = got.news
        self.pace.read(log.source.id, self.clock(), has_news=bool(news.fresh))
        wrong = _what_is_wrong(log, news)
        if wrong is not None:
            self.tally.failed(log.step, wrong)
            news = News(log.kept.cursor)
        is_complete = log.has_ended and got.is_all and wrong is None
        state = LogsState.COMPLETE if is_complete else LogsState.PARTIAL
        rows = await self._summary(log, news.fresh, got.whole) if is_complete else None
        await self._add(log, news, state, _detail(log, news), rows)
        if got.is_all or wrong is not None:
            return True
        await self.appending.flush()  # there may be one addition a log at once
        return False

    async def _add(
        self,
        log: Due,
        news: News,
        state: LogsState,
        detail: str | None,
        rows: list[Row] | None = None,
    ) -> None:
        kept = log.kept
        after = replace(kept, cursor=news.cursor, state=state, detail=detail)
        self._of(log.step)[log.source.id] = after
        if after == kept and not log.is_new:
            return
        if news.fresh:
            self.tally.steps_with_logs.add(log.step.id)
        addition = Addition(
            log.source, kept.cursor, news.cursor, state, news.fresh, news.replaces, detail
        )
        await self.appending.add(addition, rows)

    async def _summary(self, log: Due, fresh: bytes, whole: bytes | None = None) -> list[Row]:
        """Read the summary of a runner's log, of which the last is enough."""
        source = log.source
        if source.role is not Role.RUNNER or source.kind is not ContainerKind.MAIN:
            return []
        text = whole if whole is not None else await self._stored_tail(log.kept) + fresh
        return await asyncio.to_thread(summary, text[-TAIL:])

    async def _stored_tail(self, kept: KeptLog) -> bytes:
        tail, after = b"", max(kept.first - 1, kept.last - TAIL_CHUNKS)
        while chunks := await self.logs.chunks(kept.source.id, after):
            tail = (tail + b"".join(chunk.log for chunk in chunks))[-TAIL:]
            after = chunks[-1].number
        return tail


def _what_is_wrong(log: Due, news: News) -> str | None:
    if news.odd is not None:
        return ODD.format(pod=log.source.pod, odd=news.odd)
    return ENDLESS.format(pod=log.source.pod) if news.blocked else None


def _detail(log: Due, news: News) -> str | None:
    if news.gap:
        return ROTATED
    return None if news.replaces else log.kept.detail
