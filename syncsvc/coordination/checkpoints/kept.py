"""One checkpoint in this process, by the rules that the scripts keep in Redis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from syncsvc.coordination.checkpoints.model import (
    LINE,
    OVER,
    Cause,
    Policy,
    Standing,
    State,
    Terms,
)
from syncsvc.coordination.checkpoints.ports import ALIVE_FOR, UNTENDED_AFTER, Batch, Members

BEFORE_START = 500  # ms


@dataclass
class Kept:
    """One checkpoint. What is announced goes into `news`, and out after each call."""

    standing: Standing
    news: list[Standing]
    now: int = 0  # ms
    arrivals: dict[str, tuple[str, int]] = field(default_factory=dict)
    alive: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    last: Standing | None = None
    reset_by: str | None = None
    tended: int = 0  # ms; when somebody last did, or the generation opened

    def count(self, names: Iterable[tuple[str, str]], *, keep: bool) -> None:
        until = self.now + ms(ALIVE_FOR)
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
        self.tended = self.now
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

    def tend(self, living: Members, within: int) -> None:
        """Note who lives, and lose who does not; where nobody could tend, all live."""
        is_untended = self.now - self.tended > ms(UNTENDED_AFTER)
        known = [*self.alive] if is_untended else []
        self.tended = self.now
        self.alive |= dict.fromkeys([*known, *self.mine(living)], self.now + ms(ALIVE_FOR))
        dead = self._dying(0)
        if dead:
            self.lose(
                self._dying(within) if self.standing.policy is Policy.FAIL else dead, Cause.GONE
            )

    def _dying(self, within: int) -> list[str]:
        return [worker for worker, until in self.alive.items() if until <= self.now + within]

    def lose(self, gone: Sequence[str], cause: Cause) -> None:
        arrived = self.standing.arrived
        self.take_out(gone)
        if self.standing.policy is Policy.FAIL:
            self.standing = replace(self.standing, arrived=arrived)
            self.finish(State.BROKEN, cause.value, sorted(gone))
        elif self.standing.policy is Policy.SHRINK:
            self.standing = replace(self.standing, target=max(1, self.standing.target - len(gone)))
            self.release_if_reached()


@dataclass
class _Arriving:
    """One batch on its way in."""

    c: Kept
    batch: Batch
    answer: list[tuple[int, Standing]] = field(default_factory=list)

    def carry_out(self) -> list[tuple[int, Standing]]:
        c, batch, rest = self.c, self.batch, list(self.batch.workers)
        self._forget_terms_of_nobody()
        while rest:
            told = self._told()
            if told is not None:
                self.say(len(rest), told)
                break
            if c.standing.state is not State.OPEN:
                c.open(batch.terms, lenient=batch.lenient)
            many = min(len(rest), max(1, c.standing.target - c.standing.arrived))
            c.count([(worker, batch.call) for worker in rest[:many]], keep=False)
            c.release_if_reached()
            self.say(many, c.standing)
            rest = rest[many:]
        return self.answer

    def _forget_terms_of_nobody(self) -> None:
        stands = self.c.standing
        if stands.state is State.OPEN and not stands.arrived and stands.policy is Policy.IGNORE:
            self.c.standing = replace(stands, state=State.UNKNOWN)

    def say(self, many: int, told: Standing) -> None:
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


def arrive(c: Kept, batch: Batch) -> list[tuple[int, Standing]]:
    """Count a batch, or answer one that comes again."""
    return _counted_before(c, batch) or _Arriving(c, batch).carry_out()


def _counted_before(c: Kept, batch: Batch) -> list[tuple[int, Standing]] | None:
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
        arriving.say(1, stands if is_same else stands.named(State.LATE))
    return arriving.answer


def ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
