"""How a wait ends, in words that name who is missing and what does not fit."""

from collections.abc import Sequence
from datetime import timedelta

from syncsvc.coordination.checkpoints.model import (
    Cause,
    Ending,
    Outcome,
    Place,
    Standing,
    State,
    Terms,
    seconds,
)
from syncsvc.errors import Conflict, SyncsvcError

NAMED_AT_MOST = 10  # in one sentence; a list beside it has them all


def mismatch(found: Standing, terms: Terms, generation: int | None) -> SyncsvcError:
    """Say what does not fit an open checkpoint."""
    if found.state is State.MISMATCH and generation is not None and generation > found.generation:
        return Conflict(f"generation: expected {found.generation} at most, found {generation}")
    pairs = (
        ("cyclic", str(found.cyclic).lower(), str(terms.cyclic).lower()),
        ("target", found.asked, terms.target),
        ("policy", found.policy.value, terms.policy.value),
    )
    field, expected, asked = next(pair for pair in pairs if pair[1] != pair[2])
    return Conflict(f"{field}: expected {expected} as the first arrival set it, found {asked}")


def outcome(place: Place, found: Standing) -> Outcome:
    """Give what those are told who arrived at a checkpoint that stands so."""
    return Outcome(
        run=place.run,
        name=place.name,
        ending=Ending(found.state.value),
        generation=found.generation,
        target=found.target,
        arrived=found.arrived,
        start_at=found.start_at,
        reason=reason(place, found),
        broken_by=found.broken_by,
    )


_CAUSES = {
    Cause.LEFT.value: "left",
    Cause.TIMED_OUT.value: "timed out",
    Cause.GONE.value: "died",
}


def reason(place: Place, found: Standing) -> str | None:
    """Say why a checkpoint is broken or aborted."""
    if found.state is not State.BROKEN:
        return found.reason or None
    why = _CAUSES.get(found.reason, found.reason)
    return f"checkpoint {place.name!r} is broken: {some(found.broken_by)} {why}"


def timed_out(place: Place, found: Standing, waited: timedelta, missing: Sequence[str]) -> Outcome:
    """Give what the one is told who waited long enough."""
    short = max(found.target - found.arrived, 0)
    named = some(missing[:short]) if missing else ""
    more = short - min(len(missing), short)
    parts = [part for part in (named, f"{more} more" if more else "") if part]
    text = (
        f"checkpoint {place.name!r} timed out after {seconds(waited)}:"
        f" {found.arrived} of {found.target} arrived; missing: {', '.join(parts) or 'nobody'}"
    )
    return ended(place, Ending.TIMED_OUT, found, text)


def ended(place: Place, ending: Ending, found: Standing, why: str) -> Outcome:
    """Give an ending that is not the checkpoint's own."""
    return Outcome(
        place.run, place.name, ending, found.generation, found.target, found.arrived, None, why
    )


def some(names: Sequence[str]) -> str:
    """Name the first of many."""
    more = len(names) - NAMED_AT_MOST
    listed = ", ".join(names[:NAMED_AT_MOST])
    return f"{listed} and {more} more" if more > 0 else listed
