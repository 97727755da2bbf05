"""A whole list is read again from time to time: only then is it known what is not in it any more.

Any walk that has read every page from the first to the last in one run counts as a sweep.
"""

from dataclasses import replace
from datetime import datetime

from syncsvc.catalogue.reading import Stretch
from syncsvc.catalogue.turn import Turn
from syncsvc.catalogue.walk import BOTTOM, Coverage, WalkTerms, united
from syncsvc.catalogue.work import Step, TestsGone

_GOLDEN = 0.6180339887498949  # its multiples lie evenly between 0 and 1


def is_due(turn: Turn) -> bool:
    """Tell whether this run is to read a product's whole list, whatever is known of it.

    A list of which nothing is known needs none, and one with gaps is walked to its end first.
    """
    options = turn.desk.claimed.run.order.options
    if options.force_refresh:
        return bool(turn.coverage.segments)
    if options.incremental_only or not turn.coverage.is_whole or turn.since is not None:
        return False
    return _is_old(turn.coverage.swept_at, turn.terms, turn.product, turn.desk.clock())


def _is_old(swept_at: datetime | None, terms: WalkTerms, product: int, now: datetime) -> bool:
    early = terms.spread * (product * _GOLDEN % 1)
    return swept_at is None or now - swept_at > terms.sweep_every * (1 - early)


async def at_end(turn: Turn, step: Step, end: Stretch | None, new: int) -> Step:
    """Finish a walk's last step with what the list's end, or the floor, has shown."""
    if end is None:
        return _at_floor(turn, step)
    if turn.note.from_top:
        return _swept(turn, step)
    return await _compared(turn, step, end, new)


def _at_floor(turn: Turn, step: Step) -> Step:
    sweep = turn.note.sweep
    if sweep is None:
        return step
    coverage = turn.coverage
    for segment in sweep.segments:
        coverage = united(coverage, segment)
    if not coverage.is_whole:
        coverage = replace(coverage, floor=sweep.floor)
    return _with(turn, step, coverage)


def _swept(turn: Turn, step: Step) -> Step:
    """Delete what was not seen, unless it may stand where nothing could be read."""
    now, read = turn.desk.clock(), turn.note.sweep or turn.coverage
    last = turn.coverage.swept_at
    if turn.note.sweep is not None or last is None or now - last > turn.terms.sweep_every / 2:
        last = now
    step = _with(turn, step, replace(read, swept_at=last))
    if not turn.note.clean:
        return step
    healed = {*step.healed, *(each.id for each in turn.quarantined)}
    found = [*step.found, TestsGone(turn.product, None)]
    turn.quarantined = ()
    return replace(step, found=found, healed=healed)


async def _compared(turn: Turn, step: Step, end: Stretch, new: int) -> Step:
    """Let the next run sweep a list that is not as long as what is stored of it.

    While places cannot be read the lengths tell nothing.
    """
    coverage, now = turn.coverage, turn.desk.clock()
    stored = await turn.desk.stored.tests_above(*turn.place, BOTTOM) + new
    unknown = turn.quarantined or step.poisoned or not turn.note.clean
    is_same = unknown or stored == end.length
    swept_at = (coverage.swept_at or now) if is_same else None
    return _with(turn, step, replace(coverage, swept_at=swept_at))


def _with(turn: Turn, step: Step, coverage: Coverage) -> Step:
    """Give the step with a coverage; one that is stored already need not be stored again."""
    if coverage != turn.coverage:
        turn.coverage = coverage
        step = replace(step, coverage=coverage)
    return step
