"""A worker is present until it leaves, or its time passes without a beat.

The version of who is there grows with everyone who comes, changes what it says about itself,
leaves, or is missed, so whoever knows a version can wait for the next change.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.errors import TooLarge, Unknown

LARGEST_ABOUT = 4 * 1024  # bytes of JSON


@dataclass(frozen=True, slots=True)
class Arriving:
    """A worker that comes, for how long one beat lasts, and what it says about itself."""

    worker: str
    lasts: timedelta
    about: str = "null"  # JSON


@dataclass(frozen=True, slots=True)
class Present:
    """A worker that is there."""

    worker: str
    since: datetime
    about: str  # JSON


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who is there at a version, by name; `changes_in`: when the first is missed without a beat."""

    version: int
    workers: tuple[Present, ...]
    changes_in: timedelta | None = None


def absent(worker: str) -> Unknown:
    return Unknown(f"worker: expected one that is present, found {worker[:80]!r}; join first")


def check_size(about: str) -> None:
    """Raises TooLarge."""
    size = len(about.encode())
    if size > LARGEST_ABOUT:
        raise TooLarge(f"about: expected at most {LARGEST_ABOUT} bytes of JSON, found {size}")
