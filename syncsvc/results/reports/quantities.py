"""Times as reports write them."""

from datetime import UTC, datetime, timedelta
from math import isfinite

from syncsvc.results.pushed.model import LONGEST_DURATION

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_YEAR, LATEST_YEAR = 2000, 9000  # a clock that says something else was not set


def milliseconds(seconds: str) -> int:
    """Read seconds with a dot or a comma, and with thousands separators.

    A single comma is the decimal one. Raises ValueError for what is no duration.
    """
    try:
        number = float(seconds)
    except ValueError:
        number = float(_plain(seconds))
    return bounded(number * 1000)


def bounded(duration: float) -> int:
    """Round milliseconds; raises ValueError for what no test may last."""
    if not isfinite(duration) or not 0 <= duration <= LONGEST_DURATION:
        raise ValueError(duration)
    return round(duration)


def instant(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is local time. Raises ValueError."""
    try:
        value = datetime.fromisoformat(text.strip())
        if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
            raise ValueError(text)
        return value if value.tzinfo else value.astimezone()
    except (OverflowError, OSError) as error:
        raise ValueError(text) from error


def since_epoch(value: float) -> datetime:
    """Read milliseconds since 1970; raises ValueError."""
    try:
        moment = EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError) as error:
        raise ValueError(value) from error
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(value)
    return moment


def _plain(number: str) -> str:
    number = "".join(number.split()).replace("'", "")
    comma, dot = number.rfind(","), number.rfind(".")
    if comma < 0:
        return number.replace(".", "") if number.count(".") > 1 else number
    if comma > dot and number.count(",") == 1:
        return number.replace(".", "").replace(",", ".")
    return number.replace(",", "")
