"""When beat starts syncs: each customer once in a period, all of them spread evenly over it."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # whoever computes a moment finds the same


def latest_slot(index: int, count: int, every: timedelta, now: datetime) -> datetime:
    """Give the last moment, now or before, at which one of so many customers was due.

    Only this one is ever caught up on: those that were missed before it are left out.
    """
    first = EPOCH + every * index / count
    return first + (now - first) // every * every
