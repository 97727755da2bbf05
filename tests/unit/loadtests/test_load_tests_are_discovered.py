"""TestRuns that a selector takes are taken up and watched in the same cycle."""

from dataclasses import replace

import pytest

from syncsvc.errors import Unavailable
from syncsvc.loadtests.clusters import Forbidden
from syncsvc.loadtests.grouping import grouped
from syncsvc.loadtests.model import Phase, Result
from syncsvc.loadtests.ports import Place, Which
from tests.support.builders import MINUTE, NOON, SECOND, ids
from tests.support.clusters import a_test_run, stamped
from tests.unit.loadtests.watch import Watch


@pytest.fixture
def watch() -> Watch:
    return Watch(discovers="app=k6")


K6 = {"app": "k6"}


def of(test: str, step: str, order: str) -> dict[str, str]:
    return {**K6, "testrun": test, "step": step, "stepOrder": order}


async def tests_of(watch) -> list[tuple[str, list[str]]]:
    shown = await watch.showing.listed(Which())
    return sorted((each.test.name, [step.name for step in each.steps]) for each in shown)


async def test_what_is_discovered_is_watched_in_the_same_cycle(watch):
    watch.main.launch("checkout", labels=K6)
    watch.main.emit("checkout", stamped(1))

    report = await watch.cycle()

    assert (await watch.step()).phase is Phase.RUNNING
    assert (await watch.log()).cursor.lines == 1
    assert (report.total, report.updated, report.errors, report.logs_updated) == (1, 1, 0, 1)


async def test_what_the_selector_does_not_take_is_left_alone(watch):
    watch.main.launch("shop", labels={"app": "shop"})

    report = await watch.cycle()

    assert report.total == 0


async def test_a_run_that_is_over_already_is_seen_to_its_end(watch):
    watch.main.launch("checkout", labels=K6)
    watch.main.end("checkout", 0)

    await watch.cycle()

    assert (await watch.step()).result is Result.SUCCEEDED


async def test_every_place_of_every_cluster_is_looked_at(watch):
    watch.main.launch("a", labels=K6)
    watch.main.launch("a", "other", labels=K6, uid="another")
    watch.clusters["far"].launch("a", "far-load", labels=K6)

    report = await watch.cycle()

    assert report.total == 3
    assert len(await watch.tests.tests(Which())) == 3


async def test_labels_say_which_test_runs_are_steps_of_one_load_test(watch):
    watch.main.launch("x", labels=of("42", "peak", "10"))
    watch.main.launch("y", labels=of("42", "warm-up", "9"))
    watch.main.launch("z", labels=K6)

    await watch.cycle()

    assert await tests_of(watch) == [("42", ["warm-up", "peak"]), ("z", ["z"])]


async def test_a_step_that_comes_later_joins_its_load_test(watch):
    watch.main.launch("x", labels=of("42", "warm-up", "1"))
    await watch.cycle()
    watch.main.launch("y", labels=of("42", "peak", "2"))

    await watch.cycle()

    assert await tests_of(watch) == [("42", ["warm-up", "peak"])]


async def test_steps_without_an_order_come_as_the_cluster_made_them(watch):
    for number, name in enumerate("dbca"):
        made = {"created_at": NOON + number * SECOND}
        watch.main.launch(name, labels={**K6, "testrun": "42"}, **made)

    await watch.cycle()

    assert await tests_of(watch) == [("42", ["d", "b", "c", "a"])]


@pytest.mark.parametrize("order", ["", "x", "-1", "1.5", "\u0663", "9" * 40])
def test_a_step_whose_order_is_no_number_is_the_first(order):
    run = a_test_run("a", "load", labels={"stepOrder": order})

    [group] = grouped(Place("main", "load"), [run], NOON, ids())

    assert group.steps[0].order == 1


def test_one_label_in_two_places_is_two_load_tests():
    run = a_test_run("a", "load", labels={"testrun": "42"})
    places = [Place("main", "load"), Place("main", "other"), Place("far", "load")]

    found = {grouped(place, [run], NOON, ids())[0].test.id for place in places}

    assert len(found) == 3


