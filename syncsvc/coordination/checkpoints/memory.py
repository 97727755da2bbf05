"""Checkpoints in this process: the twin that unit tests use."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.coordination.checkpoints.model import (
    LINE,
    OVER,
    Cause,
    Place,
    Policy,
    Standing,
    State,
    Terms,
)
from syncsvc.coordination.checkpoints.ports import ALIVE_FOR, Batch, Members, Waited, Withdrawn
from syncsvc.coordination.names import subject

Announce = Callable[[str, str], None]
BEFORE_START = 500  # ms
FRESH = Standing(State.UNKNOWN, 1)


@dataclass
class _Kept:
    """One checkpoint. What is announced goes into `news`, and out after each call."""

    standing: Standing
    news: list[Standing]
    now: int = 0  # ms
    arrivals: dict[str, tuple[str, int]] = field(default_factory=dict)
    alive: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    last: Standing | None = None
    reset_by: str | None = None

    def count(self, names: Iterable[tuple[str, str]], *, keep: bool) -> None:
        until = self.now + _ms(ALIVE_FOR)
        for worker, call in names:
            old = self.arrivals.get(worker)
            kept = old if old and keep else (call, old[1] if old else self.now)
            self.arrivals[worker] = kept
            if kept[0] == call and self.standing.policy is not Policy.IGNORE:
                self.alive[worker] = until
        self.standing = replace(self.standing, arrived=len(self.arrivals))

    def open(self, terms: Terms, *, lenient: bool) -> None:
        stands = self.standing
        if stands.state is State.RELEASED:
            self.begin(stands.generation + 1)
            if lenient:
                terms = Terms(stands.asked, stands.policy, stands.cyclic)
        self.set_terms(terms)

    def set_terms(self, terms: Terms) -> None:
        self.standing = replace(
            self.standing,
            state=State.OPEN,
            target=terms.target,
            asked=terms.target,
            policy=terms.policy,
            cyclic=terms.cyclic,
        )

    def begin(self, generation: int) -> None:
        old = self.standing
        follows = generation == old.generation + 1
        self.last = old if follows and old.state in OVER else None
        self.arrivals, self.alive = {}, {}
        self.standing = Standing(
            State.OPEN, generation, old.target, old.asked, policy=old.policy, cyclic=old.cyclic
        )

    def finish(self, state: State, reason: str = "", broken_by: Sequence[str] = ()) -> None:
        start = self.now + BEFORE_START if state is State.RELEASED else self.standing.start_at
        self.standing = replace(
            self.standing, state=state, reason=reason, broken_by=tuple(broken_by), start_at=start
        )
        self.alive = {}
        self.news.append(self.standing)

    def release_if_reached(self) -> None:
        if self.standing.arrived > 0 and self.standing.arrived >= self.standing.target:
            self.finish(State.RELEASED)

    def past(self, generation: int) -> Standing:
        if self.standing.generation == generation:
            return self.standing
        if self.standing.generation == generation + 1 and self.last is not None:
            return self.last
        return self.standing.named(State.LATE)

    def mine(self, members: Members) -> list[str]:
        pairs = zip(members.workers, members.calls, strict=True)
        return [
            worker
            for worker, call in pairs
            if worker in self.arrivals and call in ("", self.arrivals[worker][0])
        ]

    def take_out(self, gone: Iterable[str]) -> None:
        for worker in gone:
            self.arrivals.pop(worker, None)
            self.alive.pop(worker, None)
        self.standing = replace(self.standing, arrived=len(self.arrivals))

    def leave(self, workers: Sequence[str], arrived: Sequence[str]) -> list[str]:
        """Say who left, and give those who had not arrived, and whose leaving counts."""
        if arrived:
            calls = LINE.join(self.arrivals[worker][0] for worker in arrived)
            left = self.standing.named(State.LEFT)
            self.news.append(replace(left, broken_by=tuple(arrived), reason=calls))
        if self.standing.policy is Policy.IGNORE:
            return []
        generation = self.standing.generation
        new = [worker for worker in workers if self.left.get(worker) != generation]
        self.left |= dict.fromkeys(workers, generation)
        return [worker for worker in new if worker not in self.arrivals]

    def lose(self, gone: Sequence[str], cause: Cause, within: int) -> None:
        arrived = self.standing.arrived
        self.take_out(gone)
        if self.standing.policy is Policy.FAIL:
            also = [worker for worker, until in self.alive.items() if until <= self.now + within]
            self.standing = replace(self.standing, arrived=arrived)
            self.finish(State.BROKEN, cause.value, sorted([*gone, *also]))
        elif self.standing.policy is Policy.SHRINK:
            self.standing = replace(self.standing, target=max(1, self.standing.target - len(gone)))
            self.release_if_reached()


@dataclass
class MemoryCheckpoints:
    """Announces before it answers, as a Redis may."""

    announce: Announce
    clock: Callable[[], datetime]
    kept: dict[Place, _Kept] = field(default_factory=dict)
    _answers: dict[str, Sequence[tuple[int, Standing]]] = field(default_factory=dict)
    _news: list[Standing] = field(default_factory=list)

    async def arrive(self, batch: Batch) -> Sequence[tuple[int, Standing]]:
        if batch.call in self._answers:
            return self._answers[batch.call]
        c = self._get(batch.place)
        answer = _counted_before(c, batch) or _Arriving(c, batch).carry_out()
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
            c.alive |= dict.fromkeys(c.mine(waited.members), c.now + _ms(ALIVE_FOR))
            dead = [worker for worker, until in c.alive.items() if until <= c.now]
            if dead:
                c.lose(dead, Cause.GONE, _ms(within))
        self._tell(waited.place)
        return c.standing

    async def suspect(self, waited: Waited, within: timedelta) -> None:
        c = self._find(waited.place)
        if c is None or c.standing.generation != waited.generation:
            return
        if c.standing.state is State.OPEN and c.standing.policy is not Policy.IGNORE:
            c.alive |= dict.fromkeys(c.mine(waited.members), c.now + _ms(within))

    async def withdraw(self, place: Place, members: Members, cause: Cause) -> Withdrawn:
        c = self._find(place)
        if c is None:
            return Withdrawn(None, ())
        if c.standing.state is not State.OPEN:
            return Withdrawn(c.standing, ())
        before = Withdrawn(c.standing, list(c.arrivals) if cause is Cause.TIMED_OUT else ())
        gone = c.mine(members)
        if cause is Cause.FORGOTTEN:
            c.take_out(gone)
            gone = []
        if cause is Cause.LEFT:
            gone += c.leave(members.workers, gone)
        if gone:
            c.lose(gone, cause, 0)
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
        is_older = c.standing.generation < ending.generation
        if is_older or (
            c.standing.generation == ending.generation and c.standing.state not in OVER
        ):
            c.standing, c.alive = ending, {}
            c.news.append(ending)
        self._tell(place)

    def lose(self, place: Place) -> None:
        """Forget a checkpoint, as a Redis without persistence does when it restarts."""
        self.kept.pop(place, None)

    def _find(self, place: Place) -> _Kept | None:
        c = self.kept.get(place)
        if c is not None:
            c.now = round(self.clock().timestamp() * 1000)
        return c

    def _get(self, place: Place, generation: int = 1) -> _Kept:
        if place not in self.kept:
            self.kept[place] = _Kept(Standing(State.UNKNOWN, generation), self._news)
        return self._find(place) or self.kept[place]

    def _tell(self, place: Place) -> None:
        news, self._news[:] = self._news[:], []
        for said in news:
            self.announce(subject("checkpoint", place.run, place.name), said.text())


@dataclass
class _Arriving:
    """One batch on its way in."""

    c: _Kept
    batch: Batch
    answer: list[tuple[int, Standing]] = field(default_factory=list)

    def carry_out(self) -> list[tuple[int, Standing]]:
        c, batch, rest = self.c, self.batch, list(self.batch.workers)
        self._forget_terms_of_nobody()
        while rest:
            told = self._told()
            if told is not None:
                self._say(len(rest), told)
                break
            if c.standing.state is not State.OPEN:
                c.open(batch.terms, lenient=batch.lenient)
            many = min(len(rest), max(1, c.standing.target - c.standing.arrived))
            c.count([(worker, batch.call) for worker in rest[:many]], keep=False)
            c.release_if_reached()
            self._say(many, c.standing)
            rest = rest[many:]
        return self.answer

    def _forget_terms_of_nobody(self) -> None:
        stands = self.c.standing
        if stands.state is State.OPEN and not stands.arrived and stands.policy is Policy.IGNORE:
            self.c.standing = replace(stands, state=State.UNKNOWN)

    def _say(self, many: int, told: Standing) -> None:
        if self.answer and self.answer[-1][1] == told:
            many += self.answer.pop()[0]
        self.answer.append((many, told))

    def _told(self) -> Standing | None:
        stands = self.c.standing
        told = self._told_by_generation()
        if told is not None:
            return told
        if stands.state in (State.BROKEN, State.ABORTED):
            return stands
        if stands.state is State.RELEASED and not stands.cyclic:
            return stands.named(State.LATE)
        return stands.named(State.MISMATCH) if self._differs() else None

    def _told_by_generation(self) -> Standing | None:
        stands, named = self.c.standing, self.batch.generation
        if named is None:
            return None
        is_released = stands.state is State.RELEASED
        if named < stands.generation or (named == stands.generation and is_released):
            return stands.named(State.LATE)
        if named == stands.generation:
            return None
        begins = named == stands.generation + 1 and is_released and stands.cyclic
        return None if begins else stands.named(State.MISMATCH)

    def _differs(self) -> bool:
        stands, terms = self.c.standing, self.batch.terms
        if self.batch.lenient or stands.state is State.UNKNOWN:
            return False
        if stands.state is State.RELEASED:
            return stands.cyclic and not terms.cyclic
        found = Terms(stands.asked, stands.policy, stands.cyclic)
        return found != terms


def _counted_before(c: _Kept, batch: Batch) -> list[tuple[int, Standing]] | None:
    """Answer a batch that comes again after its generation was released."""
    stands, named = c.standing, batch.generation
    if (
        stands.cyclic
        or stands.state is not State.RELEASED
        or named not in (None, stands.generation)
    ):
        return None
    arriving = _Arriving(c, batch)
    for worker in batch.workers:
        is_same = c.arrivals.get(worker, ("",))[0] == batch.call
        arriving._say(1, stands if is_same else stands.named(State.LATE))  # noqa: SLF001
    return arriving.answer


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
