"""What counters, locks and checkpoints do when one at a time uses them: see `linearizability`.

States are plain values that compare and hash, results are what clients were told.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.linearizability import UNKNOWN


@dataclass(frozen=True, slots=True)
class Add:
    delta: int


@dataclass(frozen=True, slots=True)
class Get:
    pass


class Counter:
    """A number that grows by what is added; both operations give it."""

    initial = 0

    def step(self, state: int, operation: Add | Get, result: Any) -> int | None:
        after = state + operation.delta if isinstance(operation, Add) else state
        return after if result in (after, UNKNOWN) else None


@dataclass(frozen=True, slots=True)
class Acquire:
    worker: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """What follows an acquisition whose caller is gone: it gives back what nobody was told of."""

    worker: str


@dataclass(frozen=True, slots=True)
class Renew:
    token: int


@dataclass(frozen=True, slots=True)
class Release:
    token: int


REFUSED = "refused"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a lock, by which token; `last` is the newest token that anybody saw.

    The token of a holder is None where the answer that had it was lost.
    """

    worker: str | None = None
    token: int | None = None
    last: int = 0
    released: frozenset[int] = frozenset()


class Lock:
    """A lock that nobody waits for and whose holder lives for ever.

    An acquisition gives a token, newer than all before, or REFUSED; who holds the lock is given
    the same token again. A renewal or a release is DONE by the holder's token and REFUSED by any
    other, but a release may be repeated for ever.
    """

    initial = Held()

    def step(
        self, state: Held, operation: Acquire | Withdraw | Renew | Release, result: Any
    ) -> Held | None:
        match operation:
            case Acquire(worker):
                return _acquired(state, worker, result)
            case Withdraw(worker):
                return _withdrawn(state, worker)
            case Renew(token):
                return _if_given(state, _is_held_by(state, token), result)
            case Release(token):
                return _released(state, token, result)


def _acquired(state: Held, worker: str, result: Any) -> Held | None:
    if state.worker is None:
        return _granted(state, worker, result)
    if state.worker == worker and state.token is None and result is not UNKNOWN:
        return _granted(state, worker, result)  # told now what was granted before
    expected = state.token if state.worker == worker else REFUSED
    return state if result in (expected, UNKNOWN) else None


def _granted(state: Held, worker: str, result: Any) -> Held | None:
    if result is UNKNOWN:
        return replace(state, worker=worker, token=None)
    if result == REFUSED or result <= state.last:
        return None
    return replace(state, worker=worker, token=result, last=result)


def _withdrawn(state: Held, worker: str) -> Held:
    if state.worker != worker or state.token is not None:
        return state
    return replace(state, worker=None)


def _released(state: Held, token: int, result: Any) -> Held | None:
    if _is_held_by(state, token):
        freed = replace(state, worker=None, token=None, released=state.released | {token})
        return freed if result in (DONE, UNKNOWN) else None
    return _if_given(state, token in state.released, result)


def _is_held_by(state: Held, token: int) -> bool:
    return state.worker is not None and state.token == token


def _if_given(state: Held, succeeds: bool, result: Any) -> Held | None:  # noqa: FBT001 - a verdict
    expected = DONE if succeeds else REFUSED
    return state if result in (expected, UNKNOWN) else None


@dataclass(frozen=True, slots=True)
class Arrive:
    """Its result is the generation that it is counted in, or None where that is not known."""

    worker: str


@dataclass(frozen=True, slots=True)
class Depart:
    """The end of the wait that an arrival began, told as its own call over the same time."""

    worker: str


@dataclass(frozen=True, slots=True)
class Released:
    generation: int
    arrived: int


@dataclass(frozen=True, slots=True)
class Passed:
    """Its generation was released, so long ago that nobody knows when: the worker may pass."""

    generation: int


@dataclass(frozen=True, slots=True)
class Unreleased:
    """The wait ended before its generation was released: the worker counts no more."""


@dataclass(frozen=True, slots=True)
class Meeting:
    generation: int = 1
    arrived: frozenset[str] = frozenset()
    let_go: frozenset[tuple[str, int]] = frozenset()  # released, and not told of it yet


@dataclass(frozen=True)
class Checkpoint:
    """A cyclic checkpoint: a generation is released by its target of distinct arrivals, once.

    A worker may depart as released only from the generation it arrived in, with all the
    arrivals it needed, and pass late only in that generation; otherwise it departs as one who
    has not been counted.
    """

    target: int
    initial: Meeting = field(default_factory=Meeting)

    def step(self, state: Meeting, operation: Arrive | Depart, result: Any) -> Meeting | None:
        if isinstance(operation, Arrive):
            return self._arrived(state, operation.worker, result)
        if isinstance(result, Released):
            return self._let_go(state, operation.worker, result)
        if isinstance(result, Passed):
            return _passed(state, operation.worker, result.generation)
        if result == Unreleased():
            return _taken_back(state, operation.worker)
        return _gone(state, operation.worker)

    def _arrived(self, state: Meeting, worker: str, result: Any) -> Meeting | None:
        if any(name == worker for name, _ in state.let_go):
            return None  # it waits once at a time
        if result not in (state.generation, None, UNKNOWN):
            return None
        arrived = state.arrived | {worker}
        if len(arrived) < self.target:
            return replace(state, arrived=arrived)
        told = {(name, state.generation) for name in arrived}
        return Meeting(state.generation + 1, let_go=state.let_go | told)

    def _let_go(self, state: Meeting, worker: str, result: Released) -> Meeting | None:
        if result.arrived != self.target:
            return None
        return _passed(state, worker, result.generation)


def _passed(state: Meeting, worker: str, generation: int) -> Meeting | None:
    if (worker, generation) not in state.let_go:
        return None
    return replace(state, let_go=state.let_go - {(worker, generation)})


def _gone(state: Meeting, worker: str) -> Meeting:
    """It was released and nobody was told, or may be counted no more."""
    told = {(name, generation) for name, generation in state.let_go if name != worker}
    return replace(state, arrived=state.arrived - {worker}, let_go=frozenset(told))


def _taken_back(state: Meeting, worker: str) -> Meeting | None:
    if worker not in state.arrived:
        return None
    return replace(state, arrived=state.arrived - {worker})
