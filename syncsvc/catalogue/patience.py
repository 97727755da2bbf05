"""When a place that could not be read is tried again: ever later, but at least once a day."""

from datetime import datetime, timedelta

FIRST, LONGEST = timedelta(minutes=30), timedelta(days=1)


def next_try(attempts: int, now: datetime) -> datetime:
    """Say when, after so many tries that found it unreadable."""
    doublings = min(max(attempts - 1, 0), 10)
    wait: timedelta = min(FIRST * 2**doublings, LONGEST)
    return now + wait
