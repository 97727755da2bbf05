"""What came of a step that is over, by what is remembered of its runners.

A failure that was seen stands, whatever the others did. Short of one, a runner whose end was
never seen leaves the result unknown: it is never taken for a success.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from syncsvc.loadtests.exits import hardest, reason_of, result_of, told
from syncsvc.loadtests.model import Phase, Reason, Result, Runner, Step
from syncsvc.loadtests.seen import Stage

TOLD = 5  # runners by name; of more, only the number
UNTOLD = Reason.UNKNOWN

INIT_FAILED = "the initializer exited {code}: its log says why"
NOTHING_LEFT = "it is over, and nothing was left that tells how {who} ended"
CLEANED_UNSEEN = (
    "it is gone, and was to be removed at its end (cleanup: post): whether it ended or was "
    "deleted before was not seen"
)
DELETED_UNSEEN = "it was deleted; it was last seen {stage}, and its end was not seen"
DELETED_EARLY = "it was deleted while it was {stage}"


@dataclass(frozen=True, slots=True)
class Verdict:
    phase: Phase
    result: Result
    reason: Reason | None = None
    detail: str | None = None


def of_error(step: Step) -> Verdict:
    """Judge a step that the operator gave up before any load."""
    detail = "the operator gave up before any load: its own log says why"
    if step.initializer_exit:
        detail = INIT_FAILED.format(code=step.initializer_exit)
    return Verdict(Phase.ERROR, Result.FAILED, Reason.INIT_FAILED, detail)


def of_finished(step: Step, *, missing_is_lost: bool) -> Verdict:
    """Judge a step that the operator calls finished."""
    fates = {
        index: _fate_at_end(runner, missing_is_lost=missing_is_lost)
        for index, runner in _all(step).items()
    }
    return _of_fates(step, fates) or _untold(fates)


def of_gone(step: Step) -> Verdict:
    """Judge a step whose TestRun is not there any more, or was deleted before its end."""
    if step.last_stage in (Stage.STOPPED, Stage.FINISHED) and not step.deleted_early:
        return of_finished(step, missing_is_lost=False)
    fates = {index: _fate_when_gone(runner) for index, runner in _all(step).items()}
    known = _of_fates(step, fates)
    if known is not None and known.reason is not Reason.DELETED:
        return known if UNTOLD not in fates.values() else _cut_short(known)
    return of_error(step) if step.initializer_exit else _deleted(step)


def _all(step: Step) -> Mapping[int, Runner]:
    expected = range(1, (step.expected or 0) + 1)
    indexes = sorted({*expected, *step.runners})
    return {index: step.runners.get(index) or Runner(index) for index in indexes}


def _fate_at_end(runner: Runner, *, missing_is_lost: bool) -> Reason | None:
    """Say why it did not succeed; a run that went on without a deleted runner has lost it."""
    if runner.is_over:
        reason = reason_of(runner)
        return Reason.RUNNER_LOST if reason is Reason.DELETED else reason
    return Reason.RUNNER_LOST if missing_is_lost or runner.was_deleted else UNTOLD


def _fate_when_gone(runner: Runner) -> Reason | None:
    return reason_of(runner) if runner.is_over else UNTOLD


def _of_fates(step: Step, fates: Mapping[int, Reason | None]) -> Verdict | None:
    """Judge by what is known; None: that is not enough."""
    told_ones = [fate for fate in fates.values() if fate is not UNTOLD]
    worst = hardest(told_ones)
    result = result_of(worst)
    is_complete = bool(fates) and len(told_ones) == len(fates)
    if not is_complete and result is not Result.FAILED:
        return None
    return Verdict(Phase.FINISHED, result, worst, _named(step, fates))


def _named(step: Step, fates: Mapping[int, Reason | None]) -> str | None:
    bad = [(index, fate) for index, fate in fates.items() if fate not in (None, UNTOLD)]
    lines = [
        told(index, step.runners.get(index), fate, len(fates)) for index, fate in bad[:TOLD] if fate
    ]
    if len(bad) > TOLD:
        lines.append(f"and {len(bad) - TOLD} more runners")
    return "; ".join(lines) or None


def _untold(fates: Mapping[int, Reason | None]) -> Verdict:
    missing = [str(index) for index, fate in fates.items() if fate is UNTOLD]
    who = "its runners"
    if len(missing) < len(fates):
        who = f"runner {', '.join(missing[:TOLD])} of {len(fates)}"
    detail = NOTHING_LEFT.format(who=who)
    return Verdict(Phase.FINISHED, Result.UNKNOWN, Reason.UNKNOWN, detail)


def _cut_short(verdict: Verdict) -> Verdict:
    """Say that a run with a known failure was not seen to its end."""
    also = "; it is gone, and how the other runners ended was not seen"
    return Verdict(Phase.GONE, verdict.result, verdict.reason, f"{verdict.detail}{also}")


def _deleted(step: Step) -> Verdict:
    stage = step.last_stage or "without a stage"
    if step.deleted_early:
        detail = DELETED_EARLY.format(stage=stage)
        return Verdict(Phase.GONE, Result.CANCELLED, Reason.DELETED, detail)
    if step.cleans_up:
        return Verdict(Phase.GONE, Result.UNKNOWN, Reason.UNKNOWN, CLEANED_UNSEEN)
    detail = DELETED_UNSEEN.format(stage=stage)
    return Verdict(Phase.GONE, Result.CANCELLED, Reason.DELETED, detail)
