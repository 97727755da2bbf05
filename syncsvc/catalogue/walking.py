"""A list is walked from its first page down until nothing of it is missing.

Each page is kept with the coverage that it makes, in one commit. The next page overlaps it: if it
does not hold a test of what was read before, the list has moved up meanwhile, and the walk steps
back until one does. An insertion makes it read some tests twice. What a walk cannot see is a test
that appears, or moves, above it and below the newest tests: a sweep finds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from syncsvc.catalogue.entities import CatalogueTest
from syncsvc.catalogue.model import EntityType, SyncPhase
from syncsvc.catalogue.poisons import judged
from syncsvc.catalogue.ports import Broken, Misshapen
from syncsvc.catalogue.reading import Reader, Stretch, mark_of
from syncsvc.catalogue.turn import Turn
from syncsvc.catalogue.walk import Coverage, Mark, Places, extended, opened, reaching
from syncsvc.catalogue.work import FeaturesFound, Later, Step, TestsFound
from syncsvc.errors import Unavailable

MOST_PAGES = 40_000  # of one walk


@dataclass(frozen=True, slots=True)
class Walked:
    """Where a turn's walk has come to; `step` is still to be kept.

    `end` is the stretch at the list's end, if it was seen, and `new` how many of its tests were
    not stored before.
    """

    step: Step
    end: Stretch | None = None
    new: int = 0


@dataclass(frozen=True, slots=True)
class _Page:
    stretch: Stretch
    stored: Mapping[int, Mark]  # of its tests, before it was kept

    @property
    def known(self) -> frozenset[Mark]:
        """Those that stand where they stood when they were stored."""
        return frozenset(m for m in self.stretch.marks if self.stored.get(m.id) == m)


@dataclass
class Walker:
    turn: Turn
    _before: frozenset[Mark] = field(default=frozenset(), init=False)  # of the page just above

    async def walk(self) -> Walked:
        """Go on until nothing is missing, or the turn is over."""
        begun = index = self.turn.note.at or 0
        reader = Reader(self.turn.desk)
        for _ in range(MOST_PAGES):
            page = await self._page(reader, index)
            walked, is_over = await self._taken(page)
            index = self.turn.note.at or 0
            if is_over:
                self.turn.noted(walked=True)
                return walked
            if self.turn.is_over and index > begun:
                later = Later(self.turn.desk.clock(), "more pages follow")
                return replace(walked, step=replace(walked.step, outcome=later))
            await self.turn.keep(walked.step)
        raise Unavailable(f"tests of product {self.turn.product}: more than {MOST_PAGES} pages")

    @property
    def _coverage(self) -> Coverage:
        sweep = self.turn.note.sweep
        return self.turn.coverage if sweep is None else sweep

    async def _page(self, reader: Reader, index: int) -> _Page:
        """Read the page that holds a place, or one above it that holds a test of the walk."""
        turn, back = self.turn, self.turn.terms.page_size
        while True:
            request = reaching(index, turn.terms.page_size)
            stretch = await reader.read(request)
            turn.pages += 1
            ids = [test.id for test in stretch.tests]
            stored = await turn.desk.stored.known_tests(*turn.place, ids)
            page = _Page(stretch, stored)
            if request.start == 0 or self._continues(page):
                return _moved(page, index)
            index, back = max(0, index - back), back * 2

    def _continues(self, page: _Page) -> bool:
        if self._before & set(page.stretch.marks):
            return True
        return any(map(self._coverage.segments[0].anchors, page.known))

    async def _taken(self, page: _Page) -> tuple[Walked, bool]:
        """Move the coverage down over a page; say whether the walk is over."""
        turn = self.turn
        found = await judged(turn, page.stretch)
        page = replace(page, stretch=found.stretch)
        tests = [test for test in page.stretch.tests if turn.wants(test)]
        is_cut = len(tests) < len(page.stretch.tests)
        is_end = page.stretch.is_end and not is_cut
        coverage = await self._advanced(page, Places(_marks(tests), page.known, is_end))
        if is_cut:
            coverage = replace(coverage, floor=turn.since)
        step = Step(
            found=[*await features_of(turn, tests), TestsFound(turn.product, tests)],
            coverage=self._kept(coverage),
            poisoned=found.poisoned,
            healed=found.healed,
        )
        new = sum(test.id not in page.stored for test in tests)
        is_whole = turn.note.sweep is None and coverage.reaches(turn.since)
        walked = Walked(step, page.stretch if is_end else None, new)
        return walked, page.stretch.is_end or is_cut or is_whole

    async def _advanced(self, page: _Page, places: Places) -> Coverage:
        """Give the coverage with a page, and note where to go on."""
        turn, before, stretch = self.turn, self._coverage, page.stretch
        begun = turn.note.at is not None
        after = (extended if begun else opened)(before, places)
        own = {places.segment.bottom} if places.segment else set()
        own |= {segment.bottom for segment in before.segments[:1] if begun}
        clean = turn.note.clean and not stretch.holes
        if all(segment.bottom in own for segment in after.segments[:1]):
            self._before = frozenset(stretch.marks)
            turn.noted(at=stretch.last, clean=clean)
            return after
        self._before = frozenset()
        rank = await turn.desk.stored.tests_above(*turn.place, after.segments[0].bottom)
        turn.noted(at=max(rank, stretch.last), clean=clean, from_top=stretch.is_end)
        return after

    def _kept(self, coverage: Coverage) -> Coverage | None:
        """Remember it; give it if it is to be stored."""
        if self.turn.note.sweep is not None:
            self.turn.noted(sweep=coverage)
            return None
        changed = coverage if coverage != self.turn.coverage else None
        self.turn.coverage = coverage
        return changed


def _moved(page: _Page, index: int) -> _Page:
    stretch = page.stretch
    if stretch.last > index or stretch.is_end:
        return page
    raise Broken(
        f"tests from place {index + 2} of the list: expected one that can be read, "
        f"found {len(stretch.holes)} that cannot"
    )


def _marks(tests: list[CatalogueTest]) -> tuple[Mark, ...]:
    return tuple(map(mark_of, tests))


async def features_of(turn: Turn, tests: list[CatalogueTest]) -> list[FeaturesFound]:
    """Read a product's features, once a run, if tests name some that we have not.

    A run that has the phase of features has just read them, or could not.
    """
    order, desk = turn.desk.claimed.run.order, turn.desk
    ids = {feature.feature_id for test in tests for feature in test.features}
    if turn.note.features_read or SyncPhase.FEATURES in order.phases:
        return []
    if not ids or not order.scope.means(EntityType.FEATURES):
        return []
    customer, stage, product = turn.place
    if not await desk.stored.missing_features(customer, stage, product, ids):
        return []
    turn.noted(features_read=True)
    with_stories = order.scope.means(EntityType.USER_STORIES)
    try:
        listed = await desk.source.features(product, desk.spending, with_stories=with_stories)
    except (Broken, Misshapen):  # the phase of features tells; the tests are as good without
        return []
    return [FeaturesFound(product, listed.features, not listed.unreadable, with_stories)]
