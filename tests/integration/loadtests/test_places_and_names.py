"""Several clusters and namespaces at once, many steps, and names that come again."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from syncsvc.loadtests.collecting import LogTerms
from syncsvc.loadtests.cycle import CycleTerms
from syncsvc.loadtests.model import LogsState, Phase, Reason, Result, Status
from syncsvc.loadtests.ports import Which
from syncsvc.loadtests.registering import WishedStep
from syncsvc.loadtests.selecting import selector
from tests.integration.loadtests.watched import Watched, a_watched
from tests.support.ports import own_port

FAILED = (Phase.FINISHED, Result.FAILED, Reason.THRESHOLDS)
SUCCEEDED = (Phase.FINISHED, Result.SUCCEEDED, None)
DELETED = (Phase.GONE, Result.CANCELLED, Reason.DELETED)


@pytest.fixture
async def world(sqlite) -> AsyncIterator[Watched]:
    async with a_watched(sqlite, "second") as watched:
        yield watched


async def test_of_a_thousand_steps_the_five_of_a_forbidden_namespace_fail_and_are_named(world):
    wish = {"labels": {"testrun": "big"}, "parallelism": 1, "until": "started"}
    await world.k8s.testruns(name="load", count=995, **wish)
    await world.k8s.testruns(name="shut", count=5, namespace="sealed", **wish)
    for namespace in ("k6-runs", "sealed"):
        await world.registering.discover(selector("selector", "*"), namespace=namespace)
    await world.k8s.tell("PUT", "/switches", {"forbidden": [{"namespace": "sealed"}]})
    world.terms = CycleTerms(logs=LogTerms(calls=100))

    with capture_logs() as lines:
        report = await world.cycle()

    [line] = [line for line in lines if line["event"] == "load tests looked at"]
    [kept] = await world.showing.latest_cycles(1)
    assert (report.total, report.updated, report.errors) == (1000, 995, 5)
    assert (line["total"], line["updated"], line["errors"]) == (1000, 995, 5)
    names = [f"shut-{number}" for number in range(5)]
    assert sorted(error.name for error in kept.report.step_errors) == names
    assert sorted(told.partition(":")[0] for told in line["step_errors"]) == names
    assert all("kubectl auth can-i list" in error.error for error in kept.report.step_errors)


async def test_one_cluster_that_is_down_keeps_no_other_waiting(world):
    await world.k8s.testruns(name="here", until="started")
    await world.k8s.testruns(name="aside", namespace="team-b", until="started")
    await world.k8s.tell("POST", "/testruns?cluster=second", {"name": "there", "until": "started"})
    await world.watch("here")
    await world.watch("aside", namespace="team-b")
    await world.watch("there", cluster="second")
    await world.restart(second=f"http://127.0.0.1:{own_port()}")

    report = await world.cycle()
    down = await world.step("there")
    await world.restart()
    await world.cycle()

    assert [(error.name, "connection" in error.error) for error in report.step_errors] == [
        ("there", True)
    ]
    assert (report.total, report.updated) == (3, 2)
    assert (down.phase, down.stale is not None) == (Phase.PENDING, True)
    for name in ("here", "aside", "there"):
        step = await world.step(name)
        assert (step.phase, step.stale) == (Phase.RUNNING, None)
        assert await world.kept(step) == world.emitted(name)


async def test_one_of_four_runners_that_crosses_a_threshold_is_named(world):
    scenario = {"exits": [0, 0, 99, 0]}
    await world.k8s.testruns(name="load", parallelism=4, scenario=scenario, until="end")
    await world.watch("load")

    await world.cycle()

    shown = await world.showing.test("load")
    [step] = shown.steps
    assert shown.test.status is Status.FAILED
    assert (step.phase, step.result, step.reason) == FAILED
    assert "runner 3" in step.detail
    assert "runner 1" not in step.detail
    crossed = [each.crossed_by for each in await world.showing.summary(step) if each.crossed_by]
    assert {tuple(by) for by in crossed} == {(3,)}


async def test_a_run_made_again_under_its_name_is_another_run(world):
    await world.k8s.testruns(name="load", scenario={"exits": [99]}, until="started")
    await world.watch("load")
    await world.cycle()
    await world.k8s.step("end", name="load")
    await world.cycle()
    first = await world.step("load")
    kept = await world.kept(first)
    await world.k8s.tell(
        "POST", "/testruns/k6-runs/load/recreate", {"scenario": {}, "until": "started"}
    )

    await world.watch("load")
    await world.cycle()
    await world.k8s.step("end", name="load")
    await world.cycle()

    second, unchanged = await world.tests.steps(Which(limit=2))
    assert (second.phase, second.result, second.reason) == SUCCEEDED
    assert (first.phase, first.result, first.reason) == FAILED
    assert unchanged == first
    assert second.uid != first.uid
    assert await world.kept(first) == kept
    assert {**kept, **await world.kept(second)} == world.emitted("load")
    assert not kept.keys() & (await world.kept(second)).keys()


async def test_a_run_that_another_took_the_place_of_is_told_as_deleted(world):
    await world.k8s.testruns(name="load", until="started")
    await world.watch("load")
    await world.cycle()
    await world.k8s.tell("POST", "/testruns/k6-runs/load/recreate", {"until": "started"})

    await world.cycle()

    step = await world.step("load")
    assert (step.phase, step.result, step.reason) == DELETED
    assert step.status is Status.DELETED
    assert step.logs is LogsState.LOST


@pytest.mark.parametrize(
    ("seen_last", "end"),
    [
        ("started", DELETED),
        ("stopped", SUCCEEDED),
        ("finished", SUCCEEDED),
    ],
)
async def test_a_run_that_vanished_is_told_by_what_was_last_seen(world, seen_last, end):
    await world.k8s.testruns(name="load", until="started")
    await world.watch("load")
    await world.cycle()
    await world.k8s.step(seen_last, name="load")
    await world.cycle()
    await world.k8s.tell("DELETE", "/testruns/k6-runs/load")
    await world.k8s.step("end", name="load")

    for _ in range(2):
        await world.cycle()

    step = await world.step("load")
    assert (step.phase, step.result, step.reason) == end


async def test_one_name_in_several_namespaces_is_as_many_runs(world):
    for namespace, code in (("k6-runs", 0), ("team-b", 99)):
        scenario = {"exits": [code]}
        await world.k8s.testruns(name="load", namespace=namespace, scenario=scenario, until="end")
    wished = [WishedStep("load"), WishedStep("load", namespace="team-b")]
    registered = await world.registering.watch("nightly", wished)

    await world.cycle()

    steps = await world.tests.steps_of([registered.test.id])
    assert [(step.phase, step.result, step.reason) for step in steps] == [SUCCEEDED, FAILED]
    assert (await world.tests.test(registered.test.id)).status is Status.FAILED
