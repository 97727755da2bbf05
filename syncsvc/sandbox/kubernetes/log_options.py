"""Which part of a log a call wants, refused in the server's words where it makes no sense."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.sandbox.kubernetes.asked import Asked
from syncsvc.sandbox.kubernetes.logs import SECOND, Log, nanoseconds
from syncsvc.sandbox.kubernetes.status import Cause, bad_request, invalid

_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
_LAYOUT = "2006-01-02T15:04:05Z07:00"


@dataclass(frozen=True, slots=True)
class Options:
    container: str | None
    follow: bool
    previous: bool
    timestamps: bool
    since: int | None  # nanoseconds since 1970
    tail: int | None
    limit: int | None

    def first_of(self, log: Log) -> int:
        first = log.from_second(self.since)
        return first if self.tail is None else max(first, len(log.lines) - self.tail)


def options(asked: Asked, now: datetime) -> Options:
    """Read the options of a call. Raises Failure."""
    tail, limit = asked.number("tailLines"), asked.number("limitBytes")
    seconds, moment = asked.number("sinceSeconds"), _moment(asked.query.get("sinceTime", ""))
    causes = list(_wrong(tail, limit, seconds, both=seconds is not None and moment is not None))
    if causes:
        raise invalid("PodLogOptions", "", asked.name or "", causes)
    if seconds is not None:
        moment = now - timedelta(seconds=seconds)
    since = None if moment is None else nanoseconds(moment)
    if since is not None and seconds is None:
        since -= since % SECOND  # the fraction is lost between API server and kubelet
    return Options(
        asked.query.get("container") or None,
        asked.flag("follow"),
        asked.flag("previous"),
        asked.flag("timestamps"),
        since,
        tail,
        limit,
    )


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    if not _RFC3339.match(text):
        raise bad_request(f'parsing time "{text}" as "{_LAYOUT}": cannot parse "{text}" as "2006"')
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f'parsing time "{text}": out of range') from error


def _wrong(
    tail: int | None, limit: int | None, seconds: int | None, *, both: bool
) -> Iterator[Cause]:
    if tail is not None and tail < 0:
        yield _too_low("tailLines", tail, "greater than or equal to 0")
    if limit is not None and limit < 1:
        yield _too_low("limitBytes", limit, "greater than 0")
    if both:
        text = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        yield "FieldValueForbidden", text, "[]"
    elif seconds is not None and seconds < 1:
        yield _too_low("sinceSeconds", seconds, "greater than 0")


def _too_low(field: str, found: int, expected: str) -> Cause:
    return "FieldValueInvalid", f"Invalid value: {found}: must be {expected}", field
