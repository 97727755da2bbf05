"""Tells whether what concurrent clients saw could have come from one object used by one at a time.

A history is linearizable when each of its calls can be given an instant between its invocation
and its return so that a sequential model, carried out in the order of these instants, gives the
results that were seen. A call whose outcome nobody knows happened at any time after its
invocation, or never. The search is Wing and Gong's, with Lowe's memory of what was tried: which
calls were placed, and the state they led to.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any, Protocol, TypeVar

State = TypeVar("State", bound=Hashable)


class Outcome(Enum):
    UNKNOWN = "unknown"


UNKNOWN = Outcome.UNKNOWN


@dataclass(frozen=True)
class Call:
    """One call of one process, with what it gave; times are in seconds of one clock."""

    process: str
    operation: Hashable
    result: Any
    invoked: float
    returned: float = inf

    def __str__(self) -> str:
        span = f"{self.invoked:.6f}-{self.returned:.6f}"
        return f"{span} {self.process}: {self.operation} -> {self.result}"


class Model(Protocol[State]):
    """What an object does when one at a time uses it."""

    initial: State

    def step(self, state: State, operation: Any, result: Any) -> State | None:
        """Give the state after an operation that gave this result; None where it cannot give it.

        An UNKNOWN result is whatever the operation gives in this state.
        """
        ...


@dataclass(frozen=True)
class Verdict:
    """`order` is the longest order that was found; it holds every call if all is well."""

    linearizable: bool
    order: tuple[Call, ...]
    unplaced: tuple[Call, ...]

    def __str__(self) -> str:
        if self.linearizable:
            return "linearizable: " + "; ".join(map(str, self.order))
        placed = "\n  ".join(map(str, self.order)) or "nothing"
        left = "\n  ".join(map(str, self.unplaced))
        return f"not linearizable; at best in this order:\n  {placed}\nand then none of:\n  {left}"


_Order = tuple[int, Any] | None  # the call placed last, and those before it
_Found = tuple[int, Any, _Order]  # calls placed as bits, the state, the order


def check(history: Sequence[Call], model: Model[Any]) -> Verdict:
    """Look for an order of the calls that the model agrees with."""
    calls = sorted(history, key=lambda call: call.invoked)
    needed = sum(1 << i for i, call in enumerate(calls) if call.result is not UNKNOWN)
    best: _Found = (0, model.initial, None)
    open_ = [best]
    tried = {(0, model.initial)}
    while open_:
        found = open_.pop()
        if found[0] & needed == needed:
            return _verdict(calls, found, linearizable=True)
        best = max(best, found, key=lambda each: each[0].bit_count())
        for after in _extended(calls, model, found):
            if after[:2] not in tried:
                tried.add(after[:2])
                open_.append(after)
    return _verdict(calls, best, linearizable=False)


def assert_linearizable(history: Sequence[Call], model: Model[Any], about: str = "") -> None:
    """Fail with the best order that there is, unless the history is linearizable."""
    verdict = check(history, model)
    assert verdict.linearizable, f"{about}: {verdict}"


def _extended(calls: Sequence[Call], model: Model[Any], found: _Found) -> Iterator[_Found]:
    """Give the ways to place one more call that need to be tried, the most promising last.

    A call that changes nothing may always come first, so then there is no other way. One of
    unknown outcome that changes nothing need not be placed.
    """
    placed, state, order = found
    ways = []
    for index in _next(calls, placed):
        call = calls[index]
        after = model.step(state, call.operation, call.result)
        if after is None or (after == state and call.result is UNKNOWN):
            continue
        way = (placed | 1 << index, after, (index, order))
        if after == state:
            return iter([way])
        ways.append(way)
    return iter(ways)


def _next(calls: Sequence[Call], placed: int) -> list[int]:
    """Give the calls that may come next: those that no unplaced call returned before.

    Of several of unknown outcome that ask for the same, the first stands for all.
    """
    soonest = inf
    candidates: dict[Hashable, int] = {}
    for index, call in enumerate(calls):
        if call.invoked > soonest:
            break
        if not placed >> index & 1:
            soonest = min(soonest, call.returned)
            candidates.setdefault(call.operation if call.result is UNKNOWN else index, index)
    return sorted(candidates.values(), key=lambda index: -calls[index].returned)


def _verdict(calls: Sequence[Call], found: _Found, *, linearizable: bool) -> Verdict:
    placed, _, chain = found
    order: list[Call] = []
    while chain is not None:
        index, chain = chain
        order.append(calls[index])
    unplaced = tuple(call for i, call in enumerate(calls) if not placed >> i & 1)
    return Verdict(linearizable, tuple(reversed(order)), unplaced)
