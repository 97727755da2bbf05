"""Agents of this process meet those of every other at checkpoints.

Whoever arrives listens first: an ending that is announced before the arrival was answered is
remembered until the answer is there. An announcement that got lost costs a second at most,
because what is waited for here is looked at in every round of `tend`.
"""

import asyncio
import secrets
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from syncsvc.coordination.checkpoints.arriving import Arriving, calls
from syncsvc.coordination.checkpoints.endings import ended, reason
from syncsvc.coordination.checkpoints.leaving import Leaving
from syncsvc.coordination.checkpoints.model import (
    HIDDEN,
    OVER,
    Arrival,
    Cause,
    Ending,
    Outcome,
    Place,
    Standing,
    State,
    Status,
    check,
    check_identifier,
    check_reason,
)
from syncsvc.coordination.checkpoints.ports import Checkpoints, Members, Present, Timers, Waiter
from syncsvc.coordination.checkpoints.tending import Tending
from syncsvc.coordination.checkpoints.waiting import LoopTimers, Promise, Waiting, Waitings
from syncsvc.coordination.names import LINE, check_name
from syncsvc.errors import Conflict, Rejected

ROUND = 1.0  # seconds between two looks at what is waited for


class Meetings:
    """All checkpoints, for the agents of one process."""

    def __init__(
        self,
        store: Checkpoints,
        *,
        present: Present,
        resume_within: timedelta = timedelta(seconds=1),
        longest_wait: timedelta = timedelta(hours=12),
        timers: Timers | None = None,
    ) -> None:
        """`timers`: the running event loop, where none are given."""
        self._store = store
        self._timers = timers or LoopTimers()
        self._waitings = Waitings(self._timers.time)
        self._leaving = Leaving(
            store, self._waitings, present, resume_within, self._timers, self._begin
        )
        self._tending = Tending(
            store, self._waitings, self._leaving, longest_wait, self._timers, self._begin
        )
        self._arriving = Arriving(store, self._waitings, self._leaving, new_call=calls())
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_draining = False

    def arrive(self, arrival: Arrival, waiter: Waiter) -> None:
        """Bring a worker to a checkpoint; the waiter is told how that ended, or refused."""
        try:
            check(arrival)
        except Rejected as error:
            waiter.refuse(error)
            return
        meeting = self._waitings.at(arrival.run, arrival.name)
        waiting = Waiting(arrival, waiter, meeting, self._timers.time())
        older = meeting.waiting.pop(arrival.worker, None)
        meeting.waiting[arrival.worker] = waiting
        if older is not None:
            older.cause = None  # what it brought about is the new one's
            older.tell(_superseded(older))
        if arrival.timeout is not None:
            waiting.timer = self._timers.call_later(
                arrival.timeout.total_seconds(), self._leaving.time_out, waiting
            )
        self._arriving.add(waiting)

    def gone(self, arrival: Arrival) -> None:
        """The connection of one who waits is gone: if its agent does not come back, it died."""
        waiting = self._waiting(arrival)
        if waiting is None:
            return
        if self._is_draining:
            self._waitings.out(waiting)
        else:
            self._leaving.disconnected(waiting)

    async def wait(self, arrival: Arrival) -> Outcome:
        """Arrive and wait for the end; being cancelled is like a connection that is gone.

        Raises Rejected, Conflict or Unavailable when the arrival was not counted.
        """
        promise = Promise()
        self.arrive(arrival, promise)
        try:
            return await promise.kept
        finally:
            self.gone(arrival)

    async def leave(self, run: str, name: str, worker: str) -> None:
        """Take a worker's arrival back, wherever it was made, and apply the policy.

        Raises Rejected, or Unavailable.
        """
        place = _place(run, name)
        check_name("worker", worker)
        meeting = self._waitings.find(*place)
        waiting = meeting and meeting.waiting.get(worker)
        await self._store.withdraw(place, Members([worker], [""]), Cause.LEFT)
        if waiting:
            self._left(waiting)

    async def abort(self, run: str, name: str, why: str) -> Standing:
        """End a checkpoint for all who wait or come, until it is reset.

        Raises Rejected, Unavailable, or Conflict when it was released before.
        """
        place = _place(run, name)
        found = await self._store.abort(place, check_reason(why))
        if found.state is State.RELEASED:
            raise Conflict(f"state: expected a checkpoint that is not over, found {found.state}")
        self._over(found, *place)
        return found

    async def reset(self, run: str, name: str) -> Standing:
        """Begin the next generation; whoever waits is told that it was aborted.

        Raises Rejected or Unavailable.
        """
        place = _place(run, name)
        was_reset = f"checkpoint {name!r} was reset"
        return await self._store.reset(place, secrets.token_hex(8), was_reset)

    async def status(self, run: str, name: str) -> Status:
        """Say how a checkpoint stands, and who is there and who is not.

        Raises Rejected or Unavailable.
        """
        place = _place(run, name)
        found, since = await self._store.status(place)
        there = await self._leaving.present(run) if found.state is State.OPEN else ()
        named = [(worker, at) for worker, at in since.items() if not worker.startswith(HIDDEN)]
        return Status(
            found,
            arrived=tuple(sorted(named, key=lambda each: (each[1], each[0]))),
            anonymous=len(since) - len(named),
            missing=tuple(sorted(worker for worker in there if worker not in since)),
            missing_count=max(found.target - found.arrived, 0),
            reason=reason(place, found),
        )

    def announced(self, subject: str, body: str) -> None:
        """A checkpoint has ended somewhere, or somebody left it."""
        _, run, name = subject.split(LINE, 2)
        meeting = self._waitings.find(run, name)
        if meeting is None:
            return
        found = Standing.read(body)
        if found.state is State.LEFT:
            calls = found.reason.split(LINE)
            for worker, call in zip(found.broken_by, calls, strict=True):
                waiting = meeting.waiting.get(worker)
                if waiting is not None and waiting.call == call:
                    self._left(waiting)
        else:
            self._waitings.end(meeting, found)

    def began(self, *, lost: bool) -> None:
        """Announcements arrive from now on; some may have been missed.

        `lost`: the store has lost everything, so whoever waits is told to begin again.
        """
        if lost:
            self._tending.lose_everything()
        self._begin(self._tending.catch_up())

    async def tend(self) -> None:
        """Look after those who wait here, until cancelled."""
        while True:
            await asyncio.sleep(ROUND)
            await self.look()

    async def look(self) -> None:
        """Look once at all that is waited for here, and at who lives."""
        self._arriving.try_again(self._timers.time())
        await self._tending.look()

    async def settled(self) -> None:
        """Return once nothing that was begun here is under way."""
        await self._arriving.settled()
        while self._tasks:
            await asyncio.gather(*self._tasks)

    @property
    def waiting(self) -> int:
        """How many agents of this process wait at checkpoints."""
        return sum(len(meeting.waiting) for meeting in self._waitings)

    def drain(self) -> None:
        """The process stops: connections close because of us, so nobody counts as gone."""
        self._is_draining = True

    def _waiting(self, arrival: Arrival) -> Waiting | None:
        meeting = self._waitings.find(arrival.run, arrival.name)
        found = meeting and meeting.waiting.get(arrival.worker)
        return found if found and found.arrival.session == arrival.session else None

    def _left(self, waiting: Waiting) -> None:
        if self._waitings.out(waiting):
            waiting.cause = Cause.LEFT if waiting.generation is None else None
            waiting.waiter.tell(_told(waiting, f"worker {waiting.arrival.worker!r} left"))

    def _over(self, found: Standing, run: str, name: str) -> None:
        meeting = self._waitings.find(run, name)
        if meeting is not None and found.state in OVER:
            self._waitings.end(meeting, found)

    def _begin(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _place(run: str, name: str) -> Place:
    check_name("run", run)
    check_identifier(name)
    return Place(run, name)


def _told(waiting: Waiting, why: str) -> Outcome:
    terms = waiting.arrival.terms
    found = Standing(State.UNKNOWN, waiting.generation or 0, terms.target)
    return ended(waiting.meeting.place, Ending.LEFT, found, why)


def _superseded(older: Waiting) -> Outcome:
    return _told(older, f"worker {older.arrival.worker!r} arrived again, and that arrival waits")
