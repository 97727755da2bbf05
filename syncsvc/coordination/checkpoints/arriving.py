"""Arrivals of one moment go to the store together, and each is told what became of it."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Protocol

from syncsvc.coordination.checkpoints.endings import mismatch
from syncsvc.coordination.checkpoints.model import OVER, Arrival, Cause, Standing, State, Terms
from syncsvc.coordination.checkpoints.ports import CONFIRM_WITHIN, Batch, Checkpoints
from syncsvc.coordination.checkpoints.waiting import Meeting, Waiting, Waitings
from syncsvc.errors import SyncsvcError, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)


class TooLate(Protocol):
    """What is done with arrivals whose wait is over, or whose time is up."""

    def counted(self, waiting: Waiting) -> None:
        """It was counted all the same, in a generation that is open."""
        ...

    def not_confirmed(self, waiting: Waiting) -> None:
        """Its time is up, and nobody knows whether it was counted."""
        ...


class Arriving:
    """Counts arrivals; while one group is under way the next one gathers."""

    def __init__(
        self,
        store: Checkpoints,
        waitings: Waitings,
        too_late: TooLate,
        *,
        new_call: Callable[[], str],
    ) -> None:
        self._store = store
        self._waitings = waitings
        self._too_late = too_late
        self._new_call = new_call
        self._queue: list[Waiting] = []
        self._failed: list[tuple[Waiting, Unavailable]] = []
        self._running: asyncio.Task[None] | None = None

    def add(self, waiting: Waiting) -> None:
        self._queue.append(waiting)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())

    async def settled(self) -> None:
        """Return once nothing is under way."""
        if self._running is not None:
            await self._running

    def try_again(self, now: float) -> None:
        """Bring in again what could not be; refuse what could not be for too long."""
        failed, self._failed = self._failed, []
        for waiting, error in failed:
            if waiting.is_over:
                continue
            if now - waiting.since < CONFIRM_WITHIN:
                waiting.call = ""
                self.add(waiting)
            else:
                self._refuse([waiting], error)

    async def _drain(self) -> None:
        while self._queue:
            queue, self._queue = self._queue, []
            groups = list(_groups(queue))
            if len(groups) == 1:
                await self._bring(groups[0])
            else:
                await asyncio.gather(*map(self._bring, groups))

    async def _bring(self, group: list[Waiting]) -> None:
        first = group[0]
        batch = Batch(
            first.meeting.place,
            first.arrival.terms,
            [each.arrival.worker for each in group],
            self._new_call(),
            first.arrival.generation,
            first.arrival.lenient,
        )
        try:
            answer = await self._store.arrive(batch)
        except Unavailable as error:
            log.warning("arrivals not confirmed", count=len(group), reason=str(error))
            self._fail(group, batch.call, error)
        except SyncsvcError as error:
            self._refuse(group, error)
        else:
            self._answered(batch, group, answer)

    def _answered(
        self, batch: Batch, group: list[Waiting], answer: Sequence[tuple[int, Standing]]
    ) -> None:
        meeting, start = group[0].meeting, 0
        for many, found in answer:
            those = group[start : start + many]
            start += many
            if found.state is State.MISMATCH:
                self._refuse(those, mismatch(found, batch.terms, batch.generation))
            elif found.state is State.LATE:
                self._pass(meeting, those, found)
            else:
                too_late = self._count(those, found.generation, batch.call)
                self._stands(meeting, found, too_late)

    def _count(self, those: list[Waiting], generation: int, call: str) -> list[Waiting]:
        """Note in which generation they wait, and give those who do not want to any more."""
        too_late = []
        for each in those:
            each.generation = generation
            each.call = call
            if each.cause is not None:
                too_late.append(each)
        return too_late

    def _stands(self, meeting: Meeting, found: Standing, too_late: list[Waiting]) -> None:
        if found.state in OVER or found.generation in meeting.endings:
            self._waitings.end(meeting, found)
            return
        meeting.terms = Terms(found.target, found.policy, found.cyclic)
        for each in too_late:
            self._too_late.counted(each)

    def _fail(self, group: list[Waiting], call: str, error: Unavailable) -> None:
        for each in group:
            each.call = call
            each.failed += (call,)
            self._failed.append((each, error))
            if each.cause is Cause.TIMED_OUT:
                self._too_late.not_confirmed(each)

    def _pass(self, meeting: Meeting, those: list[Waiting], found: Standing) -> None:
        told = self._waitings.outcome(meeting, found)
        for each in those:
            if self._waitings.out(each):
                each.waiter.tell(told)

    def _refuse(self, those: list[Waiting], error: SyncsvcError) -> None:
        for each in those:
            if self._waitings.out(each):
                each.waiter.refuse(error)


def _groups(queue: list[Waiting]) -> Iterator[list[Waiting]]:
    """Part arrivals that differ in more than who arrives."""
    groups: dict[tuple[Meeting, Terms, bool, int | None], list[Waiting]] = {}
    last, meeting, group = queue[0].arrival, None, list[Waiting]()
    for each in queue:
        arrival = each.arrival
        if each.meeting is not meeting or not _alike(arrival, last):
            key = (each.meeting, arrival.terms, arrival.lenient, arrival.generation)
            group = groups.setdefault(key, [])
            last, meeting = arrival, each.meeting
        group.append(each)
    yield from groups.values()


def _alike(one: Arrival, other: Arrival) -> bool:
    return (
        one.lenient is other.lenient
        and one.generation == other.generation
        and (one.terms is other.terms or one.terms == other.terms)
    )


def calls() -> Callable[[], str]:
    """Give names of calls that no other process gives."""
    ours, numbers = secrets.token_hex(6), count(1)
    return lambda: f"{ours}-{next(numbers)}"
