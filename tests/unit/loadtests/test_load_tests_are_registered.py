"""Load tests that somebody names are watched; what cannot be is said at once."""

from dataclasses import replace

import pytest

from syncsvc.errors import Denied, Rejected, Unavailable, Unknown
from syncsvc.loadtests.clusters import Forbidden
from syncsvc.loadtests.first_looks import AT_ONCE
from syncsvc.loadtests.model import Phase
from syncsvc.loadtests.ports import Place, Which
from syncsvc.loadtests.registering import MOST_LABELS, MOST_STEPS, WishedStep
from syncsvc.loadtests.selecting import selector
from tests.support.builders import NOON
from tests.unit.loadtests.watch import Watch

AWAY = Unavailable("cluster 'main' did not answer within 10 s")
FORBIDDEN = Forbidden("namespace 'load': we lack the right to get testruns.k6.io")


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def test_named_test_runs_are_the_ordered_steps_of_one_load_test(watch):
    watch.main.launch("warm-up")
    wished = [WishedStep("warm-up", "Warm up"), WishedStep("peak", namespace="other")]

    found = await watch.registering.watch("Checkout", wished, {"team": "a"})

    assert (found.test.name, found.test.created_at) == ("Checkout", NOON)
    assert found.test.labels == {"team": "a"}
    assert [(step.name, step.namespace) for step in found.steps] == [
        ("Warm up", "load"),
        ("peak", "other"),
    ]
    assert [step.order for step in found.steps] == sorted({step.order for step in found.steps})
    assert found.new == [step.id for step in found.steps]


async def test_what_is_there_already_is_taken_in(watch):
    watch.main.launch("checkout", cleans_up=True)

    step = await watch.watched()

    assert (step.uid, step.run_created_at, step.cleans_up) == ("uid-checkout", NOON, True)


async def test_what_is_not_there_yet_is_watched_and_noted(watch):
    found = await watch.registering.watch("Checkout", [WishedStep("later")])

    assert found.steps[0].uid is None
    assert found.notes == ["later: not there yet in namespace 'load'"]


async def test_a_cluster_that_is_away_is_noted_once_for_each_step(watch):
    watch.main.down = AWAY

    found = await watch.registering.watch("Checkout", [WishedStep("a"), WishedStep("b")])

    assert found.notes == [f"{name}: not seen yet: {AWAY}" for name in "ab"]
    assert len(await watch.tests.under_way("main", "load")) == 2


async def test_a_cluster_that_is_away_is_not_asked_for_each_of_many_steps(watch):
    watch.main.down = AWAY
    watch.clusters["far"].launch("near", "far-load")
    many = [WishedStep(f"run-{number}") for number in range(MOST_STEPS - 1)]

    found = await watch.registering.watch("Many", [*many, WishedStep("near", cluster="far")])

    assert watch.main.calls["get"] <= AT_ONCE
    assert len(found.notes) == MOST_STEPS - 1
    assert found.steps[-1].uid == "uid-near"


@pytest.mark.parametrize("error", [FORBIDDEN, Denied("we are not known")])
async def test_where_we_may_not_look_nothing_is_watched(watch, error):
    watch.main.errors["load"] = error

    with pytest.raises(type(error), match=str(error)):
        await watch.watched()

    assert await watch.tests.tests(Which()) == []


async def test_watching_twice_is_watching_once(watch):
    watch.main.launch("checkout")
    first = await watch.registering.watch("Checkout", [WishedStep("checkout")])

    again = await watch.registering.watch("Other", [WishedStep("checkout")])

    assert again.steps == first.steps
    assert (again.test, again.new) == (first.test, [])


async def test_a_run_that_is_over_and_still_there_is_given_as_it_ended(watch):
    watch.main.launch("checkout")
    await watch.watched()
    watch.main.end("checkout", 0)
    await watch.cycle()

    again = await watch.registering.watch("Other", [WishedStep("checkout")])

    assert again.new == []
    assert again.steps[0].phase is Phase.FINISHED


async def test_a_test_with_known_and_new_steps_is_the_one_of_the_new(watch):
    known = await watch.watched("a")

    found = await watch.registering.watch("Both", [WishedStep("a"), WishedStep("b")])

    assert found.test.name == "Both"
    assert found.steps[0] == known
    assert found.new == [found.steps[1].id]
    assert found.steps[1].test_id == found.test.id


