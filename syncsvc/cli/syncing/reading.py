"""Reads what the options of a sync say. All raise Rejected: the option, expected, found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from syncsvc.catalogue.model import (
    Barrier,
    EntityType,
    IfRunning,
    RunStatus,
    SyncOptions,
    SyncPhase,
    SyncScope,
    Trigger,
)
from syncsvc.catalogue.request import Progress, Request
from syncsvc.durations import parse_duration
from syncsvc.errors import Rejected

PHASES = {str(phase): phase for phase in SyncPhase}
KINDS = {str(kind): kind for kind in EntityType}
BARRIERS = {str(barrier): barrier for barrier in Barrier}
POLICIES = {str(policy): policy for policy in IfRunning}
STATUSES = {str(status): status for status in RunStatus}
LARGEST_ID = 2**63 - 1

Word = TypeVar("Word")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    customer: str | None
    phases: list[SyncPhase] | None
    scope: SyncScope
    options: SyncOptions
    barrier: Barrier
    if_running: IfRunning
    patience: timedelta
    as_json: bool

    def request(self, customer: str, progress: Progress | None = None) -> Request:
        return Request(
            customer=customer,
            trigger=Trigger.CLI,
            barrier=self.barrier,
            if_running=self.if_running,
            patience=self.patience,
            progress=progress,
        )


def scope(product_ids: str | None, since: str | None, entity_types: str | None) -> SyncScope:
    """Read how much is meant."""
    kinds = words("--entity-types", entity_types, KINDS)
    return SyncScope(
        None if product_ids is None else tuple(_number(each) for each in product_ids.split(",")),
        None if since is None else _moment(since),
        None if kinds is None else tuple(kinds),
    )


def options(
    *, force: bool, incremental_only: bool, nuke: bool, allow_vanishing: bool
) -> SyncOptions:
    """Read what is to be done otherwise; what excludes each other is refused before any question.

    The service refuses it too, for whoever asks it.
    """
    if incremental_only and (nuke or force):
        other = "--nuke" if nuke else "--force"
        raise Rejected(f"{other}: expected without --incremental-only, found both")
    return SyncOptions(force, incremental_only, nuke, allow_vanishing)


def refuse(*, wait: bool, confirm: str | None) -> None:
    """Refuse what a rehearsal has no use for: it may be a mistake."""
    for option, is_said in (("--no-wait", not wait), ("--confirm", confirm is not None)):
        if is_said:
            raise Rejected(f"{option}: expected without --dry-run, found both")


def words(option: str, text: str | None, known: Mapping[str, Word]) -> list[Word] | None:
    """Read words with commas between; None for none."""
    if text is None:
        return None
    return [word(option, each.strip(), known) for each in text.split(",")]


def word(option: str, text: str, known: Mapping[str, Word]) -> Word:
    if text not in known:
        raise Rejected(f"{option}: expected one of {', '.join(known)}, found {text[:80]!r}")
    return known[text]


def span(option: str, text: str) -> timedelta:
    """Read a duration as settings are read."""
    try:
        found = parse_duration(text)
    except (ValueError, OverflowError):
        raise Rejected(
            f"{option}: expected a duration such as 90, 1.5s, 10m or 2h, found {text[:80]!r}"
        ) from None
    assert isinstance(found, timedelta)
    return found


def run_id(option: str, text: str | None) -> str | None:
    """Read a run's id, or the beginning of one."""
    if text is None or re.fullmatch(r"[0-9a-f]{1,32}", text.lower()):
        return None if text is None else text.lower()
    raise Rejected(
        f"{option}: expected the id of a sync, or how it begins, as 'sync history' shows it, "
        f"found {text[:80]!r}"
    )


def _number(text: str) -> int:
    word = text.strip()
    if re.fullmatch(r"[0-9]{1,19}", word) and 0 < int(word) <= LARGEST_ID:
        return int(word)
    raise Rejected(
        f"--product-ids: expected positive numbers with commas between, found {text[:80]!r}"
    )


def _moment(text: str) -> datetime:
    """Read a date, a moment (UTC unless it says otherwise), or how long ago."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return _ago(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _ago(text: str) -> datetime:
    """A number alone would be seconds, which nobody means here."""
    try:
        return datetime.now(UTC) - span("--since", text if text[-1:].isalpha() else "")
    except (Rejected, OverflowError):
        raise Rejected(
            "--since: expected a date such as 2026-11-01, a moment, or a span such as 30d, "
            f"found {text[:80]!r}"
        ) from None
