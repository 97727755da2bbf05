"""Those who stop waiting before the end: their time is up, or their connection is gone."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from syncsvc.coordination.checkpoints.endings import ended, timed_out
from syncsvc.coordination.checkpoints.model import (
    Cause,
    Ending,
    Outcome,
    Place,
    Standing,
    State,
    seconds,
)
from syncsvc.coordination.checkpoints.ports import (
    CONFIRM_WITHIN,
    Checkpoints,
    Members,
    Present,
    Timers,
    Withdrawn,
)
from syncsvc.coordination.checkpoints.waiting import Meeting, Waiting, Waitings, members_of
from syncsvc.errors import SyncsvcError, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

A_MOMENT = 0.02  # seconds; the server's clock is read before its answer arrives here


@dataclass(frozen=True)
class Owed:
    """An arrival that is taken back as soon as the store can be reached."""

    place: Place
    members: Members
    cause: Cause


@dataclass
class Leaving:
    """Takes arrivals back; those of one moment and checkpoint together."""

    store: Checkpoints
    waitings: Waitings
    present: Present
    resume_within: timedelta
    timers: Timers
    begin: Callable[[Coroutine[Any, Any, None]], None]
    _moment: dict[Cause, list[Waiting]] = field(default_factory=dict)
    _owed: list[Owed] = field(default_factory=list)

    def time_out(self, waiting: Waiting) -> None:
        """The time of one who waits is up; it is told once it is known what came first."""
        if waiting.is_over:
            return
        if waiting.generation is None:
            self._time_out_unanswered(waiting)
        else:
            self.waitings.out(waiting)
            self._gather(Cause.TIMED_OUT, waiting)

    def not_confirmed(self, waiting: Waiting) -> None:
        """Nobody can tell whether one whose time is up was counted; if so it is taken back."""
        if self.waitings.out(waiting):
            waiting.waiter.tell(_unconfirmed(waiting))
        if waiting.failed:
            workers = [waiting.arrival.worker] * len(waiting.failed)
            members = Members(workers, waiting.failed)
            self._owed.append(Owed(waiting.meeting.place, members, Cause.TIMED_OUT))

    def disconnected(self, waiting: Waiting) -> None:
        """The connection of one who waits is gone; its agent may be alive."""
        if not self.waitings.out(waiting):
            return
        if waiting.generation is None:
            waiting.cause = waiting.cause or Cause.GONE
        elif not waiting.meeting.is_ignored:
            self._gather(Cause.GONE, waiting)

    def counted(self, waiting: Waiting) -> None:
        """An arrival was counted after its wait was over, or its time was up."""
        if not waiting.is_over:
            self.time_out(waiting)
            return
        if waiting.arrival.worker in waiting.meeting.waiting:
            return  # it came back, and that arrival is the same one
        if waiting.cause is Cause.GONE:
            self._gather(Cause.GONE, waiting)
        else:
            self._gather(Cause.LEFT, waiting)

    async def withdraw(self, owed: Owed) -> Withdrawn | None:
        """Take arrivals back; None when that has to wait until the store can be reached."""
        try:
            return await self.store.withdraw(owed.place, owed.members, owed.cause)
        except Unavailable as error:
            log.warning("arrivals not taken back yet", reason=str(error))
            self._owed.append(owed)
            return None

    async def pay(self) -> None:
        """Take back what could not be taken back before."""
        owed, self._owed = self._owed, []
        await asyncio.gather(*map(self.withdraw, _together(owed)))

    def _time_out_unanswered(self, waiting: Waiting) -> None:
        """Wait for the answer, but not longer than for that of one without a timeout."""
        waiting.cause = Cause.TIMED_OUT
        patience = waiting.since + CONFIRM_WITHIN - self.timers.time()
        if waiting.call or patience <= 0:
            self.not_confirmed(waiting)
        else:
            waiting.timer = self.timers.call_later(patience, self.time_out, waiting)

    def _gather(self, cause: Cause, waiting: Waiting) -> None:
        if not self._moment:
            self.begin(self._settle())
        self._moment.setdefault(cause, []).append(waiting)

    async def _settle(self) -> None:
        moment, self._moment = self._moment, {}
        settle = {
            Cause.GONE: self._suspect,
            Cause.TIMED_OUT: self._timed_out,
            Cause.LEFT: self._take_back,
        }
        await asyncio.gather(
            *(
                settle[cause](meeting, those)
                for cause, all_of_them in moment.items()
                for meeting, those in _by_meeting(all_of_them)
            )
        )

    async def _take_back(self, meeting: Meeting, those: list[Waiting]) -> None:
        await self.withdraw(Owed(meeting.place, members_of(those), Cause.LEFT))

    async def _suspect(self, meeting: Meeting, those: list[Waiting]) -> None:
        generation = max(each.generation or 0 for each in those)
        try:
            await self.store.suspect(meeting.waited(generation, those), self.resume_within)
        except Unavailable as error:  # their lives end unnoted a little later
            log.warning("agents not suspected", count=len(those), reason=str(error))
            return
        later = self.resume_within.total_seconds() + A_MOMENT
        self.timers.call_later(later, lambda: self.begin(self._look_at(meeting, generation)))

    async def _look_at(self, meeting: Meeting, generation: int) -> None:
        try:
            found = await self.store.tend(meeting.waited(generation, ()), self.resume_within)
        except Unavailable as error:  # the next round looks again
            log.warning("suspects not looked at", reason=str(error))
            return
        if found is not None:
            self.waitings.stands(meeting, generation, found)

    async def _timed_out(self, meeting: Meeting, those: list[Waiting]) -> None:
        found = await self.withdraw(Owed(meeting.place, members_of(those), Cause.TIMED_OUT))
        found = found or Withdrawn(None)
        is_open = found.before is not None and found.before.state is State.OPEN
        missing = await self._missing(meeting.place.run, found.arrived) if is_open else []
        self._tell(those, found, missing)

    def _tell(self, those: list[Waiting], found: Withdrawn, missing: Sequence[str]) -> None:
        told: dict[tuple[object, int | None], Outcome] = {}
        for each in those:
            key = (each.arrival.timeout, each.generation)
            if key not in told:
                told[key] = self._told(each, found.of(each.generation or 0), missing)
            each.waiter.tell(told[key])

    def _told(self, one: Waiting, stood: Standing, missing: Sequence[str]) -> Outcome:
        if stood.state is State.OPEN:
            return timed_out(one.meeting.place, stood, self._waited(one), missing)
        if stood.state is State.UNKNOWN:
            return one.meeting.endings.get(stood.generation) or _unconfirmed(one)
        known = one.meeting.endings.get(stood.generation)
        return known or self.waitings.outcome(one.meeting, stood)

    def _waited(self, one: Waiting) -> timedelta:
        passed = timedelta(seconds=round(self.timers.time() - one.since, 3))
        return one.arrival.timeout or passed

    async def _missing(self, run: str, arrived: Sequence[str]) -> list[str]:
        try:
            there = await self.present(run)
        except SyncsvcError as error:
            log.warning("workers of the run not known", reason=str(error))
            return []
        known = set(arrived)
        return [worker for worker in there if worker not in known]


def _together(owed: Sequence[Owed]) -> list[Owed]:
    """Make one call of those that differ only in who is taken back."""
    found: defaultdict[tuple[Place, Cause], list[Members]] = defaultdict(list)
    for each in owed:
        found[each.place, each.cause].append(each.members)
    return [Owed(place, _all(those), cause) for (place, cause), those in found.items()]


def _all(those: Sequence[Members]) -> Members:
    workers = [worker for each in those for worker in each.workers]
    return Members(workers, [call for each in those for call in each.calls])


def _by_meeting(those: Sequence[Waiting]) -> list[tuple[Meeting, list[Waiting]]]:
    found: defaultdict[Meeting, list[Waiting]] = defaultdict(list)
    for each in those:
        found[each.meeting].append(each)
    return list(found.items())


def _unconfirmed(one: Waiting) -> Outcome:
    place = one.meeting.place
    limit = one.arrival.timeout
    after = f" after {seconds(limit)}" if limit else ""
    why = f"checkpoint {place.name!r} timed out{after}; who arrived cannot be told now"
    found = Standing(State.UNKNOWN, one.generation or 0, one.arrival.terms.target)
    return ended(place, Ending.TIMED_OUT, found, why)
