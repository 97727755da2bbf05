"""Tests that may have changed are read again, and places that could not be read.

Pages that hold several stale tests are read whole, the others are read one by one: a page is one
call like a test.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from syncsvc.catalogue.poisons import is_due, judged
from syncsvc.catalogue.ports import Broken, Misshapen
from syncsvc.catalogue.reading import Reader
from syncsvc.catalogue.turn import Turn
from syncsvc.catalogue.walk import Mark, Request, reaching
from syncsvc.catalogue.work import (
    Done,
    Found,
    Later,
    Poison,
    Quarantined,
    Step,
    TestsFound,
    TestsGone,
)
from syncsvc.errors import Unknown

A_STEP = 5  # tests that are read one by one between two commits
MANY = 500  # stale tests that are looked at in one turn
NOTHING_MORE = Step()


@dataclass
class Refreshing:
    """What is left of a turn after its walk; `read` are the tests that it has read just now."""

    turn: Turn
    read: set[int] = field(default_factory=set)

    async def is_needed(self) -> bool:
        return bool(self._due()) or bool(await self._stale())

    async def carry_out(self) -> Step:
        """Read all of it again, or as much as a turn may; the last step is still to be kept."""
        stale = await self._stale()
        ids = [mark.id for mark in stale]
        for request in await self._pages(stale):
            if self.turn.is_over:
                return self._later()
            await self._list(request, ids)
        for place in self._due():
            if self.turn.is_over:
                return self._later()
            await self._try(place)
        step = await self._one_by_one([each for each in ids if each not in self.read])
        return self._later(step) if len(ids) == MANY else step

    def _due(self) -> list[Quarantined]:
        return [each for each in self.turn.quarantined if is_due(self.turn, each)]

    async def _stale(self) -> Sequence[Mark]:
        turn = self.turn
        if turn.note.stale_before is None:
            turn.noted(stale_before=turn.desk.clock() - turn.terms.refresh_after)
        before = turn.note.stale_before or turn.desk.clock()
        marks = await turn.desk.stored.stale_tests(*turn.place, before)
        asleep = {
            each.poison.test_id
            for each in turn.quarantined
            if each.id in turn.settled or not is_due(turn, each)
        }
        left_out = self.read | asleep | set(turn.note.tried)
        return [mark for mark in marks if mark.id not in left_out][:MANY]

    async def _pages(self, stale: Sequence[Mark]) -> list[Request]:
        """Choose the pages that hold more than one."""
        turn, size = self.turn, self.turn.terms.page_size
        if len(stale) < 2:
            return []
        ranks = [await turn.desk.stored.tests_above(*turn.place, mark) for mark in stale]
        return list(_shared(ranks, size))

    async def _list(self, request: Request, stale: Collection[int] = ()) -> None:
        turn = self.turn
        turn.pages += 1
        found = await judged(turn, await Reader(turn.desk).read(request))
        tests = [each for each in found.stretch.tests if turn.wants(each) or each.id in stale]
        self.read.update(test.id for test in tests)
        listed = TestsFound(turn.product, tests)
        await turn.keep(Step(found=[listed], poisoned=found.poisoned, healed=found.healed))

    async def _try(self, place: Quarantined) -> None:
        """Try a place that no page of this turn has held."""
        if not is_due(self.turn, place):
            return
        if place.poison.test_id is not None:
            await self.turn.keep(await self._read([place.poison.test_id]))
            return
        index = await self._index(place.poison)
        if index is not None:
            await self._list(reaching(index, self.turn.terms.page_size))
        if is_due(self.turn, place):
            self.turn.settled.add(place.id)
            await self.turn.keep(Step(poisoned=[place.poison]))

    async def _index(self, poison: Poison) -> int | None:
        """Find where in the list it stood."""
        turn = self.turn
        ids = {each for each in (poison.above, poison.below) if each is not None}
        known = await turn.desk.stored.known_tests(*turn.place, ids)
        if poison.above is None:
            return 0
        for id_ in (poison.above, poison.below):
            if id_ is not None and id_ in known:
                return await turn.desk.stored.tests_above(*turn.place, known[id_])
        return None

    async def _one_by_one(self, ids: Sequence[int]) -> Step:
        for first in range(0, len(ids), A_STEP):
            if self.turn.is_over:
                return self._later()
            step = await self._read(ids[first : first + A_STEP])
            self.turn.pages += len(ids[first : first + A_STEP])
            if first + A_STEP >= len(ids):
                return replace(step, outcome=Done())
            await self.turn.keep(step)
        return Step(outcome=Done())

    async def _read(self, ids: Sequence[int]) -> Step:
        """Read tests by their ids: those that are not known any more are gone."""
        turn, poisoned, gone, tests = self.turn, [], [], []
        for test_id in ids:
            try:
                tests.append(await turn.desk.source.test(turn.product, test_id, turn.desk.spending))
            except Unknown:
                gone.append(test_id)
            except (Broken, Misshapen) as error:
                poisoned.append(self._poison(test_id, str(error)))
        self.read.update(ids)
        over = {test.id for test in tests} | set(gone)
        healed = [q.id for q in turn.quarantined if q.poison.test_id in over]
        turn.settled.update(q.id for q in turn.quarantined if q.poison.test_id in ids)
        turn.noted(tried=(*turn.note.tried, *(each.test_id or 0 for each in poisoned)))
        found: list[Found] = [TestsFound(turn.product, tests)] if tests else []
        found += [TestsGone(turn.product, gone)] if gone else []
        return Step(found=found, poisoned=poisoned, healed=healed)

    def _poison(self, test_id: int, error: str) -> Poison:
        for each in self.turn.quarantined:
            if each.poison.test_id == test_id:
                return replace(each.poison, error=error)
        return Poison(self.turn.product, 1, 1, None, None, error, test_id)

    def _later(self, step: Step = NOTHING_MORE) -> Step:
        later = Later(self.turn.desk.clock(), "more tests are to be read again")
        return replace(step, outcome=later)


def _shared(ranks: Sequence[int], size: int) -> Iterator[Request]:
    """Give the pages that hold more than one of these places, which ascend."""
    first = 0
    while first < len(ranks):
        request = reaching(ranks[first], size)
        beyond = bisect_left(ranks, request.end, first)
        if beyond - first > 1:
            yield request
        first = beyond
