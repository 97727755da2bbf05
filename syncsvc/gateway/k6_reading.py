"""How the API reads what is asked about load tests; what is wrong is refused with its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request

from syncsvc.durations import parse_duration
from syncsvc.errors import Rejected
from syncsvc.gateway.reading import limit, one_of
from syncsvc.loadtests.model import Status
from syncsvc.loadtests.names import check_text
from syncsvc.loadtests.ports import Which
from syncsvc.loadtests.seen import Role
from syncsvc.loadtests.showing import WhichLines, WhichLogs
from syncsvc.patterns import Pattern

TRUE, FALSE = ("true", "1", ""), ("false", "0")
STATUSES = tuple(status for status in Status if status is not Status.DELETED)
LINES = "application/x-ndjson"

Word = TypeVar("Word", bound=StrEnum)
Query = Mapping[str, str]


@dataclass(frozen=True)
class WhichText:
    """Which lines of which containers to give, and how."""

    logs: WhichLogs
    lines: WhichLines
    grep: Pattern | None
    raw: bool
    follow: bool
    as_json: bool

    @property
    def is_of_one(self) -> bool:
        """Whether no more than one container can be meant."""
        return None not in (self.logs.container, self.logs.runner)


def which_tests(request: Request) -> Which:
    """Read which load tests to list. Raises Rejected."""
    query = request.query_params
    return Which(
        status=_word(query, "status", STATUSES),
        cluster=text(query, "cluster"),
        namespace=text(query, "namespace"),
        text=text(query, "text"),
        limit=limit(request),
        before=_id(query, "before"),
    )


def which_text(request: Request, now: datetime) -> WhichText:
    """Read which part of a step's logs to give. Raises Rejected."""
    query, raw = request.query_params, flag(request.query_params, "raw")
    grep = query.get("grep")
    runner = query.get("runner")
    return WhichText(
        WhichLogs(
            text(query, "container"),
            _word(query, "role", tuple(Role)),
            None if runner is None else _number("runner", runner),
        ),
        WhichLines(_since(query, now), None, raw or flag(query, "progress")),
        grep=None if grep is None else Pattern("grep", grep),
        raw=raw,
        follow=flag(query, "follow"),
        as_json=LINES in request.headers.get("accept", ""),
    )


def text(query: Query, field: str) -> str | None:
    """Raises Rejected for one that is empty, too long or not to be printed."""
    found = query.get(field)
    if found is not None:
        check_text(field, found)
    return found


def required(query: Query, field: str) -> str:
    """Raises Rejected."""
    found = text(query, field)
    if found is None:
        raise Rejected(f"{field}: expected the id or the name of a load test, found none")
    return found


def in_path(request: Request, field: str) -> str:
    """Give an id or a name that is part of the path. Raises Rejected."""
    found: str = request.path_params[field]
    check_text(field, found)
    return found


def flag(query: Query, field: str) -> bool:
    """Raises Rejected."""
    return one_of(field, query.get(field, "false").lower(), (*TRUE, *FALSE)) in TRUE


def _word(query: Query, field: str, known: tuple[Word, ...]) -> Word | None:
    found = query.get(field)
    if found is None:
        return None
    return known[known.index(one_of(field, found, known))]


def _number(field: str, word: str) -> int:
    if re.fullmatch("[0-9]{1,9}", word) is None:
        raise Rejected(f"{field}: expected a number from 1, found {word[:40]!r}")
    return int(word)


def _id(query: Query, field: str) -> str | None:
    found = query.get(field)
    if found is None or re.fullmatch("[0-9a-f]{1,32}", found):
        return found
    raise Rejected(f"{field}: expected the id of a load test, found {found[:80]!r}")


def _since(query: Query, now: datetime) -> datetime | None:
    """Read a moment (UTC unless it says otherwise), or how long ago."""
    word = query.get("since")
    if word is None:
        return None
    word = word.replace(" ", "+") if "T" in word else word  # how a query spells a plus
    try:
        found = datetime.fromisoformat(word)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return _ago(word, now)


def _ago(word: str, now: datetime) -> datetime:
    """A number alone would be seconds, which nobody means here."""
    try:
        span = parse_duration(word) if word[-1:].isalpha() else None
        if isinstance(span, timedelta):
            return now - span
    except (ValueError, OverflowError):
        pass
    raise Rejected(
        "since: expected a moment such as 2026-11-01T10:00:00Z or a span such as 10m, "
        f"found {word[:80]!r}"
    )
