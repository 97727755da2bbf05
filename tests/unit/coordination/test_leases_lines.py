"""Of those who wait for a lease at one gateway, the foremost watches for all."""

import pytest

from syncsvc.coordination.leases.lines import MOMENT, WATCH, Lines
from syncsvc.coordination.leases.model import Holder, Lease, LeaseKind, View
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.waiting import LOOK_AGAIN
from tests.support.builders import SECOND

LEASE = Lease("run", LeaseKind.LOCK, "it")


def seen(place: int | None, ends_in: float = 30) -> View:
    """Give what a worker at a place sees of a lease that somebody holds for so long."""
    return View(1, 1, 9, (Holder("holder", 1, 1, ends_in * SECOND),), place=place)


class Desk:
    """Lines, and who was told to look."""

    def __init__(self) -> None:
        self.told: list[str] = []
        signals = Signals()
        signals.handle("lease", lambda subject, _: self.told.append(subject.split("\n")[-1]))
        self.lines = Lines(signals)

    def looks(self, worker: str, place: int | None, ends_in: float = 30) -> float:
        return self.lines.next_look(LEASE, f"of {worker}", worker, seen(place, ends_in))

    def leaves(self, worker: str) -> None:
        self.lines.leave(LEASE, f"of {worker}")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("place", "ends_in", "looks"),
    [(1, 30, 30 + MOMENT), (1, 0.3, 0.3 + MOMENT), (2, 30, WATCH), (2, 0.3, 0.3 + MOMENT)],
)
def test_the_foremost_looks_when_the_lease_ends_and_often_if_it_is_not_first(
    desk, place, ends_in, looks
):
    assert desk.looks("a", place, ends_in) == looks


def test_those_behind_the_foremost_look_seldom(desk):
    desk.looks("a", 2)

    assert desk.looks("b", 3, ends_in=0.3) == LOOK_AGAIN


def test_whoever_is_first_of_all_watches_instead_of_the_foremost(desk):
    desk.looks("a", 5)

    assert desk.looks("b", 1, ends_in=0.3) == 0.3 + MOMENT


def test_one_that_queued_again_is_not_the_foremost_any_more(desk):
    desk.looks("a", 2)
    desk.looks("b", 3)

    assert desk.looks("a", 9) == WATCH  # until another one looks
    assert desk.looks("b", 3) == WATCH
    assert desk.looks("a", 9) == LOOK_AGAIN


def test_one_without_a_place_does_not_watch(desk):
    assert desk.looks("a", None, ends_in=0.3) == LOOK_AGAIN
    assert desk.looks("b", 2) == WATCH


def test_when_the_foremost_leaves_the_next_one_is_told(desk):
    for worker, place in (("a", 2), ("b", 3), ("c", 3)):
        desk.looks(worker, place)

    desk.leaves("a")

    assert desk.told == ["b"]
    assert desk.looks("b", 3) == WATCH


def test_one_that_looks_already_need_not_be_told(desk):
    desk.looks("a", 2)
    desk.looks("b", 3)
    desk.lines.look(LEASE, "of b")

    desk.leaves("a")

    assert desk.told == []
    assert desk.looks("b", 3) == WATCH


def test_one_that_queues_again_watches_while_nobody_else_does(desk):
    for worker, place in (("a", 2), ("b", 3), ("c", 4)):
        desk.looks(worker, place)
    desk.lines.look(LEASE, "of b")
    desk.leaves("a")

    assert desk.looks("b", 9) == WATCH


def test_one_that_looks_no_more_is_told(desk):
    for worker, place in (("a", 2), ("b", 3), ("c", 4)):
        desk.looks(worker, place)
        desk.lines.look(LEASE, f"of {worker}")
    desk.looks("c", 4)
    desk.leaves("a")

    desk.leaves("b")

    assert desk.told == ["c"]


def test_when_another_than_the_foremost_leaves_nobody_is_told(desk):
    desk.looks("a", 2)
    desk.looks("b", 3)

    desk.leaves("b")

    assert desk.told == []


def test_nothing_is_kept_of_a_lease_that_nobody_waits_for(desk):
    desk.looks("a", 2)

    for _ in range(2):
        desk.leaves("a")

    assert desk.lines.lines == {}
