"""Lines of a container's log, as `timestamps=true` gives them: a moment, a space, the text."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

BILLION = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STAMP = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?: |(?=\r?\n)|$)"
)


def split(log: bytes) -> list[bytes]:
    """Cut a log after each newline, and nowhere else; only the last line may lack one."""
    lines = [line + b"\n" for line in log.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def parted(line: bytes) -> tuple[int | None, bytes]:
    """Part a line's moment, in nanoseconds since 1970, from its text; None: it has no moment."""
    found = _STAMP.match(line)
    moment = _nanoseconds(*found.groups()) if found else None
    if found is None or moment is None:
        return None, line
    return moment, line[found.end() :]


def _nanoseconds(second: bytes, fraction: bytes | None, zone: bytes) -> int | None:
    whole = _seconds(second + zone)
    return None if whole is None else whole * BILLION + int((fraction or b"").ljust(9, b"0"))


@lru_cache(maxsize=4096)  # many lines are of one second
def _seconds(moment: bytes) -> int | None:
    try:
        return (datetime.fromisoformat(moment.decode()) - EPOCH) // timedelta(seconds=1)
    except ValueError:
        return None


def nanoseconds_of(moment: datetime) -> int:
    """Give a moment as lines have it: in nanoseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def second_of(nanoseconds: int) -> datetime:
    """Give the second that a moment is in."""
    return EPOCH + timedelta(seconds=nanoseconds // BILLION)
