"""How much of a list of tests is stored, which is read from its newest end, with interruptions.

A list is newest first. What is stored of it are segments: within one nothing is missing. A walk
opens a segment at the first page and moves its lower end down until it meets the next segment,
which it then joins; the last segment is complete once the list's end was seen below it. So what
an interrupted walk has not seen stays an open gap between two segments, whatever came later.

Two pages that follow each other overlap: when they share a test, nothing has slipped from the
one to the other between the two calls. How tests with the same end are ordered is not known, so
places are compared by their end alone.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

NEVER_ENDED = datetime.max.replace(tzinfo=UTC)  # a test without an end stands above all others


@dataclass(frozen=True, slots=True)
class Mark:
    """The place of a test in its list."""

    end_at: datetime | None
    id: int

    @property
    def key(self) -> tuple[datetime, int]:
        """Sort by it, descending, as the list is."""
        return (self.end, self.id)

    @property
    def end(self) -> datetime:
        return self.end_at or NEVER_ENDED


BOTTOM = Mark(datetime.min.replace(tzinfo=UTC), 0)  # below every test


@dataclass(frozen=True, slots=True)
class Segment:
    top: Mark
    bottom: Mark

    def spans(self, mark: Mark) -> bool:
        return self.bottom.end <= mark.end <= self.top.end

    def anchors(self, mark: Mark) -> bool:
        """Tell whether all that stands above a stored test, down from our top, is stored."""
        return mark.id == self.bottom.id or self.bottom.end < mark.end <= self.top.end


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is stored of one product's list: segments, newest first, that do not touch.

    `complete`: the last one reaches the list's end. `swept_at`: when every page was last read.
    `floor`: no test that ended at that moment or later is missing, whatever gaps there are.
    """

    segments: tuple[Segment, ...] = ()
    complete: bool = False
    swept_at: datetime | None = None
    floor: datetime | None = None

    @property
    def is_whole(self) -> bool:
        return self.complete and len(self.segments) <= 1

    def reaches(self, since: datetime | None) -> bool:
        """Tell whether nothing is missing of what ended at that moment or later."""
        if self.is_whole or since is None:
            return self.is_whole
        if self.floor is not None and self.floor <= since:
            return True
        return bool(self.segments) and self.segments[0].bottom.end < since


@dataclass(frozen=True, slots=True)
class WalkTerms:
    """How a product's list is read.

    Tests that may change are read again when they were not for `refresh_after`. A whole list is
    read again when that was `sweep_every` ago; products come due up to the part `spread` of it
    earlier, each at its own time, so that they do not all come at once. A unit gives itself back
    after `pages_a_turn`.
    """

    page_size: int = 25
    refresh_after: timedelta = timedelta(hours=1)
    sweep_every: timedelta = timedelta(days=7)
    pages_a_turn: int = 10
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """A page to ask for; `start` is the index of its first place in the list."""

    page: int
    size: int

    @property
    def start(self) -> int:
        return (self.page - 1) * self.size

    @property
    def end(self) -> int:
        return self.start + self.size


def reaching(index: int, size: int) -> Request:
    """Choose the page, if possible of at most `size`, that holds a place and the most below it."""
    fitting = [Request(index // each + 1, each) for each in range(size, 1, -1)]
    best = max(fitting, key=lambda page: page.end, default=Request(index + 1, 1))
    while best.end <= index + 1:
        size += 1
        best = Request(index // size + 1, size)
    return best


@dataclass(frozen=True, slots=True)
class Places:
    """What one page says of a list, in its order; `known`: those that are stored just there."""

    marks: tuple[Mark, ...]
    known: Collection[Mark] = ()
    is_end: bool = False

    @property
    def segment(self) -> Segment | None:
        """From the first to the last; of those that end together, to the last in the list."""
        if not self.marks:
            return None
        top = max(self.marks, key=lambda mark: mark.end)
        return Segment(top, min(reversed(self.marks), key=lambda mark: mark.end))


def opened(coverage: Coverage, places: Places) -> Coverage:
    """Begin at the first page: with a segment of its own, unless it meets the newest one."""
    page = places.segment
    if page is None:
        return _ended(replace(coverage, segments=()), places) if places.is_end else coverage
    met = _met(page, coverage.segments, places)
    floor = coverage.floor if len(met) <= len(coverage.segments) else None
    return _ended(replace(coverage, segments=met, floor=floor), places)


def extended(coverage: Coverage, places: Places) -> Coverage:
    """Go on with the newest segment: the page holds a place of it, or is the first."""
    page = places.segment
    if not coverage.segments:
        return opened(coverage, places)
    if page is None:
        return _ended(coverage, places)
    newest, *older = coverage.segments
    top = max(newest.top, page.top, key=lambda mark: mark.end)
    bottom = page.bottom if page.bottom.end <= newest.bottom.end else newest.bottom
    return _ended(
        replace(coverage, segments=_met(Segment(top, bottom), tuple(older), places)), places
    )


def united(coverage: Coverage, segment: Segment) -> Coverage:
    """Add a segment that was read whatever is known: it joins all that it overlaps."""
    apart = []
    for other in coverage.segments:
        if _overlap(segment, other):
            segment = _around(segment, other)
        else:
            apart.append(other)
    segments = sorted([*apart, segment], key=lambda each: each.top.key, reverse=True)
    return replace(coverage, segments=tuple(segments))


def _met(segment: Segment, older: tuple[Segment, ...], places: Places) -> tuple[Segment, ...]:
    """Take in the older segments that a walk has passed, or met at a test that is in them."""
    while older and _meets(segment, older[0], places):
        segment, older = _around(segment, older[0]), older[1:]
    return (segment, *older)


def _meets(segment: Segment, older: Segment, places: Places) -> bool:
    """Tell it once the ties around the older one's top are passed."""
    if segment.bottom.end < older.bottom.end:
        return True
    return segment.bottom.end < older.top.end and any(map(older.spans, places.known))


def _overlap(one: Segment, other: Segment) -> bool:
    if one.spans(other.top) and one.spans(other.bottom):
        return True
    return other.bottom.end < one.top.end and one.bottom.end < other.top.end


def _around(one: Segment, other: Segment) -> Segment:
    return Segment(
        max(one.top, other.top, key=lambda mark: mark.end),
        min(other.bottom, one.bottom, key=lambda mark: mark.end),
    )


def _ended(coverage: Coverage, places: Places) -> Coverage:
    """Below the list's end there is nothing: what older segments had there is gone."""
    if not places.is_end:
        return coverage
    return replace(coverage, segments=coverage.segments[:1], complete=True, floor=None)
