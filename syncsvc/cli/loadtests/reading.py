"""Reads what the options of load tests say. All raise Rejected: the option, expected, found."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from syncsvc.cli.syncing import reading
from syncsvc.errors import Rejected
from syncsvc.loadtests.jobs import LONGEST, SHORTEST
from syncsvc.loadtests.model import Status
from syncsvc.loadtests.names import check_text
from syncsvc.loadtests.registering import WishedStep
from syncsvc.loadtests.seen import Role
from syncsvc.patterns import Pattern

ROLES = {str(role): role for role in Role}
STATUSES = {str(status): status for status in Status if status is not Status.DELETED}


def wished_steps(
    texts: Sequence[str], namespace: str | None, cluster: str | None
) -> Sequence[WishedStep]:
    """Read `testrun` or `step=testrun` each."""
    found = []
    for text in texts:
        name, parted, test_run = text.rpartition("=")
        found.append(WishedStep(test_run, name if parted else None, namespace, cluster))
    return found


def labels(texts: Sequence[str]) -> Mapping[str, str]:
    """Read `key=value` each."""
    found: dict[str, str] = {}
    for text in texts:
        key, parted, value = text.partition("=")
        if not parted or key in found:
            what = "each key once" if parted else "key=value"
            raise Rejected(f"--label: expected {what}, found {text[:80]!r}")
        found[key] = value
    return found


def status(text: str | None) -> Status | None:
    """Read a status, in capitals or not."""
    if text is None or text.upper() in STATUSES:
        return None if text is None else STATUSES[text.upper()]
    raise Rejected(f"--status: expected one of {', '.join(STATUSES)}, found {text[:80]!r}")


def checked_texts(texts: Mapping[str, str | None]) -> None:
    """Refuse what no name can have in it; texts are given by their options."""
    for option, text in texts.items():
        if text is not None:
            check_text(option, text)


def role(text: str | None) -> Role | None:
    if text is None or text in ROLES:
        return None if text is None else ROLES[text]
    raise Rejected(f"--role: expected one of {', '.join(ROLES)}, found {text[:80]!r}")


def pattern(text: str | None) -> Pattern | None:
    return None if text is None else Pattern("--grep", text)


def since(text: str | None, now: datetime) -> datetime | None:
    """Read a moment (UTC unless it says otherwise), or how long ago."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return _ago(text, now)


def raw(*, raw: bool, as_json: bool) -> bool:
    """Say whether bytes are wanted as they are. Raises Rejected beside --json."""
    if raw and as_json:
        raise Rejected("--raw: expected without --json, found both")
    return raw


def timeout(text: str | None, *, wait: bool) -> timedelta | None:
    """Read the longest wait; None has no end. Raises Rejected where nobody waits."""
    if text is not None and not wait:
        raise Rejected(f"--timeout: expected with --wait only, found {text[:80]!r} without it")
    return None if text is None else reading.span("--timeout", text)


def interval(text: str | None) -> timedelta | None:
    """Read whole seconds; the sync job says which are too few or too many."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", text):
        return timedelta(seconds=int(text))
    raise Rejected(
        f"--interval: expected a whole number from {SHORTEST.seconds} to {LONGEST.seconds} "
        f"(seconds), found {text[:80]!r}"
    )


def _ago(text: str, now: datetime) -> datetime:
    """A number alone would be seconds, which nobody means here."""
    try:
        return now - reading.span("--since", text if text[-1:].isalpha() else "")
    except (Rejected, OverflowError):
        raise Rejected(
            "--since: expected a moment such as 2026-11-01T10:00, or a span such as 10m, "
            f"found {text[:80]!r}"
        ) from None
