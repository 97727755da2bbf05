"""What people read when a checkpoint does not open."""

from datetime import timedelta

import pytest

from syncsvc.coordination.checkpoints.endings import outcome, some, timed_out
from syncsvc.coordination.checkpoints.model import Place, Policy, Standing, State

START = Place("r", "start")


def test_of_many_names_the_first_ten_are_listed():
    assert some([f"w{n}" for n in range(12)]) == (
        "w0, w1, w2, w3, w4, w5, w6, w7, w8, w9 and 2 more"
    )


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (["d"], "d, 1 more"),
        (["c", "d"], "c, d"),
        (["c", "d", "e"], "c, d"),
        ([], "2 more"),
    ],
)
def test_a_timeout_names_as_many_as_are_missing(missing, said):
    found = Standing(State.OPEN, 1, target=4, arrived=2)

    told = timed_out(START, found, timedelta(seconds=60), missing)

    assert told.reason.endswith(f"after 60 s: 2 of 4 arrived; missing: {said}")


def test_a_broken_one_says_who_and_why():
    found = Standing(State.BROKEN, 1, broken_by=("a", "b"), reason="gone")

    assert outcome(START, found).reason == "checkpoint 'start' is broken: a, b died"


def test_a_standing_is_read_as_it_was_written():
    found = Standing(
        state=State.BROKEN,
        generation=3,
        target=4,
        asked=5,
        arrived=2,
        start_at=1795225768334,
        policy=Policy.FAIL,
        cyclic=True,
        broken_by=("a b", "ü"),
        reason="no\nmore",
    )

    assert Standing.read(found.text()) == found
