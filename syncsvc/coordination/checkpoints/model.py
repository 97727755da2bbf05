"""A checkpoint holds workers back until enough of them have arrived.

It counts distinct workers, so an arrival may be repeated without harm, and each generation
of it ends once: whoever comes later to one that was released passes straight through.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from syncsvc.coordination.names import check_name
from syncsvc.errors import Rejected

LARGEST_TARGET = 1_000_000
LEAD_MS = 500  # from a release to its start, as TestSync has it; the scripts know it too
LONGEST_REASON = 500
LONGEST_IDENTIFIER = 1_000  # of plain TestSync, which has no other rule for it
HIDDEN = "~"  # begins the names that connections without a worker's name are given
SEPARATOR = "\0"
LINE = "\n"


class Policy(StrEnum):
    """What an agent's death or leaving does to the others."""

    IGNORE = "ignore"
    FAIL = "fail"
    SHRINK = "shrink"


class Ending(StrEnum):
    """How a wait ends."""

    RELEASED = "released"
    LATE = "late"
    ABORTED = "aborted"
    BROKEN = "broken"
    TIMED_OUT = "timed_out"
    LEFT = "left"
    LOST = "lost"


class Cause(StrEnum):
    """Why an arrival is taken back."""

    LEFT = "left"
    TIMED_OUT = "timed_out"
    GONE = "gone"
    FORGOTTEN = "forgotten"  # nobody waits with it any more; no policy applies


class State(StrEnum):
    """How a checkpoint stands; the last three only answer an arrival or say who left."""

    UNKNOWN = "unknown"
    OPEN = "open"
    RELEASED = "released"
    BROKEN = "broken"
    ABORTED = "aborted"
    LATE = "late"
    MISMATCH = "mismatch"
    LEFT = "left"


OVER = frozenset({State.RELEASED, State.BROKEN, State.ABORTED})


class Place(NamedTuple):
    """A checkpoint: a name in a run."""

    run: str
    name: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What the first arrival sets for everybody."""

    target: int
    policy: Policy = Policy.IGNORE
    cyclic: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """One worker reaching a checkpoint; `session` is its own for each attempt.

    A lenient one (plain TestSync) takes the terms that it finds, and its own only when it
    is the first; with a target of 0 or less it releases at once.
    """

    run: str
    name: str
    worker: str
    terms: Terms
    session: str
    generation: int | None = None
    timeout: timedelta | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How a wait ended; one object is shared by all who are told of one ending."""

    run: str
    name: str
    ending: Ending
    generation: int
    target: int
    arrived: int
    start_at: int | None = None  # unix ms
    reason: str | None = None
    broken_by: tuple[str, ...] = ()

    @property
    def start_in_ms(self) -> int | None:
        """How long to wait after hearing of a release; it needs no clock that is set."""
        return None if self.start_at is None else LEAD_MS


@dataclass(frozen=True, slots=True)
class Standing:
    """A checkpoint as its store sees it; `asked` is the target before it shrank."""

    state: State
    generation: int
    target: int = 0
    asked: int = 0
    arrived: int = 0
    start_at: int | None = None
    policy: Policy = Policy.IGNORE
    cyclic: bool = False
    broken_by: tuple[str, ...] = ()
    reason: str = ""  # of a broken one the cause, of those who left the batches they came with

    @classmethod
    def read(cls, text: str) -> "Standing":
        """Read what a script announces or answers."""
        state, generation, target, asked, arrived, start_at, policy, cyclic, by, reason = (
            text.split(SEPARATOR, 9)
        )
        return cls(
            state=State(state),
            generation=int(generation),
            target=int(target),
            asked=int(asked),
            arrived=int(arrived),
            start_at=int(start_at) if start_at else None,
            policy=Policy(policy),
            cyclic=cyclic == "1",
            broken_by=tuple(by.split(LINE)) if by else (),
            reason=reason,
        )

    def fields(self) -> tuple[str, ...]:
        """Give what a script keeps, in the order of `read`."""
        return (
            self.state.value,
            str(self.generation),
            str(self.target),
            str(self.asked),
            str(self.arrived),
            "" if self.start_at is None else str(self.start_at),
            self.policy.value,
            "1" if self.cyclic else "0",
            LINE.join(self.broken_by),
            self.reason,
        )

    def named(self, state: State) -> "Standing":
        """Give what an arrival is told that this state answers."""
        return replace(self, state=state, start_at=None)

    def text(self) -> str:
        return SEPARATOR.join(self.fields())


@dataclass(frozen=True, slots=True)
class Status:
    """A checkpoint as people see it; `since` is in unix ms."""

    standing: Standing
    arrived: tuple[tuple[str, int], ...]
    anonymous: int
    missing: tuple[str, ...]
    missing_count: int
    reason: str | None


def check(arrival: Arrival) -> None:
    """Raises Rejected that names the field which cannot be."""
    check_name("run", arrival.run)
    check_name("worker", arrival.worker)
    if arrival.lenient:
        check_identifier(arrival.name)
        return
    check_name("name", arrival.name)
    target = arrival.terms.target
    if not 1 <= target <= LARGEST_TARGET:
        raise Rejected(f"target: expected 1 to {LARGEST_TARGET}, found {target}")
    check_waiting(arrival)


def check_waiting(arrival: Arrival) -> None:
    """Raises Rejected for a generation or a timeout that cannot be."""
    if arrival.generation is not None and arrival.generation < 1:
        raise Rejected(f"generation: expected 1 or more, found {arrival.generation}")
    if arrival.timeout is not None and arrival.timeout <= timedelta(0):
        raise Rejected(f"timeout: expected more than 0 s, found {seconds(arrival.timeout)}")


def check_identifier(name: str) -> None:
    """Raises Rejected; plain TestSync takes any text, also an empty one."""
    if len(name) > LONGEST_IDENTIFIER:
        raise Rejected(
            f"identifier: expected at most {LONGEST_IDENTIFIER} characters, found {len(name)}"
        )
    if SEPARATOR in name:
        raise Rejected("identifier: expected text without the character U+0000, found one")


def check_reason(reason: str) -> str:
    """Give back why a checkpoint is aborted. Raises Rejected."""
    if not reason.strip():
        raise Rejected("reason: expected a text, found an empty one")
    if len(reason) > LONGEST_REASON:
        raise Rejected(f"reason: expected at most {LONGEST_REASON} characters, found {len(reason)}")
    if SEPARATOR in reason:
        raise Rejected("reason: expected text without the character U+0000, found one")
    return reason


def seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
