"""The story of NEW_TESTS: a product's tests, all of them, with the fewest calls.

A list is walked until nothing of it is missing, then what may have changed in it is read again.
"""

from dataclasses import dataclass, field, replace

from syncsvc.catalogue import sweeping
from syncsvc.catalogue.desk import Desk
from syncsvc.catalogue.refreshing import Refreshing
from syncsvc.catalogue.turn import Turn, turn_of
from syncsvc.catalogue.walk import Coverage, WalkTerms
from syncsvc.catalogue.walking import Walker
from syncsvc.catalogue.work import Done, Step, TestsFound

__all__ = ["NewTests", "WalkTerms"]


@dataclass(frozen=True)
class NewTests:
    """What a unit has found is kept page by page: whoever takes it over goes on from there."""

    terms: WalkTerms = field(default_factory=WalkTerms)

    async def carry_out(self, desk: Desk) -> None:
        turn = await turn_of(desk, self.terms)
        step = Step() if turn.note.walked else await _walked(turn)
        if step.outcome is None:
            step = await _refreshed(turn, step)
        await turn.keep(step)


async def _walked(turn: Turn) -> Step:
    if turn.note.at is None and sweeping.is_due(turn):
        turn.noted(sweep=Coverage())
    walked = await Walker(turn).walk()
    if walked.step.outcome is not None:
        return walked.step
    step = await sweeping.at_end(turn, walked.step, walked.end, walked.new)
    if turn.note.sweep is not None or (walked.end is not None and turn.note.from_top):
        return replace(step, outcome=Done())
    return step


async def _refreshed(turn: Turn, step: Step) -> Step:
    """Go on after the walk, whose last step is kept with the outcome if nothing else is to do."""
    if turn.desk.claimed.run.order.options.incremental_only:
        return replace(step, outcome=Done())
    found = [each for each in step.found if isinstance(each, TestsFound)]
    read = {test.id for each in found for test in each.tests}
    refreshing = Refreshing(turn, read)
    if not await refreshing.is_needed():
        return replace(step, outcome=Done())
    await turn.keep(step)
    return await refreshing.carry_out()
