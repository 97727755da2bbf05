"""Who waits in this process, and for what; each is told once."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from syncsvc.coordination.checkpoints.endings import ended, outcome
from syncsvc.coordination.checkpoints.model import (
    OVER,
    Arrival,
    Cause,
    Ending,
    Outcome,
    Place,
    Policy,
    Standing,
    State,
    Terms,
)
from syncsvc.coordination.checkpoints.ports import Cancellable, Members, Waited, Waiter
from syncsvc.errors import SyncsvcError

REMEMBERED_ENDINGS = 64  # of one checkpoint, while somebody here is on the way to it
REMEMBERED_TOLD = 10_000
REMEMBERED_SECONDS = 30.0  # a server that came back may have forgotten its last second


class Promise:
    """A waiter that is awaited."""

    def __init__(self) -> None:
        self.kept: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def tell(self, outcome: Outcome) -> None:
        if not self.kept.done():
            self.kept.set_result(outcome)

    def refuse(self, error: SyncsvcError) -> None:
        if not self.kept.done():
            self.kept.set_exception(error)


class LoopTimers:
    """The timers of the event loop that runs."""

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    def call_later(
        self, delay: float, callback: Callable[..., object], /, *args: Any
    ) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay, callback, *args)


class Waiting:
    """One arrival and the one who waits for what becomes of it."""

    __slots__ = (
        "arrival", "call", "cause", "failed", "generation", "is_over", "meeting", "since", "timer",
        "waiter",
    )  # fmt: skip

    def __init__(self, arrival: Arrival, waiter: Waiter, meeting: "Meeting", since: float) -> None:
        self.arrival = arrival
        self.waiter = waiter
        self.meeting = meeting
        self.since = since
        self.generation: int | None = None  # known once the arrival was counted
        self.call = ""  # it was counted with, or sent with when the store could not be reached
        self.failed: tuple[str, ...] = ()  # calls of which nobody knows whether they counted it
        self.timer: Cancellable | None = None
        self.cause: Cause | None = None  # why to take the arrival back once it was counted
        self.is_over = False

    def tell(self, told: Outcome) -> None:
        self.stop()
        self.waiter.tell(told)

    def stop(self) -> None:
        """Nobody waits any more; whoever calls this has told them, or nobody is left to tell."""
        self.is_over = True
        if self.timer is not None:
            self.timer.cancel()


@dataclass(eq=False)
class Meeting:
    """Those who wait here at one checkpoint, by worker, who came first first."""

    place: Place
    waiting: dict[str, Waiting] = field(default_factory=dict)
    terms: Terms = field(default_factory=lambda: Terms(1))
    endings: dict[int, Outcome] = field(default_factory=dict)
    unseen: int = 0  # rounds in which the store did not know what is waited for

    @property
    def is_ignored(self) -> bool:
        return self.terms.policy is Policy.IGNORE

    def generations(self) -> set[int]:
        """Give those generations that somebody here was counted in."""
        found = {each.generation for each in self.waiting.values()}
        return {generation for generation in found if generation is not None}

    def counted(self, generation: int) -> list[Waiting]:
        return [each for each in self.waiting.values() if each.generation == generation]

    def leave(self, gone: Waiting) -> bool:
        """Take one out; False when it was out."""
        if self.waiting.get(gone.arrival.worker) is not gone:
            return False
        del self.waiting[gone.arrival.worker]
        return True

    def dismiss(self, generation: int) -> list[Waiting]:
        """Take out all who were counted in a generation."""
        told = self.counted(generation)
        if len(told) == len(self.waiting):
            self.waiting = {}
        else:
            for each in told:
                del self.waiting[each.arrival.worker]
        return told

    def waited(self, generation: int, members: Iterable[Waiting]) -> Waited:
        return Waited(self.place, generation, self.terms, members_of(members))


def members_of(those: Iterable[Waiting]) -> Members:
    listed = list(those)
    return Members([each.arrival.worker for each in listed], [each.call for each in listed])


class Waitings:
    """All who wait in this process."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._meetings: dict[tuple[str, str], Meeting] = {}
        self._told: deque[tuple[float, Place, Standing]] = deque(maxlen=REMEMBERED_TOLD)

    def __iter__(self) -> Iterator[Meeting]:
        return iter(list(self._meetings.values()))

    def find(self, run: str, name: str) -> Meeting | None:
        return self._meetings.get((run, name))

    def at(self, run: str, name: str) -> Meeting:
        meeting = self._meetings.get((run, name))
        if meeting is None:
            place = Place(run, name)
            meeting = self._meetings[place] = Meeting(place)
        return meeting

    def out(self, gone: Waiting) -> bool:
        """Take one out who is told by the caller, or cannot be; False when it was out."""
        gone.stop()
        was_in = gone.meeting.leave(gone)
        self._forget_empty(gone.meeting)
        return was_in

    def end(self, meeting: Meeting, found: Standing) -> None:
        """Tell all who were counted in a generation how it ended."""
        if self._tell(meeting, found.generation, self.outcome(meeting, found)):
            self._told.append((self._time(), meeting.place, found))

    def stands(self, meeting: Meeting, generation: int, found: Standing) -> None:
        """Tell all who were counted in a generation, if it is over."""
        if found.state is State.LATE:
            late = replace(found, generation=generation)
            self._tell(meeting, generation, outcome(meeting.place, late))
        elif found.state in OVER:
            self.end(meeting, found)

    def lose(self, meeting: Meeting, generation: int, why: str) -> list[Waiting]:
        """Tell all who were counted in a generation that it is lost, and give them."""
        found = Standing(State.UNKNOWN, generation, meeting.terms.target)
        return self._tell(meeting, generation, ended(meeting.place, Ending.LOST, found, why))

    def outcome(self, meeting: Meeting, found: Standing) -> Outcome:
        """Give the one object that all are told of an ending."""
        if found.state is State.LATE:
            return outcome(meeting.place, found)
        known = meeting.endings.get(found.generation)
        if known is None:
            known = meeting.endings[found.generation] = outcome(meeting.place, found)
            if len(meeting.endings) > REMEMBERED_ENDINGS:
                del meeting.endings[next(iter(meeting.endings))]
        return known

    def lately_told(self) -> list[tuple[Place, Standing]]:
        """Give the endings that agents here were told of lately, the oldest first."""
        earliest = self._time() - REMEMBERED_SECONDS
        while self._told and self._told[0][0] < earliest:
            self._told.popleft()
        return [(place, found) for _, place, found in self._told]

    def _tell(self, meeting: Meeting, generation: int, told: Outcome) -> list[Waiting]:
        everybody = meeting.dismiss(generation)
        self._forget_empty(meeting)
        for each in everybody:
            each.tell(told)
        return everybody

    def _forget_empty(self, meeting: Meeting) -> None:
        if not meeting.waiting and self._meetings.get(meeting.place) is meeting:
            del self._meetings[meeting.place]
