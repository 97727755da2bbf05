"""Checkpoints in this process: the twin that unit tests use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.coordination.checkpoints.kept import Kept, arrive, ms
from syncsvc.coordination.checkpoints.model import OVER, Cause, Place, Policy, Standing, State
from syncsvc.coordination.checkpoints.ports import Batch, Members, Waited, Withdrawn
from syncsvc.coordination.names import subject

Announce = Callable[[str, str], None]
FRESH = Standing(State.UNKNOWN, 1)


@dataclass
class MemoryCheckpoints:
    """Announces before it answers, as a Redis may."""

    announce: Announce
    clock: Callable[[], datetime]
    kept: dict[Place, Kept] = field(default_factory=dict)
    _answers: dict[str, Sequence[tuple[int, Standing]]] = field(default_factory=dict)
    _news: list[Standing] = field(default_factory=list)

    async def arrive(self, batch: Batch) -> Sequence[tuple[int, Standing]]:
        if batch.call in self._answers:
            return self._answers[batch.call]
        c = self._get(batch.place)
        answer = arrive(c, batch)
        if c.standing.cyclic:
            self._answers[batch.call] = answer
        if c.standing == FRESH:
            self.lose(batch.place)
        self._tell(batch.place)
        return answer

    async def again(self, waited: Waited) -> Standing:
        c = self._get(waited.place, waited.generation)
        if c.standing.generation > waited.generation:
            return c.past(waited.generation)
        if c.standing.generation < waited.generation:
            c.begin(waited.generation)
            c.set_terms(waited.terms)
        if c.standing.state is State.UNKNOWN:
            c.set_terms(waited.terms)
        if c.standing.state is State.OPEN:
            members = waited.members
            c.count(zip(members.workers, members.calls, strict=True), keep=True)
            c.release_if_reached()
        self._tell(waited.place)
        return c.standing

    async def tend(self, waited: Waited, within: timedelta) -> Standing | None:
        c = self._find(waited.place)
        if c is None or c.standing.generation < waited.generation:
            return None
        if c.standing.generation > waited.generation or c.standing.state is not State.OPEN:
            return c.past(waited.generation)
        if c.standing.policy is not Policy.IGNORE:
            c.tend(waited.members, ms(within))
        self._tell(waited.place)
        return c.standing

    async def suspect(self, waited: Waited, within: timedelta) -> None:
        c = self._find(waited.place)
        if c is None or c.standing.generation != waited.generation:
            return
        if c.standing.state is State.OPEN and c.standing.policy is not Policy.IGNORE:
            c.alive |= dict.fromkeys(c.mine(waited.members), c.now + ms(within))

    async def withdraw(self, place: Place, members: Members, cause: Cause) -> Withdrawn:
        c = self._find(place)
        if c is None:
            return Withdrawn(None)
        if c.standing.state is not State.OPEN:
            return Withdrawn(c.standing, last=c.last)
        arrived = list(c.arrivals) if cause is Cause.TIMED_OUT else ()
        before = Withdrawn(c.standing, arrived, c.last)
        gone = c.mine(members)
        if cause is Cause.FORGOTTEN:
            c.take_out(gone)
            gone = []
        if cause is Cause.LEFT:
            gone += c.leave(members.workers, gone)
        if gone:
            c.lose(gone, cause)
        self._tell(place)
        return before

    async def abort(self, place: Place, reason: str) -> Standing:
        c = self._get(place)
        if c.standing.state is State.RELEASED and c.standing.cyclic:
            c.begin(c.standing.generation + 1)
        if c.standing.state not in OVER:
            c.finish(State.ABORTED, reason)
        self._tell(place)
        return c.standing

    async def reset(self, place: Place, call: str, reason: str) -> Standing:
        c = self._find(place)
        if c is None:
            return FRESH
        if c.standing.state is State.UNKNOWN or c.reset_by == call:
            return c.standing
        if c.standing.state is State.OPEN:
            c.finish(State.ABORTED, reason)
        c.begin(c.standing.generation + 1)
        c.standing, c.reset_by = Standing(State.UNKNOWN, c.standing.generation), call
        self._tell(place)
        return c.standing

    async def status(self, place: Place) -> tuple[Standing, Mapping[str, int]]:
        c = self._find(place)
        if c is None:
            return FRESH, {}
        return c.standing, {worker: since for worker, (_, since) in c.arrivals.items()}

    async def restore(self, place: Place, ending: Standing) -> None:
        c = self._get(place, ending.generation)
        if c.standing.generation < ending.generation:
            c.begin(ending.generation)
        if c.standing.generation == ending.generation and c.standing.state not in OVER:
            c.standing, c.alive = ending, {}
            c.news.append(ending)
        self._tell(place)

    def lose(self, place: Place) -> None:
        """Forget a checkpoint, as a Redis without persistence does when it restarts."""
        self.kept.pop(place, None)

    def _find(self, place: Place) -> Kept | None:
        c = self.kept.get(place)
        if c is not None:
            c.now = round(self.clock().timestamp() * 1000)
        return c

    def _get(self, place: Place, generation: int = 1) -> Kept:
        if place not in self.kept:
            self.kept[place] = Kept(Standing(State.UNKNOWN, generation), self._news)
        return self._find(place) or self.kept[place]

    def _tell(self, place: Place) -> None:
        news, self._news[:] = self._news[:], []
        for said in news:
            self.announce(subject("checkpoint", place.run, place.name), said.text())