def test_the_same_test_runs_are_the_same_load_test_in_every_process():
    runs = [a_test_run(name, "load", labels={"testrun": "42"}) for name in "ab"]

    one = grouped(Place("main", "load"), runs, NOON, ids("x"))
    other = grouped(Place("main", "load"), runs[::-1], NOON + MINUTE, ids("y"))

    assert [group.test for group in one] == [group.test for group in other]
    assert [step.test_run for step in one[0].steps] == [step.test_run for step in other[0].steps]


@pytest.fixture
def registered(watch) -> list[int]:
    """Count the steps that are registered, each time."""
    registered = []

    class Counting:
        def __getattr__(self, name):
            return getattr(watch.tests, name)

        async def register_all(self, groups):
            registered.append(sum(len(group.steps) for group in groups))
            return await watch.tests.register_all(groups)

    watch.registering = replace(watch.registering, tests=Counting())
    watch.restart()
    return registered


async def test_what_is_known_is_not_registered_again_in_each_cycle(watch, registered):
    watch.main.launch("a", labels=K6)

    for _ in range(3):
        await watch.cycle()
    watch.main.launch("b", labels=K6)
    await watch.cycle()

    assert registered == [1, 1]


async def test_another_process_registers_nothing_that_is_watched(watch, registered):
    watch.main.launch("a", labels=K6)
    await watch.cycle()

    watch.restart()
    await watch.cycle()

    assert registered == [1]


async def test_another_process_takes_up_nothing_twice_that_is_over(watch):
    watch.main.launch("a", labels=K6)
    watch.main.end("a", 0)
    await watch.cycle()
    await watch.cycle()

    watch.restart()
    await watch.cycle()

    assert len(await watch.tests.steps(Which())) == 1


async def test_what_somebody_named_before_is_not_taken_up_as_another(watch):
    watch.main.launch("checkout", labels=K6)
    named = await watch.watched()

    await watch.cycle()

    assert [step.id for step in await watch.tests.steps(Which())] == [named.id]


async def test_another_run_of_the_same_name_is_taken_up_when_the_one_before_is_over(watch):
    watch.main.launch("checkout", labels=K6)
    await watch.cycle()
    watch.main.remove("checkout")
    watch.main.launch("checkout", labels=K6, uid="another", created_at=NOON + MINUTE)

    for _ in range(3):
        await watch.cycle()

    steps = await watch.tests.steps(Which())
    assert sorted((step.uid, step.phase) for step in steps) == [
        ("another", Phase.RUNNING),
        ("uid-checkout", Phase.GONE),
    ]


async def test_a_place_that_is_forbidden_is_an_error_by_its_name(watch):
    watch.main.errors["other"] = Forbidden("namespace 'other': no right to list testruns.k6.io")
    watch.main.launch("checkout", labels=K6)

    report = await watch.cycle()

    [error] = report.step_errors
    assert (report.total, report.updated, report.errors) == (1, 1, 1)
    assert (error.name, error.error) == (
        "main/other",
        "namespace 'other': no right to list testruns.k6.io",
    )


async def test_a_place_that_is_away_is_an_error_for_each_of_its_steps(watch):
    watch.main.launch("checkout", labels=K6)
    await watch.cycle()
    watch.main.errors["load"] = Unavailable("503")

    report = await watch.cycle()

    assert [error.name for error in report.step_errors] == ["checkout"]
    assert (await watch.step()).stale.last_error == "503"


async def test_what_began_while_its_place_was_away_is_taken_up_afterwards(watch):
    watch.main.errors["load"] = Unavailable("503")
    watch.main.launch("checkout", labels=K6)
    await watch.cycle()
    watch.main.errors.clear()

    await watch.cycle()

    assert (await watch.step()).phase is Phase.RUNNING


async def test_what_was_taken_up_and_is_gone_in_the_next_cycle_is_seen_to_be_gone(watch):
    watch.main.launch("checkout", labels=K6)
    await watch.cycle()
    watch.main.remove("checkout")

    await watch.cycle()
    await watch.cycle()

    assert (await watch.step()).phase is Phase.GONE
