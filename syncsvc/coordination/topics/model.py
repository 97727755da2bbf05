"""A topic keeps what is published in order: each entry has an offset, 1, 2, 3 and so on.

Offsets go on when old entries are dropped, so a reader sees by `oldest` what it missed. A
reader that has read more than there ever was knows a topic that was lost: it begins again.
"""

from dataclasses import dataclass
from datetime import datetime

from syncsvc.errors import TooLarge

LARGEST_PAYLOAD = 256 * 1024  # bytes of JSON
LARGEST_READ = 1024 * 1024  # bytes that one read gives, if not the first entry alone is more
MOST_ENTRIES = 10_000  # kept in one topic


@dataclass(frozen=True, slots=True)
class Published:
    """An entry of a topic."""

    offset: int
    payload: str  # JSON
    at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is in a topic of a run: it has read up to `after`."""

    run: str
    name: str
    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read gives; `oldest` is the smallest offset that is kept, or the next one."""

    entries: tuple[Published, ...]
    oldest: int


def check_size(payload: str) -> None:
    """Raises TooLarge."""
    size = len(payload.encode())
    if size > LARGEST_PAYLOAD:
        raise TooLarge(f"payload: expected at most {LARGEST_PAYLOAD} bytes of JSON, found {size}")
