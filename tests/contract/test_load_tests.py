"""What every home of load tests promises of tests and steps."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from syncsvc.errors import Conflict, Rejected, Unknown
from syncsvc.loadtests.model import (
    LogsState,
    Phase,
    Reason,
    Result,
    Runner,
    RunnerState,
    Stale,
    Status,
)
from syncsvc.loadtests.ports import Group, Place, Which
from syncsvc.loadtests.seen import Stage
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.load_tests import a_failed_step, a_step, a_test, an_ended_step

A_RUNNER = Runner(
    1,
    RunnerState.ENDED,
    "p-1",
    99,
    "Error",
    was_deleted=True,
    started_at=NOON,
    ended_at=NOON + SECOND / 3,
)
FULL = {
    "uid": "u1",
    "phase": Phase.RUNNING,
    "detail": "a stage that we do not know: paused",
    "runners": {
        1: A_RUNNER,
        7: Runner(7),
    },
    "expected": 7,
    "last_stage": Stage.STARTED,
    "run_created_at": NOON + SECOND / 7,
    "cleans_up": True,
    "deleted_early": True,
    "initializer_exit": 3,
    "absences": 1,
    "waits": 1,
    "started_at": NOON,
    "checked_at": NOON + MINUTE,
    "stale": Stale(NOON, 4, "503: no leader"),
    "stalled": "2 of 7 runners wait: ImagePullBackOff",
    "logs": LogsState.PARTIAL,
    "logs_detail": "runner 2 could not be read",
}


async def saved(home, *steps):
    await home.tests.save(await home.cycles.begin(NOON), steps, NOON)


def ids(things) -> list[str]:
    return [each.id for each in things]


async def test_what_is_registered_is_given_back_as_it_was(load_tests):
    test, step = a_test(labels={"team": "a", "Ü": "ö"}), a_step()

    assert await load_tests.tests.register(test, [step]) == [step]
    assert await load_tests.tests.test("test") == test
    assert await load_tests.tests.step("step") == step


async def test_a_test_needs_a_step(load_tests):
    with pytest.raises(Rejected, match="at least one step"):
        await load_tests.tests.register(a_test(), [])


@pytest.mark.parametrize("ask", ["test", "step"])
async def test_what_was_never_registered_is_unknown(load_tests, ask):
    with pytest.raises(Unknown, match="'other'"):
        await getattr(load_tests.tests, ask)("other")


async def test_a_test_run_that_is_watched_is_not_watched_twice(load_tests):
    watched = a_step("first", test_run="checkout")
    await load_tests.tests.register(a_test(), [watched])

    again = a_step("second", test_id="new", test_run="checkout")
    given = await load_tests.tests.register(a_test("new"), [again])

    assert given == [watched]
    assert ids(await load_tests.tests.tests(Which())) == ["test"]


async def test_the_same_test_run_given_twice_is_one_step(load_tests):
    steps = [a_step("a", test_run="checkout"), a_step("b", test_run="checkout")]

    assert ids(await load_tests.tests.register(a_test(), steps)) == ["a", "a"]


@pytest.mark.parametrize("other", [{"namespace": "b"}, {"cluster": "b"}, {"test_run": "b"}])
async def test_a_test_run_of_another_place_or_name_is_another(load_tests, other):
    await load_tests.tests.register(a_test(), [a_step("a", test_run="a")])

    given = await load_tests.tests.register(a_test(), [a_step("b", **({"test_run": "a"} | other))])

    assert ids(given) == ["b"]


async def test_a_test_run_that_two_register_at_once_is_one_step(load_tests):
    calls = [
        load_tests.tests.register(
            a_test(f"t{number}"), [a_step(f"s{number}", test_id=f"t{number}", test_run="checkout")]
        )
        for number in range(5)
    ]

    answers = await asyncio.gather(*calls)

    assert len({step.id for [step] in answers}) == 1
    assert len(await load_tests.tests.tests(Which())) == 1


async def test_steps_of_a_test_come_in_their_order_and_then_as_the_cluster_made_them(load_tests):
    steps = [
        a_step("e", order=2, run_created_at=NOON + SECOND),
        a_step("b", order=1, run_created_at=NOON + 2 * SECOND),
        a_step("d", order=2, run_created_at=NOON),
        a_step("c", order=2, test_run="c-1", run_created_at=NOON),
        a_step("a", order=2, test_run="c-2", run_created_at=NOON),
    ]
    await load_tests.tests.register(a_test(), steps)

    assert ids(await load_tests.tests.steps_of(["test"])) == ["b", "c", "a", "d", "e"]


async def test_a_late_look_opens_no_step_whose_end_is_kept(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])
    await saved(load_tests, an_ended_step(logs=LogsState.COMPLETE))

    await saved(load_tests, a_step(phase=Phase.RUNNING, logs=LogsState.COMPLETE))

    assert await load_tests.tests.step("step") == an_ended_step(logs=LogsState.COMPLETE)
    assert await load_tests.tests.places() == []


async def test_a_run_that_is_over_and_still_there_is_not_registered_anew(load_tests):
    await load_tests.tests.register(a_test(), [a_step("a", test_run="checkout")])
    await saved(load_tests, an_ended_step("a", test_run="checkout", uid="u1"))

    found = a_step("b", test_run="checkout", uid="u1")
    [given] = await load_tests.tests.register(a_test("new"), [found])

    assert given.id == "a"


async def test_a_new_run_under_an_old_name_is_registered(load_tests):
    await load_tests.tests.register(a_test(), [a_step("a", test_run="checkout")])
    await saved(load_tests, an_ended_step("a", test_run="checkout", uid="u1"))

    found = a_step("b", test_run="checkout", uid="u2")
    [given] = await load_tests.tests.register(a_test("new"), [found])

    assert given == found


async def test_a_step_that_comes_later_joins_its_test_and_opens_it_again(load_tests):
    await load_tests.tests.register(a_test(), [a_step("a")])
    await saved(load_tests, an_ended_step("a"))

    await load_tests.tests.register(a_test(name="Other"), [a_step("b", order=2)])

    test = await load_tests.tests.test("test")
    assert (test.name, test.status, test.completed_at) == ("Checkout", Status.RUNNING, None)
    assert ids(await load_tests.tests.steps_of(["test", "other"])) == ["a", "b"]


async def test_all_that_is_known_of_a_step_is_kept(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])

    await saved(load_tests, a_step(**FULL))

    assert await load_tests.tests.step("step") == a_step(**FULL)


async def test_what_a_step_was_registered_with_stays(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])

    await saved(load_tests, a_step(name="b", namespace="b", test_run="b", order=2, uid="u"))

    assert await load_tests.tests.step("step") == a_step(uid="u")


async def test_a_test_follows_its_steps(load_tests):
    await load_tests.tests.register(a_test(), [a_step("a"), a_step("b", order=2)])

    await saved(load_tests, an_ended_step("a"))
    half_way = await load_tests.tests.test("test")
    await saved(load_tests, a_failed_step("b", order=2))
    over = await load_tests.tests.test("test")

    assert half_way.status is Status.RUNNING
    assert (over.status, over.started_at, over.completed_at) == (
        Status.FAILED,
        NOON,
        NOON + MINUTE,
    )
    assert over.reason == "step 2 'Step b': THRESHOLDS (runner 2)"


async def test_a_step_that_is_over_keeps_its_first_end(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])
    await saved(load_tests, a_failed_step())

    late = an_ended_step(logs=LogsState.COMPLETE, logs_detail="all")
    await saved(load_tests, late)

    expected = a_failed_step(logs=LogsState.COMPLETE, logs_detail="all")
    assert await load_tests.tests.step("step") == expected
    assert (await load_tests.tests.test("test")).status is Status.FAILED


async def test_a_cycle_that_was_overtaken_saves_nothing(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])
    old = await load_tests.cycles.begin(NOON)
    await load_tests.cycles.begin(NOON)

    with pytest.raises(Conflict, match=f"found {old}"):
        await load_tests.tests.save(old, [an_ended_step()], NOON)

    assert await load_tests.tests.step("step") == a_step()


async def test_who_never_began_a_cycle_saves_nothing(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])

    with pytest.raises(Conflict):
        await load_tests.tests.save(1, [an_ended_step()], NOON)


async def test_a_step_that_was_forgotten_meanwhile_harms_no_other(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])

    await saved(load_tests, an_ended_step("gone", test_id="gone"), an_ended_step())

    assert (await load_tests.tests.test("test")).status is Status.SUCCEEDED


async def test_tests_and_steps_are_listed_newest_first_and_in_pages(load_tests):
    for number in range(5):
        at = NOON + min(number, 3) * SECOND  # the last two at once
        test = a_test(f"t{number}", created_at=at)
        step = a_step(f"s{number}", test_id=test.id, registered_at=at)
        await load_tests.tests.register(test, [step])
    tests = load_tests.tests

    assert ids(await tests.tests(Which(limit=3))) == ["t4", "t3", "t2"]
    assert ids(await tests.tests(Which(limit=3, before="t4"))) == ["t3", "t2", "t1"]
    assert ids(await tests.tests(Which(before="t2"))) == ["t1", "t0"]
    assert ids(await tests.steps(Which(limit=3))) == ["s4", "s3", "s2"]
    assert ids(await tests.steps(Which(limit=3, before="s4"))) == ["s3", "s2", "s1"]
    assert ids(await tests.steps(Which(before="s2"))) == ["s1", "s0"]


@pytest.mark.parametrize("ask", ["tests", "steps"])
async def test_a_page_before_something_unknown_is_refused(load_tests, ask):
    with pytest.raises(Unknown, match="before"):
        await getattr(load_tests.tests, ask)(Which(before="other"))


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (Which(status=Status.SUCCEEDED), ["a"]),
        (Which(status=Status.PENDING), ["b"]),
        (Which(cluster="far"), ["b"]),
        (Which(namespace="load"), ["b", "a"]),
        (Which(cluster="far", namespace="other"), []),
        (Which(text="ÄRGER"), ["b"]),
        (Which(text="a_b"), ["b"]),
        (Which(text="a%b"), []),
        (Which(text="axb"), []),
        (Which(text="STEP A"), ["a"]),
        (Which(text="", status=Status.FAILED), []),
    ],
)
async def test_lists_are_of_what_fits(load_tests, which, found):
    a, b = a_step("a", test_id="a"), a_step("b", test_id="b", test_run="Ärger-a_b", cluster="far")
    await load_tests.tests.register(a_test("a"), [a])
    await load_tests.tests.register(a_test("b"), [b])
    await saved(load_tests, an_ended_step("a", test_id="a"))

    assert ids(await load_tests.tests.tests(which)) == found
    assert ids(await load_tests.tests.steps(which)) == found


async def test_tests_are_found_by_their_whole_name_and_steps_by_that_of_their_test_run(load_tests):
    for number, name in enumerate(["load", "load-2", "Load", "load"]):
        test = a_test(f"t{number}", name=name, created_at=NOON + number * SECOND)
        step = a_step(f"s{number}", test_id=test.id, name="load", test_run=f"run-{number}")
        await load_tests.tests.register(test, [step])

    assert ids(await load_tests.tests.tests(Which(named="load"))) == ["t3", "t0"]
    assert ids(await load_tests.tests.steps(Which(named="run-2"))) == ["s2"]
    assert await load_tests.tests.steps(Which(named="load")) == []


async def test_a_deleted_step_is_found_by_the_word_that_people_see(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])
    gone = {"phase": Phase.GONE, "result": Result.CANCELLED, "reason": Reason.DELETED}
    await saved(load_tests, a_step(completed_at=NOON, **gone))

    assert ids(await load_tests.tests.steps(Which(status=Status.DELETED))) == ["step"]
    assert ids(await load_tests.tests.tests(Which(status=Status.CANCELLED))) == ["test"]


async def test_steps_are_watched_until_they_are_over_and_their_logs_are_read(load_tests):
    steps = [a_step(name) for name in "abcde"]
    await load_tests.tests.register(a_test(), [*steps, a_step("f", namespace="a")])
    ends = zip("bcde", LogsState, strict=True)

    await saved(load_tests, *(an_ended_step(name, logs=logs) for name, logs in ends))

    assert ids(await load_tests.tests.under_way("main", "load")) == ["a", "b", "c"]
    assert await load_tests.tests.under_way("load", "main") == []
    assert await load_tests.tests.places() == [Place("main", "a"), Place("main", "load")]


async def test_a_step_whose_logs_are_read_at_last_is_not_watched_any_more(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])
    await saved(load_tests, an_ended_step())

    await saved(load_tests, an_ended_step(logs=LogsState.LOST))

    assert await load_tests.tests.places() == []


async def test_old_tests_are_forgotten_and_what_is_under_way_is_not(load_tests):
    for name in ("old", "new", "open"):
        await load_tests.tests.register(a_test(name), [a_step(name, test_id=name)])
    day = timedelta(days=1)
    new = an_ended_step("new", test_id="new", completed_at=NOON + day)
    await saved(load_tests, an_ended_step("old", test_id="old"), new)

    forgotten = await load_tests.tests.forget(NOON + day)

    assert forgotten == 1
    assert sorted(ids(await load_tests.tests.tests(Which()))) == ["new", "open"]
    assert await load_tests.tests.steps_of(["old"]) == []
    assert await load_tests.tests.forget(NOON + day) == 0


async def test_a_name_is_free_again_when_its_step_is_over(load_tests):
    await load_tests.tests.register(a_test(), [a_step("a", test_run="checkout")])
    await saved(load_tests, an_ended_step("a", test_run="checkout"))

    again = replace(a_step("b", test_run="checkout"), order=2)

    assert await load_tests.tests.register(a_test(), [again]) == [again]


async def test_what_is_watched_comes_oldest_first(load_tests):
    steps = [
        a_step(name, registered_at=NOON - number * SECOND) for number, name in enumerate("bac")
    ]
    await load_tests.tests.register(a_test(), steps)

    assert ids(await load_tests.tests.under_way("main", "load")) == ["c", "a", "b"]


async def test_however_many_old_tests_there_are_all_are_forgotten(load_tests):
    names = [f"t{number:02}" for number in range(25)]
    for name in names:
        await load_tests.tests.register(a_test(name), [a_step(name, test_id=name)])
    await saved(load_tests, *(an_ended_step(name, test_id=name) for name in names))

    assert await load_tests.tests.forget(NOON + timedelta(days=1)) == 25
    assert await load_tests.tests.tests(Which()) == []
    assert await load_tests.tests.places() == []


async def test_a_test_run_that_was_forgotten_may_be_watched_again(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])
    await saved(load_tests, an_ended_step(uid="u1"))
    await load_tests.tests.forget(NOON + timedelta(days=1))

    again = a_step("again", uid="u1")

    assert await load_tests.tests.register(a_test(), [again]) == [again]


async def test_several_tests_are_registered_together_each_by_the_same_rules(load_tests):
    watched = a_step("first", test_run="checkout")
    await load_tests.tests.register(a_test(), [watched])
    again = Group(a_test("again"), [a_step("second", test_id="again", test_run="checkout")])
    new = Group(a_test("new"), [a_step("third", test_id="new", test_run="search")])

    given = await load_tests.tests.register_all([again, new])

    assert given == [[watched], [new.steps[0]]]
    assert sorted(ids(await load_tests.tests.tests(Which()))) == ["new", "test"]


async def test_of_several_tests_all_are_registered_or_none(load_tests):
    good = Group(a_test("good"), [a_step("one", test_id="good")])

    with pytest.raises(Rejected, match="at least one step"):
        await load_tests.tests.register_all([good, Group(a_test("bad"), [])])

    assert await load_tests.tests.tests(Which()) == []
