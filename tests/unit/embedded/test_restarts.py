"""A child that fails again and again is restarted ever more slowly."""

from datetime import timedelta

import pytest

from syncsvc.embedded.keeper import GOOD_LIFE, in_words, next_pause

SHORT = timedelta(seconds=1)


def test_pauses_double_up_to_half_a_minute():
    pauses, pause = [], timedelta(0)
    for _ in range(8):
        pause = next_pause(pause, SHORT)
        pauses.append(pause.total_seconds())

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_good_life_forgives_what_was_before():
    assert next_pause(timedelta(seconds=16), GOOD_LIFE) == timedelta(seconds=1)


def test_a_life_that_was_almost_good_does_not():
    almost = GOOD_LIFE - timedelta(milliseconds=1)

    assert next_pause(timedelta(seconds=16), almost) == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exited with code 0"),
        (2, "exited with code 2"),
        (-9, "was killed by SIGKILL"),
        (-99, "was killed by signal 99"),
    ],
)
def test_an_ending_is_told_in_words(code, words):
    assert in_words(code) == words
