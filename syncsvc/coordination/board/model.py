"""The blackboard keeps what workers leave for each other, each entry with a version.

Versions of a run only grow, also over entries that were deleted or ended by themselves, so
whoever knows a version can tell every later state from it, and change an entry only if nobody
else did.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from syncsvc.coordination.names import check_name
from syncsvc.coordination.once import Once
from syncsvc.errors import Conflict, Rejected, SyncsvcError, TooLarge, Unknown

LARGEST_VALUE = 1024 * 1024  # bytes of JSON
MOST_ENTRIES = 10_000  # of one run
LEASES = ("leader", "lock")


@dataclass(frozen=True, slots=True)
class Fence:
    """A write is good only while nobody was granted this lease after `token`."""

    kind: str
    name: str
    token: int

    @classmethod
    def of(cls, lease: str, token: int) -> "Fence":
        """Read `leader/NAME` or `lock/NAME`. Raises Rejected when it is neither."""
        kind, slash, name = lease.partition("/")
        if not slash or kind not in LEASES:
            raise Rejected(f"fence.lease: expected leader/NAME or lock/NAME, found {lease[:80]!r}")
        return cls(kind, check_name("fence.lease", name), token)


@dataclass(frozen=True, slots=True)
class Change:
    """A wish to change one entry: to put a value there, or, without one, to delete it."""

    name: str
    value: str | None  # JSON
    once: Once
    worker: str | None = None
    if_version: int | None = None
    lasts: timedelta | None = None
    fence: Fence | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a name; without a value its entry was deleted, or never was (version 0)."""

    version: int
    value: str | None = None  # JSON
    worker: str | None = None
    ends_in: timedelta | None = None  # when it changes by itself, if nobody touches it

    @property
    def was_deleted(self) -> bool:
        return self.value is None and self.version > 0


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry in a list, which leaves its value out."""

    name: str
    version: int
    worker: str | None


class Outcome(StrEnum):
    """What became of a change; the number with it says more."""

    DONE = "done"  # the new version
    OTHER_VERSION = "version"  # the version that is there
    FENCED = "fence"  # the newest token that was granted
    FULL = "full"  # how many entries there are
    ABSENT = "absent"


def refusal(change: Change, outcome: Outcome, number: int) -> SyncsvcError | None:
    """Say why a change was refused; None when it was done."""
    if outcome is Outcome.OTHER_VERSION:
        return Conflict(f"if_version: expected {change.if_version}, found {number}")
    if outcome is Outcome.FENCED:
        return _fenced(change.fence, number)
    if outcome is Outcome.FULL:
        return Conflict(
            f"name: a run has at most {number} entries; delete some, or let them end by ttl_seconds"
        )
    if outcome is Outcome.ABSENT:
        return unknown(change.name)
    return None


def unknown(name: str) -> Unknown:
    return Unknown(f"name: expected one that has an entry, found {name[:80]!r}")


def check_size(value: str) -> None:
    """Raises TooLarge."""
    size = len(value.encode())
    if size > LARGEST_VALUE:
        raise TooLarge(f"value: expected at most {LARGEST_VALUE} bytes of JSON, found {size}")


def _fenced(fence: Fence | None, newest: int) -> Conflict:
    token = fence.token if fence else 0
    if newest == 0:
        return Conflict(f"fence.token: found {token}, but that lease was never granted here")
    return Conflict(f"fence.token: expected {newest}, the newest granted, found {token}")
