"""The checker takes every history that one object could have given, and refuses the others."""

import random

import pytest

from tests.support.linearizability import UNKNOWN, Call, assert_linearizable, check
from tests.support.models import (
    DONE,
    REFUSED,
    Acquire,
    Add,
    Arrive,
    Checkpoint,
    Counter,
    Depart,
    Get,
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


ADD, GET = Add(1), Get()
PAIR = Checkpoint(target=2)

RIGHT = {
    "nothing happened": (Counter(), []),
    "one after the other": (Counter(), [call("a", ADD, 1, 0, 1), call("b", GET, 1, 2, 3)]),
    "two at once, in either order": (
        Counter(),
        [call("a", ADD, 2, 0, 9), call("b", ADD, 1, 1, 8), call("c", GET, 1, 2, 3)],
    ),
    "a read may be placed before a write that is under way": (
        Counter(),
        [call("a", ADD, 1, 0, 9), call("b", GET, 0, 1, 2), call("b", GET, 1, 3, 4)],
    ),
    "a call of unknown outcome happened": (
        Counter(),
        [call("a", ADD, UNKNOWN, 0), call("b", GET, 1, 5, 6)],
    ),
    "a call of unknown outcome never happened": (
        Counter(),
        [call("a", ADD, UNKNOWN, 0), call("b", ADD, 1, 5, 6)],
    ),
    "a call of unknown outcome happened late": (
        Counter(),
        [call("a", ADD, UNKNOWN, 0), call("b", GET, 0, 5, 6), call("b", GET, 1, 7, 8)],
    ),
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
    "whoever gave up in the moment of the release passes": (
        PAIR,
        [*wait("a", Passed(), 0, 5), *wait("b", Released(1, 2), 4, 6)],
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
    "a lost update": (
        Counter(),
        [call("a", ADD, 1, 0, 5), call("b", ADD, 1, 1, 6), call("c", GET, 1, 7, 8)],
    ),
    "a stale read": (Counter(), [call("a", ADD, 1, 0, 1), call("b", GET, 0, 2, 3)]),
    "a value that goes back": (
        Counter(),
        [call("a", ADD, 1, 0, 9), call("b", GET, 1, 1, 2), call("b", GET, 0, 3, 4)],
    ),
    "an update that came twice": (
        Counter(),
        [call("a", ADD, UNKNOWN, 0), call("b", GET, 2, 5, 6)],
    ),
    "a read of what was not begun": (
        Counter(),
        [call("b", GET, 1, 0, 1), call("a", ADD, UNKNOWN, 2)],
    ),
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
            *wait("c", Passed(), 6, 7),
        ],
    ),
    "some are kept though all were there": (
        Checkpoint(target=1),
        [*wait("a", Unreleased(), 0, 1)],
    ),
}


@pytest.mark.parametrize(("model", "history"), RIGHT.values(), ids=RIGHT.keys())
def test_what_one_object_could_have_given_is_linearizable(model, history):
    verdict = check(history, model)

    assert verdict.linearizable, verdict


@pytest.mark.parametrize(("model", "history"), WRONG.values(), ids=WRONG.keys())
def test_what_no_object_could_have_given_is_not_linearizable(model, history):
    verdict = check(history, model)

    assert not verdict.linearizable, verdict


def test_a_failure_shows_the_best_order_and_what_does_not_fit():
    history = [call("a", ADD, 1, 0, 1), call("b", GET, 0, 2, 3)]

    with pytest.raises(AssertionError) as failure:
        assert_linearizable(history, Counter(), "seed 7")

    said = str(failure.value)
    assert said.startswith("seed 7: not linearizable; at best in this order")
    assert "a: Add(delta=1) -> 1" in said
    assert said.rstrip().endswith("b: Get() -> 0")


def test_histories_of_a_real_counter_are_linearizable_and_any_other_number_in_them_is_not():
    chance = random.Random(1)

    for _ in range(100):
        history = counted(chance, calls=60, processes=6)
        assert_linearizable(history, Counter())

        spoilt = chance.randrange(len(history))
        wrong = Call(**{**vars(history[spoilt]), "result": -1})
        assert not check([*history[:spoilt], wrong, *history[spoilt + 1 :]], Counter()).linearizable


def counted(chance: random.Random, *, calls: int, processes: int) -> list[Call]:
    """Play a counter whose every call takes effect at an instant within its time."""
    free = dict.fromkeys(range(processes), 0.0)
    planned = []
    for _ in range(calls):
        process = chance.choice(list(free))
        invoked = free[process] + chance.random()
        instant = invoked + chance.random() * 3
        free[process] = returned = instant + chance.random() * 3
        planned.append((instant, f"p{process}", Add(1) if chance.random() < 0.5 else GET))
        planned[-1] += (invoked, returned)
    value, history = 0, []
    for _, process, operation, invoked, returned in sorted(planned, key=lambda each: each[0]):
        value += isinstance(operation, Add)
        history.append(Call(process, operation, value, invoked, returned))
    return history
