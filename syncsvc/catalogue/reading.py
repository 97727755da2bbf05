"""A page of a list is read, around what in it cannot be.

A page that is Broken is read in smaller ones, and what fails there in single places, so that of a
list everything is read but the places that are poisoned themselves. A place that is poisoned, or
whose item is unreadable, counts as an item: where a list ends is judged on all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isqrt

from syncsvc.catalogue.desk import Desk
from syncsvc.catalogue.entities import CatalogueTest, Page
from syncsvc.catalogue.ports import Broken, Misshapen
from syncsvc.catalogue.walk import Mark, Request

GIVE_UP = 12  # calls that fail in a row: then it is the server, not a place


@dataclass(frozen=True, slots=True)
class Hole:
    """A place that could not be read; `test_id` if its item told it."""

    error: str
    test_id: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Places of a list in their order, from the index `start` on."""

    start: int
    places: tuple[CatalogueTest | Hole, ...]
    is_end: bool

    @property
    def tests(self) -> tuple[CatalogueTest, ...]:
        return tuple(each for each in self.places if isinstance(each, CatalogueTest))

    @property
    def holes(self) -> tuple[Hole, ...]:
        return tuple(each for each in self.places if isinstance(each, Hole))

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(map(mark_of, self.tests))

    @property
    def length(self) -> int:
        """How many places of the list stand above its end."""
        return self.start + len(self.places)

    @property
    def last(self) -> int:
        """Give the index of the last place that could be read."""
        read = (i for i, each in enumerate(self.places) if isinstance(each, CatalogueTest))
        return self.start + max(read, default=0)


def mark_of(test: CatalogueTest) -> Mark:
    return Mark(test.end_at, test.id)


@dataclass
class Reader:
    """Reads pages of one product. `_failed` counts the calls that failed since one was answered."""

    desk: Desk
    _failed: int = field(default=0, init=False)

    async def read(self, request: Request) -> Stretch:
        """Read a page. Raises Broken when the server answers to nothing, Misshapen like it."""
        stretch = await self._read(request)
        if stretch.tests or stretch.is_end:
            return stretch
        raise Misshapen(
            f"page {request.page} of the tests of product {self.desk.claimed.product}: expected "
            f"one that can be read, found none: {stretch.holes[0].error}"
        )

    async def _read(self, request: Request) -> Stretch:
        product, spending = self.desk.claimed.product, self.desk.spending
        try:
            page = await self.desk.source.tests(product, request.page, request.size, spending)
        except Broken as error:
            self._failed += 1
            if self._failed >= GIVE_UP:
                raise
            if request.size == 1:
                return Stretch(request.start, (Hole(str(error)),), is_end=False)
            return await self._in_pieces(request)
        self._failed = 0
        return _stretch(page, request)

    async def _in_pieces(self, request: Request) -> Stretch:
        places: list[CatalogueTest | Hole] = []
        pieces = list(_pieces(request))
        for piece in pieces:
            part = await self._read(piece)
            places += part.places
            if part.is_end:
                return Stretch(pieces[0].start, tuple(places), is_end=True)
        return Stretch(pieces[0].start, tuple(places), is_end=False)


def _pieces(request: Request) -> Iterator[Request]:
    """Give the smaller pages that cover one; they may begin above it and end below it."""
    size = isqrt(request.size) if request.size > 5 else 1
    first, beyond = request.start // size, -(-request.end // size)
    return (Request(index + 1, size) for index in range(first, beyond))


def _stretch(page: Page, request: Request) -> Stretch:
    if page.raw_count > request.size:
        raise Misshapen(
            f"a page of tests: expected at most {request.size} items, found {page.raw_count}"
        )
    holes = {each.index: Hole(each.error, each.id) for each in page.unreadable}
    tests = iter(page.tests)
    places = (holes.get(index) or next(tests, None) for index in range(page.raw_count))
    is_end = page.raw_count < request.size
    return Stretch(request.start, tuple(each for each in places if each is not None), is_end)
