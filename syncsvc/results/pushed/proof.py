"""Whether a posted entry is in Test IT: proof instead of hope.

A result is an entry's when it is the only one that nobody else explains and what Test IT's
search shows of it agrees; where that leaves a doubt, the mark decides that each post of ours
carries. A result without our mark is never taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.results.held.model import StatusType
from syncsvc.results.pushed.model import TYPES, Entry, Result
from syncsvc.results.pushed.ports import Shown

SAME_START = timedelta(seconds=1)  # servers cut fractions of a second


@dataclass(frozen=True, slots=True)
class Proof:
    """What the results that Test IT shows say about an entry.

    `found` is certainly its own. Without it, one of `doubtful` is its own if it has its mark;
    with neither, Test IT does not have it.
    """

    found: Shown | None = None
    doubtful: Sequence[Shown] = ()


def prove(
    entry: Entry, configuration_id: str, unexplained: Sequence[Shown], *, contested: bool
) -> Proof:
    """Look for an entry among the results that no other entry explains.

    `contested`: another entry of this test was posted too and may be the owner.
    """
    candidates = [
        shown
        for shown in unexplained
        if shown.external_id == entry.result.external_id
        and shown.configuration_id.lower() == configuration_id.lower()
    ]
    if len(candidates) == 1 and not contested and agrees(entry.result, candidates[0]):
        return Proof(found=candidates[0])
    likely_first = sorted(candidates, key=lambda shown: not agrees(entry.result, shown))
    return Proof(doubtful=likely_first)


def agrees(result: Result, shown: Shown) -> bool:
    """Tell whether all that is known of both is equal, and something beside the status is."""
    types = (TYPES[result.status], StatusType.IN_PROGRESS)  # it may have been posted provisional
    told = [
        same
        for same in (
            _same_duration(result.duration_ms, shown.duration_ms),
            _same_start(result.started_at, shown.started_at),
        )
        if same is not None
    ]
    return shown.status_type in types and bool(told) and all(told)


def _same_duration(ours: int | None, theirs: int | None) -> bool | None:
    return None if ours is None or theirs is None else ours == theirs


def _same_start(ours: datetime | None, theirs: datetime | None) -> bool | None:
    return None if ours is None or theirs is None else abs(ours - theirs) < SAME_START
