"""What is kept of a log that is too large."""

from hypothesis import given
from hypothesis import strategies as st

from syncsvc.loadtests.capping import Cap, Cut, Piece, cut, pieces

CAP = Cap(head=100, tail=100)


def of(*sizes: int) -> list[Piece]:
    return [Piece(number, 1, size) for number, size in enumerate(sizes)]


def test_a_log_within_its_cap_is_kept_whole():
    assert not cut(of(60, 60, 60), CAP)


def test_the_middle_is_left_out_and_counted():
    left_out = cut(of(60, 40, 50, 50, 60, 40), CAP)

    assert left_out == Cut((2, 3), 2, 100)
    assert left_out.mark == "[... 2 lines, 100 bytes are left out here ...]"


def test_the_first_and_the_last_piece_stay_however_large():
    assert cut(of(500, 500, 500), CAP).numbers == (1,)


def test_what_was_left_out_before_adds_up():
    assert Cut((2,), 3, 30) + Cut((4,), 1, 10) == Cut((2, 4), 4, 40)


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(1, 50))
def test_pieces_are_whole_lines_that_add_up_to_the_log(lines, limit):
    log = b"\n".join(lines)

    parts = list(pieces(log, limit))

    assert b"".join(part for _, part in parts) == log
    assert all(part.endswith(b"\n") for _, part in parts[:-1])
    assert all(len(part) <= limit or count == 1 for count, part in parts)


@given(st.lists(st.integers(1, 60), max_size=40))
def test_no_more_is_kept_than_head_and_tail_and_one_piece(sizes):
    left_out = cut(of(*sizes), CAP)

    assert sum(sizes) - left_out.size <= CAP.head + CAP.tail + 60


def test_a_piece_is_small_enough_to_leave_some_out():
    assert Cap(head=4_000, tail=100).piece == 25
