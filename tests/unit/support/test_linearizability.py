"""The checker takes every history that one object could have given, and refuses the others."""

import random

import pytest

from tests.support.linearizability import UNKNOWN, Call, assert_linearizable, check
from tests.support.models import Add, Counter, Get


def call(process, operation, result, invoked, returned=float("inf")) -> Call:
    return Call(process, operation, result, invoked, returned)


ADD, GET = Add(1), Get()

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
