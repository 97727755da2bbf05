"""A lease is permits of a name, held until an instant; nobody who waits is overtaken.

What falls free is offered to the next in line: an offer is a grant that lapses after a moment
unless a call of that worker claims it, by looking again.

A name has a limit: a lock and a leader have one permit, a semaphore as many as it says, and of
a read-write lock a reader takes one and a writer all. Each grant has a fencing token that is
larger than every one before it.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from syncsvc.coordination.names import LINE, check_name, subject

KIND = "lease"  # of its announcements
ALL = 1_000_000  # permits of a read-write lock: what a writer takes
ALIVE = timedelta(seconds=6)  # a place in the queue is kept so long unless its owner looks again
OFFER = timedelta(seconds=0.75)  # one that waits must claim what it is granted so soon
CALLS = 16  # of one worker that are noted beside a lease; a call more never takes it back
SHOWN = 100  # holders that a view has at most
SHORTEST, LONGEST = timedelta(seconds=0.5), timedelta(hours=1)  # of what a worker may ask for


class LeaseKind(StrEnum):
    LOCK = "lock"
    RWLOCK = "rwlock"
    SEMAPHORE = "semaphore"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class Lease:
    """What is held: its kind is part of it, so a lock and a leader may share a name."""

    run: str
    kind: LeaseKind
    name: str

    @classmethod
    def of(cls, run: str, kind: LeaseKind, name: str) -> "Lease":
        """Raises Rejected when a name cannot be."""
        return cls(check_name("run", run), kind, check_name("name", name))

    @property
    def subject(self) -> str:
        """What those are told by who observe a leader."""
        return subject(KIND, self.run, self.kind, self.name)

    def subject_of(self, worker: str) -> str:
        """What one that waits is told by."""
        return self.subject + LINE + worker


@dataclass(frozen=True, slots=True)
class Wish:
    """How many permits of how many a worker wants, and for how long at a time.

    The ticket is that of one call; a call takes back only what no other call knows of. A gateway
    that does not claim what is offered to one of its workers loses the places of all.
    """

    worker: str
    ttl: timedelta
    weight: int = 1
    limit: int = 1
    ticket: str = ""
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    worker: str
    weight: int
    token: int
    ends_in: timedelta


@dataclass(frozen=True, slots=True)
class View:
    """A lease as it was a moment ago, and how the worker that asked stands to it."""

    limit: int
    used: int
    waiters: int
    holders: tuple[Holder, ...]  # those whose leases end first, `SHOWN` at most
    mine: Holder | None = None
    place: int | None = None  # in the queue, from 1
    bound: int = 0  # permits that it holds or waits for

    @property
    def leader(self) -> Holder | None:
        return self.holders[0] if self.holders else None

    @property
    def changes_in(self) -> timedelta | None:
        """When the next lease ends, if it is not renewed."""
        return self.holders[0].ends_in if self.holders else None


class Outcome(StrEnum):
    DONE = "done"
    OTHER_LIMIT = "limit"
    OTHER_WEIGHT = "weight"
    LOST = "lost"  # the lease is not the worker's any more
    ABSENT = "absent"  # the heir does not wait


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    view: View


def held_by(lease: Lease, view: View) -> str:
    """Say who holds a lease now."""
    names = ", ".join(repr(holder.worker) for holder in view.holders[:5])
    more = ", ..." if len(view.holders) > 5 else ""
    return f"{lease.kind} {lease.name!r} is held by {names or 'nobody'}{more}"


def other_terms(lease: Lease, wish: Wish, answer: Answer) -> str:
    """Say which term of a wish differs from what is known, what was found and expected."""
    view = answer.view
    if answer.outcome is Outcome.OTHER_LIMIT:
        return f"limit: expected {view.limit}, as others use {lease.name!r}, found {wish.limit}"
    field, known, found = "permits", str(view.bound), str(wish.weight)
    if lease.kind is LeaseKind.RWLOCK:
        field, known, found = "mode", mode(view.bound), mode(wish.weight)
    return f"{field}: expected {known}, as {wish.worker!r} holds or waits for it, found {found}"


def mode(weight: int) -> Literal["read", "write"]:
    return "write" if weight == ALL else "read"
