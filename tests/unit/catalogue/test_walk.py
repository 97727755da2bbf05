"""What is stored of a list, page by page."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncsvc.catalogue.turn import Note, note_of
from syncsvc.catalogue.walk import (
    Coverage,
    Mark,
    Places,
    Segment,
    extended,
    opened,
    reaching,
    united,
)
from tests.support.builders import NOON


def at(minute: int, test_id: int | None = None) -> Mark:
    return Mark(NOON + timedelta(minutes=minute), minute if test_id is None else test_id)


def segment(top: int, bottom: int) -> Segment:
    return Segment(at(top), at(bottom))


def page(*minutes: int, known: tuple[int, ...] = (), is_end: bool = False) -> Places:
    return Places(tuple(map(at, minutes)), frozenset(map(at, known)), is_end)


@given(st.integers(0, 100_000), st.integers(1, 100))
def test_the_page_that_is_asked_for_holds_the_place_and_more_below_it(index, size):
    request = reaching(index, size)

    assert request.start <= index
    assert index + 1 < request.end


def test_the_first_page_is_asked_for_in_full():
    assert (reaching(0, 25).page, reaching(0, 25).size) == (1, 25)


def test_a_first_page_opens_a_segment():
    assert opened(Coverage(), page(9, 8)) == Coverage((segment(9, 8),))


def test_a_list_that_ends_on_its_first_page_is_whole():
    assert opened(Coverage(), page(9, 8, is_end=True)).is_whole
    assert opened(Coverage(), page(is_end=True)) == Coverage((), complete=True)


def test_a_page_that_does_not_reach_what_is_known_leaves_a_gap():
    known = Coverage((segment(5, 1),), complete=True)

    met = opened(known, page(9, 8))

    assert met.segments == (segment(9, 8), segment(5, 1))
    assert not met.is_whole


def test_segments_join_where_a_page_has_a_known_test_and_goes_below_the_top():
    known = Coverage((segment(5, 1),), complete=True)

    assert opened(known, page(6, 5, 4, known=(5, 4))) == Coverage((segment(6, 1),), complete=True)


def test_segments_do_not_join_before_the_ties_around_the_top_are_passed():
    known = Coverage((segment(5, 1),), complete=True)

    assert not opened(known, page(6, 5, known=(5,))).is_whole


def test_segments_do_not_join_at_a_page_of_which_nothing_is_known():
    known = Coverage((segment(5, 1),), complete=True)

    assert not opened(known, page(6, 4)).is_whole


def test_a_segment_that_was_passed_is_taken_in():
    known = Coverage((segment(5, 4), segment(2, 1)))

    assert extended(Coverage((segment(9, 8), *known.segments)), page(8, 3)).segments == (
        segment(9, 3),
        segment(2, 1),
    )


def test_below_the_end_of_a_list_nothing_is_left():
    known = Coverage((segment(9, 8), segment(2, 1)), floor=NOON)

    assert extended(known, page(8, 7, is_end=True)) == Coverage((segment(9, 7),), complete=True)


def test_a_page_without_a_test_that_can_be_read_changes_nothing():
    known = Coverage((segment(9, 8),))

    assert extended(known, page()) == opened(known, page()) == known
    assert extended(known, page(is_end=True)) == Coverage((segment(9, 8),), complete=True)


def test_a_page_that_repeats_what_is_known_does_not_shrink_it():
    known = Coverage((segment(9, 2),))

    assert extended(known, page(9, 8, known=(9, 8))) == known


def test_a_floor_holds_until_a_gap_opens_above_it():
    known = Coverage((segment(5, 4),), floor=at(4).end)

    assert known.reaches(at(4).end)
    assert not known.reaches(at(3).end)
    assert not known.reaches(None)
    assert opened(known, page(6, 5, 4, known=(5, 4))).floor == known.floor
    assert opened(known, page(9, 8)).floor is None


def test_what_was_read_anyway_joins_all_that_it_overlaps():
    known = Coverage((segment(9, 8), segment(6, 5), segment(2, 1)))

    assert united(known, segment(12, 5)).segments == (segment(12, 5), segment(2, 1))
    assert united(known, segment(20, 10)).segments == (segment(20, 10), *known.segments)


def test_of_tests_that_end_together_the_last_in_the_list_is_the_bottom():
    places = Places((at(9), at(5, 3), at(5, 7)))

    assert places.segment == Segment(at(9), at(5, 7))


def test_an_anchor_stands_above_the_ties_of_the_bottom():
    known = Segment(at(9), at(5, 3))

    assert known.anchors(at(6))
    assert known.anchors(at(5, 3))
    assert not known.anchors(at(5, 7))
    assert not known.anchors(at(10))


def test_a_note_comes_back_as_it_was_written():
    note = Note(at=7, sweep=Coverage((segment(9, 8),), swept_at=NOON), tried=(1, 2))

    assert note_of(note.cursor) == note


def test_without_a_note_of_ours_a_unit_starts_again():
    assert note_of(None) == note_of("page 7") == note_of('{"at": "x"}') == Note()
