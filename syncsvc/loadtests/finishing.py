"""How much of a step's logs is kept, by what is kept of each."""

from collections.abc import Sequence
from dataclasses import replace

from syncsvc.loadtests.choosing import SETTLED
from syncsvc.loadtests.model import LogsState, Phase, Step
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.seen import Role

NOTHING_SEEN = "no container of it was seen before its pods were gone"
UNREAD = "its pod was gone before its log was read"
UNSEEN = "whether it ran was not seen before all was gone"


def with_logs(step: Step, logs: Sequence[KeptLog], *, is_read: bool) -> Step:
    """Tell of a step's logs; `is_read`: nothing that is there is still to be read.

    They are complete, or lost, for ever: so only once the step is over and each log is either.
    """
    is_settled = step.is_over and is_read and all(log.state in SETTLED for log in logs)
    detail = _lost(step, logs, is_settled=is_settled)
    if is_settled:
        state = LogsState.LOST if detail else LogsState.COMPLETE
    else:
        state = LogsState.PARTIAL if any(log.cursor.lines for log in logs) else LogsState.NONE
    return replace(step, logs=state, logs_detail=detail or _noted(logs))


def _lost(step: Step, logs: Sequence[KeptLog], *, is_settled: bool) -> str | None:
    lost = [log for log in logs if log.state is LogsState.LOST]
    if lost:
        return f"{len(lost)} of {len(logs)} logs: {lost[0].detail}"
    return _missing(step, logs) if is_settled else None


def _missing(step: Step, logs: Sequence[KeptLog]) -> str | None:
    """Name runners that have run, or may have, and left nothing to read."""
    if not logs:
        return NOTHING_SEEN
    expected = step.expected or 0
    there = {log.source.index for log in logs if log.source.role is Role.RUNNER}
    missing = [str(index) for index in range(1, expected + 1) if index not in there]
    if not missing or (step.started_at is None and step.phase is not Phase.GONE):
        return None
    why = UNREAD if step.started_at else UNSEEN
    return f"runner {', '.join(missing)} of {expected}: {why}"


def _noted(logs: Sequence[KeptLog]) -> str | None:
    return next((log.detail for log in logs if log.detail), None)
