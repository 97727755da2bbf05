"""What in a list could not be read is remembered by what stands next to it, until it can be.

A place that was found before and is not due for another try is not given again; one that is due
is given as it was remembered, so that the store counts the attempt.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from syncsvc.catalogue.entities import CatalogueTest
from syncsvc.catalogue.ports import Broken, Misshapen
from syncsvc.catalogue.reading import Hole, Stretch, mark_of
from syncsvc.catalogue.turn import Turn
from syncsvc.catalogue.work import Poison, Quarantined
from syncsvc.errors import Unknown

Place = CatalogueTest | Hole


@dataclass(frozen=True, slots=True)
class Judged:
    """A stretch with the tests that were read by their id, and what to remember and to forget."""

    stretch: Stretch
    poisoned: tuple[Poison, ...] = ()
    healed: tuple[str, ...] = ()


async def judged(turn: Turn, stretch: Stretch) -> Judged:
    """Try what is known to stand in a stretch's holes, and name the holes that stay."""
    if stretch.holes:
        stretch = await _filled(turn, stretch)
    known = turn.quarantined
    healed = tuple(each.id for each in known if _is_healed(each.poison, stretch))
    given = []
    for poison in _poisons(turn.product, stretch):
        same = next((each for each in known if _is_same(each.poison, poison)), None)
        if same is None or is_due(turn, same):
            given.append(poison if same is None else _again(same.poison, poison))
        if same is not None:
            turn.settled.add(same.id)
    turn.settled.update(healed)
    turn.quarantined = tuple(each for each in known if each.id not in healed)
    return Judged(stretch, tuple(given), healed)


def is_due(turn: Turn, place: Quarantined) -> bool:
    return place.id not in turn.settled and place.next_try_at <= turn.desk.clock()


def _again(known: Poison, found: Poison) -> Poison:
    return replace(found, above=known.above, below=known.below, test_id=known.test_id)


async def _filled(turn: Turn, stretch: Stretch) -> Stretch:
    """Read by its id what is stored between two neighbours and cannot be read in the list."""
    places: list[Place] = []
    for index, place in enumerate(stretch.places):
        nameless = isinstance(place, Hole) and place.test_id is None
        places.append(await _by_id(turn, stretch, index, place) if nameless else place)
    return replace(stretch, places=tuple(places))


async def _by_id(turn: Turn, stretch: Stretch, index: int, hole: Place) -> Place:
    above, below = _next_to(stretch, index)
    if not isinstance(above, CatalogueTest) or not isinstance(below, CatalogueTest):
        return hole
    between = await turn.desk.stored.tests_between(*turn.place, mark_of(above), mark_of(below))
    here = {test.id for test in stretch.tests}
    candidates = [each for each in between if each not in here]
    if len(candidates) != 1:
        return hole
    try:
        return await turn.desk.source.test(turn.product, candidates[0], turn.desk.spending)
    except (Broken, Misshapen) as error:
        return Hole(str(error), candidates[0])
    except Unknown:
        return hole


def _next_to(stretch: Stretch, index: int) -> tuple[Place | None, Place | None]:
    places = stretch.places
    above = places[index - 1] if index else None
    return above, places[index + 1] if index + 1 < len(places) else None


def _poisons(product: int, stretch: Stretch) -> Iterator[Poison]:
    """Name each hole by its neighbours; those without an id that stand together are one.

    One at the edge of a stretch that is not the list's is left to the next stretch.
    """
    numbered = enumerate(stretch.places)
    groups = [list(group) for _, group in groupby(numbered, key=_kind)]
    for group in groups:
        (first, place), (last, _) = group[0], group[-1]
        if isinstance(place, CatalogueTest) or _is_cut(stretch, first, last):
            continue
        above, below = _next_to(stretch, first)[0], _next_to(stretch, last)[1]
        yield Poison(
            product, stretch.start + first + 1, 1, _id(above), _id(below), place.error,
            place.test_id,
        )  # fmt: skip


def _kind(numbered: tuple[int, Place]) -> tuple[bool, int | None]:
    _, place = numbered
    return (True, None) if place == _nameless(place) else (False, _id(place))


def _nameless(place: Place) -> Place | None:
    return place if isinstance(place, Hole) and place.test_id is None else None


def _id(place: Place | None) -> int | None:
    if place is None:
        return None
    return place.id if isinstance(place, CatalogueTest) else place.test_id


def _is_cut(stretch: Stretch, first: int, last: int) -> bool:
    at_top = first == 0 and stretch.start > 0
    return at_top or (last == len(stretch.places) - 1 and not stretch.is_end)


def _is_same(known: Poison, found: Poison) -> bool:
    """Tell whether it is the same place, where a neighbour may have come or gone."""
    if known.test_id is not None and found.test_id is not None:
        return known.test_id == found.test_id
    if (known.above, known.below) == (found.above, found.below):
        return True
    return (known.above is not None and known.above == found.above) or (
        known.below is not None and known.below == found.below
    )


def _is_healed(known: Poison, stretch: Stretch) -> bool:
    """Tell whether the test, or all that stands between the neighbours, has been read."""
    ids = [_id(each) for each in stretch.places]
    if known.test_id is not None:
        return known.test_id in {test.id for test in stretch.tests}
    top = -1 if known.above is None and stretch.start == 0 else _index(ids, known.above)
    end = len(ids) if known.below is None and stretch.is_end else _index(ids, known.below)
    if top is None or end is None:
        return False
    return all(isinstance(each, CatalogueTest) for each in stretch.places[top + 1 : end])


def _index(ids: list[int | None], wanted: int | None) -> int | None:
    return ids.index(wanted) if wanted is not None and wanted in ids else None
