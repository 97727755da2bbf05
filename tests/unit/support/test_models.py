"""The models of locks and checkpoints take what may be, and refuse what must not."""

import pytest

from tests.support.linearizability import UNKNOWN, Call, check
from tests.support.models import (
    DONE,
    REFUSED,
    Acquire,
    Arrive,
    Checkpoint,
    Depart,
    Lock,
    Passed,
    Release,
    Released,
    Renew,
    Unreleased,
    Withdraw,
)


def call(process, operation, result, invoked, returned=float("inf")) -> Call:
    return Call(process, operation, result, invoked, returned)


def wait(worker, result, invoked, returned) -> list[Call]:
    """A wait at a checkpoint: it arrives, and departs as it was told, within the same time."""
    return [
        call(worker, Arrive(worker), None, invoked, returned),
        call(worker, Depart(worker), result, invoked, returned),
    ]


PAIR = Checkpoint(target=2)

RIGHT = {
    "a lock goes from hand to hand": (
        Lock(),
        [
            call("a", Acquire("a"), 7, 0, 1),
            call("b", Acquire("b"), REFUSED, 2, 3),
            call("a", Acquire("a"), 7, 4, 5),
            call("a", Renew(7), DONE, 6, 7),
            call("a", Release(7), DONE, 8, 9),
            call("a", Release(7), DONE, 10, 11),
            call("b", Acquire("b"), 9, 12, 13),
            call("a", Renew(7), REFUSED, 14, 15),
        ],
    ),
    "whoever did not hear of a grant holds the lock, and is told when it asks again": (
        Lock(),
        [
            call("a", Acquire("a"), UNKNOWN, 0),
            call("b", Acquire("b"), REFUSED, 1, 2),
            call("a", Acquire("a"), 3, 4, 5),
        ],
    ),
    "what was granted to a caller that is gone is given back at some time": (
        Lock(),
        [
            call("a", Acquire("a"), UNKNOWN, 0),
            call("a", Withdraw("a"), UNKNOWN, 0),
            call("b", Acquire("b"), REFUSED, 1, 2),
            call("b", Acquire("b"), 3, 4, 5),
        ],
    ),
    "a checkpoint opens for all of a generation, and again": (
        PAIR,
        [
            *wait("a", Released(1, 2), 0, 5),
            *wait("b", Released(1, 2), 4, 6),
            *wait("a", Released(2, 2), 7, 9),
            *wait("b", Released(2, 2), 8, 9),
        ],
    ),
    "whoever gave up is not counted": (
        PAIR,
        [
            *wait("a", Unreleased(), 0, 1),
            *wait("b", Released(1, 2), 2, 5),
            *wait("c", Released(1, 2), 3, 4),
        ],
    ),
    "whoever hears of its release too late passes": (
        PAIR,
        [*wait("a", Passed(1), 0, 5), *wait("b", Released(1, 2), 4, 6)],
    ),
    "whoever was told nothing may have been counted": (
        PAIR,
        [
            call("a", Arrive("a"), UNKNOWN, 0),
            call("a", Depart("a"), UNKNOWN, 0),
            *wait("b", Released(1, 2), 2, 3),
        ],
    ),
}

WRONG = {
    "two hold the lock": (
        Lock(),
        [call("a", Acquire("a"), 1, 0, 1), call("b", Acquire("b"), 2, 2, 3)],
    ),
    "two were granted the lock at once": (
        Lock(),
        [call("a", Acquire("a"), 1, 0, 9), call("b", Acquire("b"), 2, 1, 8)],
    ),
    "a token that is not newer": (
        Lock(),
        [
            call("a", Acquire("a"), 2, 0, 1),
            call("a", Release(2), DONE, 2, 3),
            call("b", Acquire("b"), 2, 4, 5),
        ],
    ),
    "a lock that was free is refused": (
        Lock(),
        [
            call("a", Acquire("a"), 1, 0, 1),
            call("a", Release(1), DONE, 2, 3),
            call("b", Acquire("b"), REFUSED, 4, 5),
        ],
    ),
    "the second release of one frees what another holds": (
        Lock(),
        [
            call("a", Acquire("a"), 1, 0, 1),
            call("a", Release(1), DONE, 2, 3),
            call("b", Acquire("b"), 2, 4, 5),
            call("a", Release(1), DONE, 6, 7),
            call("c", Acquire("c"), 3, 8, 9),
        ],
    ),
    "what somebody was told of is given back behind its back": (
        Lock(),
        [
            call("a", Acquire("a"), UNKNOWN, 0),
            call("a", Withdraw("a"), UNKNOWN, 0),
            call("a", Acquire("a"), 2, 1, 2),
            call("b", Acquire("b"), 3, 4, 5),
        ],
    ),
    "released by a token that nobody was given": (
        Lock(),
        [call("a", Acquire("a"), 1, 0, 1), call("b", Release(9), DONE, 2, 3)],
    ),
    "renewed by whoever holds it no more": (
        Lock(),
        [
            call("a", Acquire("a"), 1, 0, 1),
            call("a", Release(1), DONE, 2, 3),
            call("a", Renew(1), DONE, 4, 5),
        ],
    ),
    "released before enough had arrived": (
        PAIR,
        [*wait("a", Released(1, 2), 0, 1), *wait("b", Released(1, 2), 2, 3)],
    ),
    "one worker counted twice": (
        PAIR,
        [*wait("a", Released(1, 2), 0, 5), *wait("a", Released(1, 2), 1, 4)],
    ),
    "two releases of one generation": (
        PAIR,
        [worker for name in "abcd" for worker in wait(name, Released(1, 2), 0, 9)],
    ),
    "told of different generations": (
        PAIR,
        [*wait("a", Released(1, 2), 0, 9), *wait("b", Released(2, 2), 0, 9)],
    ),
    "whoever gave up was counted": (
        PAIR,
        [*wait("a", Unreleased(), 0, 1), *wait("b", Released(1, 2), 2, 3)],
    ),
    "one passes whom no release counted": (
        PAIR,
        [
            *wait("a", Released(1, 2), 0, 5),
            *wait("b", Released(1, 2), 0, 5),
            *wait("c", Passed(1), 6, 7),
        ],
    ),
    "one passes late in a generation that did not count it": (
        PAIR,
        [*wait("a", Passed(2), 0, 5), *wait("b", Released(1, 2), 4, 6)],
    ),
    "some are kept though all were there": (
        Checkpoint(target=1),
        [*wait("a", Unreleased(), 0, 1)],
    ),
}


@pytest.mark.parametrize(("model", "history"), RIGHT.values(), ids=RIGHT.keys())
def test_what_a_lock_or_a_checkpoint_could_have_given_is_linearizable(model, history):
    verdict = check(history, model)

    assert verdict.linearizable, verdict


@pytest.mark.parametrize(("model", "history"), WRONG.values(), ids=WRONG.keys())
def test_what_no_lock_or_checkpoint_could_have_given_is_not_linearizable(model, history):
    verdict = check(history, model)

    assert not verdict.linearizable, verdict
