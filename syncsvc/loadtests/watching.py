"""The status part of a cycle: a place is listed once, and its steps take in what it shows.

What could not be looked at keeps what was known of it, and is an error by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from syncsvc.errors import SyncsvcError
from syncsvc.loadtests.abreast import abreast
from syncsvc.loadtests.looking import Look, Looking
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import LoadTests, Place
from syncsvc.loadtests.registering import Discovery
from syncsvc.loadtests.sight import Sight
from syncsvc.loadtests.stalling import Limits, judged
from syncsvc.loadtests.tallying import Tally
from syncsvc.loadtests.verdict import advance, trouble

SAVED = 500  # steps at once

INCOMPLETE = (
    "cluster {place.cluster!r} listed namespace {place.namespace!r} without TestRun {name!r}, "
    "which is there"
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A step as it is now, and what was seen of it."""

    place: Place
    step: Step
    sight: Sight


@dataclass
class Watching:
    """Watches the steps of one cycle. `proofs`: how many absences it may ask the clusters for.

    With a discovery, load tests that nobody registered are taken up as well.
    """

    tests: LoadTests
    looking: Looking
    limits: Limits
    proofs: int
    clock: Callable[[], datetime]
    tally: Tally
    discovery: Discovery | None = None
    _watched: list[Watched] = field(default_factory=list, init=False)

    async def watch(self, fence: int) -> Sequence[Watched]:
        """Bring all steps up to date, and give those that could be looked at.

        Raises Conflict when a newer cycle has begun, Unavailable when steps cannot be kept.
        """
        places = {*await self.tests.places(), *(self.discovery.places if self.discovery else ())}
        await abreast(self._at(place, fence) for place in places)
        return self._watched

    async def _at(self, place: Place, fence: int) -> None:
        steps = await self.tests.under_way(place.cluster, place.namespace)
        look = await self.looking.at(place)
        steps = await self._with_new(place, steps, look)
        look = await self._proven(place, steps, look)
        self.tally.total += len(steps)
        self.tally.calls += look.calls
        after = self._troubled(steps, look.error) if look.error else self._taken_in(steps, look)
        for first in range(0, len(after), SAVED):
            await self.tests.save(fence, after[first : first + SAVED], self.clock())
        if look.error is None:
            self.tally.updated += len(after)
            self._watched += [Watched(place, step, look.of(step.test_run)) for step in after]

    async def _with_new(self, place: Place, steps: Sequence[Step], look: Look) -> Sequence[Step]:
        """Add what was taken up now; what was registered after the look waits for the next one."""
        if self.discovery is None or place not in self.discovery.places:
            return steps
        if look.error is not None:
            if not steps:
                self.tally.failed_at(place, look.error)
            return steps
        runs = [sight.run for sight in look.shown.values() if sight.run is not None]
        new = {step.id for step in await self.discovery.take_up(runs, place, steps)}
        known = {step.id for step in steps}
        found = await self.tests.under_way(place.cluster, place.namespace) if new else steps
        return [step for step in found if step.id in known | new]

    def _troubled(self, steps: Sequence[Step], error: str) -> Sequence[Step]:
        at = self.clock()
        for step in steps:
            self.tally.failed(step, error)
        return [trouble(step, error, at) for step in steps]

    def _taken_in(self, steps: Sequence[Step], look: Look) -> Sequence[Step]:
        at = look.at or self.clock()
        seen = [(step, look.of(step.test_run)) for step in steps]
        return [judged(advance(step, sight, at), sight, at, self.limits) for step, sight in seen]

    async def _proven(self, place: Place, steps: Sequence[Step], look: Look) -> Look:
        """Ask for some of those that a list lacks: at least one, and more as far as allowed.

        A list that lacks what is there is an error: nothing of it is believed.
        """
        if look.error is not None:
            return look
        shown: dict[str, Sight] = {}
        try:
            for step in (step for step in steps if _is_missing(step, look)):
                if shown and self.proofs <= 0:
                    break
                shown[step.test_run] = found = await self._proof(place, step, look)
                if found.run is not None and found.run.uid == step.uid:
                    return replace(look, error=INCOMPLETE.format(place=place, name=step.test_run))
        except SyncsvcError:
            pass  # the next list that lacks them is proof enough
        return replace(look, shown=_over(look.shown, shown))

    async def _proof(self, place: Place, step: Step, look: Look) -> Sight:
        self.proofs -= 1
        self.tally.calls += 1
        run = await self.looking.test_run(place, step.test_run)
        return replace(look.of(step.test_run), run=run, proven=run is None)


def _is_missing(step: Step, look: Look) -> bool:
    """Tell one that was there and is not."""
    is_known = step.uid is not None and not step.is_over
    return is_known and look.of(step.test_run).run is None


def _over(before: Mapping[str, Sight], newer: Mapping[str, Sight]) -> Mapping[str, Sight]:
    return {**before, **newer} if newer else before
