"""What is said to somebody who asks for load tests that cannot be watched, over a real API."""

from collections.abc import AsyncIterator

import pytest

from syncsvc.errors import Denied, Rejected, Unknown
from syncsvc.loadtests.clusters import Forbidden
from syncsvc.loadtests.model import Phase
from syncsvc.loadtests.registering import WishedStep
from syncsvc.loadtests.selecting import selector
from tests.integration.loadtests.watched import Watched, a_watched

EVERYTHING = selector("selector", "*")
OPERATOR = "cluster 'main' answered 404 to list testruns.k6.io in namespace 'k6-runs'"


@pytest.fixture
async def world(sqlite) -> AsyncIterator[Watched]:
    async with a_watched(sqlite, "second") as watched:
        yield watched


@pytest.mark.parametrize(
    ("wished", "words"),
    [
        (WishedStep("Load_Test"), "steps[0].test_run: expected the name of a TestRun"),
        (WishedStep("../pods"), "found '../pods'"),
        (WishedStep(""), "found ''"),
        (WishedStep("load", name="a\nb"), "steps[0].name: expected 1 to 200 printable"),
        (WishedStep("load", namespace="k6/runs"), "steps[0].namespace: expected a namespace"),
    ],
)
async def test_a_bad_name_is_refused_with_its_field(world, wished, words):
    with pytest.raises(Rejected) as refused:
        await world.registering.watch("nightly", [wished])

    assert words in str(refused.value)


async def test_a_context_that_is_not_configured_is_refused_with_those_that_are(world):
    with pytest.raises(Unknown) as refused:
        await world.registering.watch("nightly", [WishedStep("load", cluster="moon")])

    assert str(refused.value) == "cluster: expected one of 'main', 'second', found 'moon'"


@pytest.mark.parametrize(
    ("verb", "resource", "words"),
    [
        ("list", "testruns", "kubectl auth can-i list testruns.k6.io --namespace k6-runs"),
        ("list", "pods", "kubectl auth can-i list pods --namespace k6-runs"),
        ("list", "jobs", "kubectl auth can-i list jobs.batch --namespace k6-runs"),
    ],
)
async def test_a_forbidden_namespace_names_the_right_that_lacks(world, verb, resource, words):
    forbidden = [{"verb": verb, "resource": resource, "namespace": "k6-runs"}]
    await world.k8s.tell("PUT", "/switches", {"forbidden": forbidden})

    with pytest.raises(Forbidden) as refused:
        await world.registering.discover(EVERYTHING)

    assert words in str(refused.value)


async def test_a_step_in_a_forbidden_namespace_is_refused_with_the_right_that_lacks(world):
    await world.k8s.tell("PUT", "/switches", {"forbidden": [{"namespace": "k6-runs"}]})

    with pytest.raises(Forbidden) as refused:
        await world.watch("load")

    assert "kubectl auth can-i get testruns.k6.io --namespace k6-runs" in str(refused.value)


async def test_a_log_that_may_not_be_read_is_an_error_that_names_the_right(world):
    await world.k8s.testruns(name="load", until="started")
    await world.watch("load")
    await world.k8s.tell("PUT", "/switches", {"forbidden": [{"resource": "pods/log"}]})

    report = await world.cycle()

    [error] = report.step_errors
    assert "kubectl auth can-i get pods --subresource=log --namespace k6-runs" in error.error
    assert (await world.step("load")).phase is Phase.RUNNING


async def test_a_token_that_is_not_known_is_refused(world):
    await world.k8s.tell("PUT", "/switches", {"tokens": []})

    with pytest.raises(Denied, match="it does not know our credentials"):
        await world.registering.discover(EVERYTHING)


async def test_a_cluster_without_the_operator_is_told(world):
    await world.k8s.tell("PUT", "/switches", {"crd": False})

    with pytest.raises(Unknown, match=r"it has no testruns\.k6\.io at all") as refused:
        await world.registering.discover(EVERYTHING)

    assert OPERATOR in str(refused.value)


async def test_a_run_that_is_not_there_yet_is_watched_from_its_birth_on(world):
    registered = await world.registering.watch("nightly", [WishedStep("load")])
    await world.cycle()
    await world.k8s.testruns(name="load", until="started")
    await world.cycle()

    assert registered.notes == ["load: not there yet in namespace 'k6-runs'"]
    assert (await world.step("load")).phase is Phase.RUNNING


async def test_runs_of_one_name_in_two_clusters_are_steps_of_one_load_test(world):
    for cluster in ("main", "second"):
        wish = {"name": "load", "until": "started"}
        await world.k8s.tell("POST", f"/testruns?cluster={cluster}", wish)

    registered = await world.registering.watch(
        "nightly", [WishedStep("load", cluster="main"), WishedStep("load", cluster="second")]
    )
    await world.cycle()

    steps = await world.tests.steps_of([registered.test.id])
    assert [(step.cluster, step.phase) for step in steps] == [
        ("main", Phase.RUNNING),
        ("second", Phase.RUNNING),
    ]
