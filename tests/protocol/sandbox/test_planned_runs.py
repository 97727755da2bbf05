"""Runs from a plan (adapter mode 0): results exist beforehand, bound to test points."""

from uuid import uuid4

import pytest

from syncsvc.sandbox.identities import CONFIGURATION_ID, NOTHING
from tests.protocol.sandbox.world import report


async def plan(world, *results):
    body = {"name": "from a plan", "results": list(results)}
    return await world.ask("POST", "/__sandbox__/runs", body)


async def test_a_planned_run_knows_its_results_beforehand(world):
    run = await plan(world, {"external_id": "a"}, {"external_id": "b", "name": "B"})

    wanted = {"testRunIds": [run["id"]], "configurationIds": [str(CONFIGURATION_ID)]}
    found = await world.ask("POST", "/adapters/testResults/search", wanted)

    assert run["state"] == "InProgress"
    assert [(each["name"], each["status"]["type"]) for each in found] == [
        ("a", "InProgress"),
        ("B", "InProgress"),
    ]


async def test_a_planned_result_stands_on_a_test_point(world):
    run = await plan(world, {"external_id": "a", "parameters": {"n": "1"}})

    shown = await world.result(run["results"][0]["id"])

    assert shown["testPointId"] == run["results"][0]["test_point_id"] != str(NOTHING)
    assert shown["parameters"] == {"n": "1"}


async def test_a_post_leaves_the_planned_result_open(world):
    run = await plan(world, {"external_id": "a"})

    await world.send(run["id"], report("a"))

    seen = await world.seen(run["id"])
    assert [each["status"] for each in seen["results"]] == ["InProgress", "Succeeded"]
    assert seen["state"] == "InProgress"


async def test_a_put_of_the_planned_result_closes_the_run(world):
    run = await plan(world, {"external_id": "a"})
    planned = run["results"][0]["id"]

    await world.ask("PUT", f"/adapters/testResults/{planned}", {"statusType": "Succeeded"})

    seen = await world.seen(run["id"])
    assert (seen["state"], seen["results"][0]["finalised"]) == ("Completed", 1)


async def test_a_post_fills_the_planned_result_where_the_rules_say_so(world):
    await world.ask("PUT", "/__sandbox__/rules", {"bound_results": "fill"})
    expected = [{"external_id": "a", "parameters": {"n": number}} for number in "12"]
    run = await plan(world, *expected)

    [filled] = await world.send(run["id"], report("a", parameters={"n": "2"}))

    seen = await world.seen(run["id"])
    assert filled == run["results"][1]["id"]
    assert [each["status"] for each in seen["results"]] == ["InProgress", "Succeeded"]


async def test_results_are_listed_by_test_point(world):
    run = await plan(world, {"external_id": "a"})
    await world.send(run["id"], report("a"))

    points = await world.ask("GET", f"/api/v2/testRuns/{run['id']}/testPoints/results")

    assert [each["testPointId"] for each in points] == [run["results"][0]["test_point_id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "results"),
        ({"results": [{}]}, "results[0].external_id"),
        ({"results": [{"external_id": ""}]}, "results[0].external_id"),
        ({"results": [], "nmae": "x"}, "nmae"),
    ],
)
async def test_a_bad_plan_is_refused_by_the_name_of_its_field(world, body, field):
    reply = await world.http.post("/__sandbox__/runs", json=body)

    assert (reply.status_code, list(reply.json()["errors"])) == (400, [field])


async def test_a_plan_with_an_unknown_configuration_makes_no_run(world):
    results = [{"external_id": "a", "configuration_id": str(uuid4())}]

    reply = await world.http.post("/__sandbox__/runs", json={"results": results})

    assert reply.status_code == 404
    assert (await world.ask("GET", "/__sandbox__/state"))["runs"] == []
