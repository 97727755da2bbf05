from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsvc.loadtests.hearing import Heard, Room
from syncsvc.loadtests.seam import Cursor, joined
from syncsvc.loadtests.stamps import parted, second_of
from tests.support.builders import NOON, SECOND
from tests.support.clusters import stamped


def log_of(count: int, step: int = 40) -> list[bytes]:
    return [stamped(number * step) for number in range(count)]


def hears(heard: Heard, lines: list[bytes]) -> None:
    """Give what a stream gives that ends with these lines."""
    since = heard.begin()
    for line in lines:
        if since is None or second_of(parted(line)[0]) >= since:
            heard.take(line.removesuffix(b"\n"))


def kept(lines: list[bytes]) -> Cursor:
    return joined(Cursor(), b"".join(lines)).cursor


@given(st.lists(st.integers(0, 120), max_size=8), st.lists(st.integers(0, 2500), max_size=120))
def test_streams_that_break_off_anywhere_are_one_log(cuts, pauses):
    moments = [sum(pauses[:number]) for number in range(len(pauses))]
    lines = [stamped(at, f"line {number}") for number, at in enumerate(moments)]
    heard = Heard(Room())

    for end in [*sorted(cuts), len(lines)]:
        hears(heard, lines[:end])

    assert heard.text(None, None) == b"".join(lines)
    assert (heard.lost, heard.gap) == (0, False)


@given(st.lists(st.integers(0, 80), min_size=1, max_size=6), st.integers(1, 400))
def test_what_cycles_keep_is_forgotten_and_the_rest_joins_it(cuts, step):
    lines, heard = log_of(80, step), Heard(Room(small=0))
    whole = b""

    for start, end in pairwise([0, *sorted(cuts), 80]):
        hears(heard, lines[:end])
        cursor = kept(lines[:start])
        whole = joined(cursor, heard.text(cursor.since, None)).fresh
        heard.forget(kept(lines[:end]))

    assert whole == b"".join(lines[max(cuts) :])


def test_a_log_that_is_small_is_remembered_from_its_start():
    lines, heard = log_of(50), Heard(Room(small=10_000))
    hears(heard, lines)

    heard.forget(kept(lines))

    assert heard.text(None, None) == b"".join(lines)


def test_a_large_log_is_forgotten_as_far_as_it_is_kept():
    lines, heard = log_of(500), Heard(room := Room(small=10_000))
    hears(heard, lines)

    heard.forget(kept(lines[:400]))

    text = heard.text(None, None)
    assert b"".join(lines).endswith(text)
    assert room.used == len(text) < sum(map(len, lines[300:]))


def test_it_is_given_from_a_second_on_and_up_to_a_limit():
    lines, heard = log_of(60, 100), Heard(Room())
    hears(heard, lines)

    text = heard.text(NOON + 3 * SECOND, 100)

    assert text == b"".join(lines[30:])[:100]


def test_a_line_without_a_moment_goes_with_the_one_before():
    lines = [stamped(100), b"it goes on\n", stamped(2500), b"and on\n"]
    heard = Heard(Room())
    hears(heard, lines[:1])
    for line in lines[1:]:
        heard.take(line.removesuffix(b"\n"))

    assert heard.text(NOON + 2 * SECOND, None) == b"".join(lines[2:])


@pytest.mark.parametrize("room", [Room(of_one=900), Room(size=900)])
def test_without_room_the_oldest_lines_are_lost_and_counted(room):
    lines, heard = log_of(100), Heard(room)

    hears(heard, lines)

    text = heard.text(None, None)
    assert b"".join(lines).endswith(text)
    assert heard.lost == sum(map(len, lines)) - len(text) > 0
    assert room.used <= 900


def test_what_was_lost_is_made_up_for_by_a_cycle_that_has_read_on():
    lines, heard = log_of(200), Heard(Room(of_one=4000))
    hears(heard, lines)

    heard.forget(kept(lines[:100]))
    before = heard.lost
    heard.forget(kept(lines))

    assert before > 0
    assert heard.lost == 0


def test_a_log_that_was_rotated_between_two_streams_has_a_gap():
    lines, heard = log_of(200, 500), Heard(Room())
    hears(heard, lines[:100])

    hears(heard, lines[150:])
    had_gap = heard.gap
    heard.forget(kept(lines))

    assert had_gap
    assert not heard.gap


@given(st.lists(st.integers(1, 120), max_size=8), st.lists(st.integers(0, 2500), max_size=120))
def test_a_line_that_was_cut_comes_again_as_a_whole(cuts, pauses):
    moments = [sum(pauses[:number]) for number in range(len(pauses))]
    lines = [stamped(at, f"line {number}") for number, at in enumerate(moments)]
    heard = Heard(Room())

    for end in sorted(cuts):
        hears(heard, [*lines[: end - 1], *(line[:-4] for line in lines[end - 1 : end])])
    hears(heard, lines)

    assert heard.text(None, None) == b"".join(lines)
    assert not heard.gap


def test_the_last_line_stays_when_it_does_not_come_again():
    lines, heard = log_of(10), Heard(Room())
    hears(heard, lines)

    heard.begin()

    assert heard.text(None, None) == b"".join(lines)


def test_who_is_heard_no_more_gives_the_room_back():
    room = Room(logs=1)
    heard = Heard(room)
    hears(heard, log_of(10))
    was_full = room.is_full

    heard.close()

    assert was_full
    assert (room.taken, room.used, room.is_full) == (0, 0, False)