async def test_test_runs_of_one_name_in_two_places_are_two_steps(watch):
    wished = [
        WishedStep("run", namespace="same"),
        WishedStep("run", namespace="other"),
        WishedStep("run", namespace="same", cluster="far"),
    ]

    found = await watch.registering.watch("Everywhere", wished)

    assert len(found.new) == 3


async def test_a_test_run_is_named_once(watch):
    wished = [WishedStep("run"), WishedStep("run", "again", namespace="load", cluster="main")]

    with pytest.raises(Rejected, match="steps: expected each once, found 'main/load/run' twice"):
        await watch.registering.watch("Checkout", wished)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (WishedStep(""), "steps[1].test_run"),
        (WishedStep("Upper"), "steps[1].test_run"),
        (WishedStep("a..b"), "steps[1].test_run"),
        (WishedStep("../secrets"), "steps[1].test_run"),
        (WishedStep("a\n"), "steps[1].test_run"),
        (WishedStep("ok", "\0"), "steps[1].name"),
        (WishedStep("ok", ""), "steps[1].name"),
        (WishedStep("ok", namespace="a.b"), "steps[1].namespace"),
        (WishedStep("ok", namespace="-a"), "steps[1].namespace"),
    ],
)
async def test_a_name_that_cannot_be_is_refused_by_its_field(watch, wish, field):
    with pytest.raises(Rejected) as raised:
        await watch.registering.watch("Checkout", [WishedStep("good"), wish])

    assert str(raised.value).startswith(f"{field}: expected")
    assert watch.main.calls.total() == 0


@pytest.mark.parametrize("name", ["", "  ", "a\tb", "x" * 201])
async def test_a_load_test_has_a_name_that_can_be_shown(watch, name):
    with pytest.raises(Rejected, match=r"^name: expected 1 to 200 printable characters"):
        await watch.registering.watch(name, [WishedStep("run")])


@pytest.mark.parametrize("count", [0, MOST_STEPS + 1])
async def test_a_load_test_has_some_steps_and_not_too_many(watch, count):
    wished = [WishedStep(f"run-{number}") for number in range(count)]

    with pytest.raises(Rejected, match=f"steps: expected 1 to {MOST_STEPS}, found {count}"):
        await watch.registering.watch("Checkout", wished)


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        ({str(number): "x" for number in range(MOST_LABELS + 1)}, "labels"),
        ({"": "x"}, "labels"),
        ({"team": "a\nb"}, "labels.team"),
    ],
)
async def test_labels_that_cannot_be_shown_are_refused(watch, labels, field):
    with pytest.raises(Rejected, match=f"^{field}: expected"):
        await watch.registering.watch("Checkout", [WishedStep("run")], labels)


async def test_an_unknown_cluster_is_refused_with_those_that_are_configured(watch):
    with pytest.raises(Unknown, match="expected one of main, far, found 'moon'"):
        await watch.watched(cluster="moon")


def test_where_no_place_is_named_the_first_is_meant(watch):
    place = watch.registering.place

    assert place(None, None) == Place("main", "load")
    assert place("far", None) == Place("far", "far-load")
    assert place(None, "other") == Place("main", "other")


async def test_all_that_a_selector_takes_is_watched_when_somebody_asks_for_it(watch):
    watch.main.launch("a", labels={"app": "k6"})
    watch.main.launch("b", labels={"app": "shop"})
    watch.main.launch("c", "other", labels={"app": "k6"})

    found = await watch.registering.discover(selector("selector", "app=k6"))

    assert [[step.test_run for step in each.steps] for each in found] == [["a"]]


async def test_asking_for_them_again_finds_the_same(watch):
    watch.main.launch("a")
    [first] = await watch.registering.discover(selector("selector", "*"))

    [again] = await watch.registering.discover(selector("selector", "*"))

    assert (again.test, again.steps, again.new) == (first.test, first.steps, [])


@pytest.mark.parametrize("error", [FORBIDDEN, AWAY])
async def test_a_place_that_cannot_be_seen_is_no_empty_one(watch, error):
    watch.main.errors["load"] = error

    with pytest.raises(type(error), match=str(error)):
        await watch.registering.discover(selector("selector", "*"))


async def test_a_cycle_is_due_at_once_for_what_is_new_and_not_for_what_is_known(watch):
    hurried = []

    class Hurried:
        async def hurry(self, at):
            hurried.append(at)

    registering = replace(watch.registering, control=Hurried())
    await registering.watch("shop", [WishedStep("checkout")])

    await registering.watch("shop", [WishedStep("checkout")])

    assert hurried == [watch.clock()]
