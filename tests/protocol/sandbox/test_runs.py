"""Runs: created, read, updated, started, stopped, completed."""

from uuid import uuid4

import pytest

from syncsvc.sandbox.identities import PROJECT_ID
from tests.protocol.sandbox.world import report


async def test_a_new_run_has_not_started(world):
    body = {"projectId": str(PROJECT_ID), "name": "nightly", "tags": ["ci"]}

    reply = await world.http.post("/api/v2/testRuns", json=body)

    run = reply.json()
    assert reply.status_code == 201
    assert (run["name"], run["stateName"], run["tags"]) == ("nightly", "NotStarted", ["ci"])


async def test_a_run_without_a_name_is_given_one(world):
    run = await world.run()

    assert (await world.ask("GET", f"/adapters/testRuns/{run}"))["name"].startswith("TestRun_")


async def test_an_update_replaces_name_tags_and_links(world):
    run = await world.run(name="old", tags=["x"])
    link = {"url": "https://ci.example/1", "type": "Related", "hasInfo": False}
    body = {"id": run, "name": "new", "tags": ["x", "y"], "links": [link]}

    reply = await world.http.put("/api/v2/testRuns", json=body)

    shown = await world.ask("GET", f"/api/v2/testRuns/{run}")
    assert reply.status_code == 204
    assert (shown["name"], shown["tags"]) == ("new", ["x", "y"])
    assert shown["links"][0]["url"] == "https://ci.example/1"


@pytest.mark.parametrize("verb", ["start", "stop", "complete"])
async def test_a_state_cannot_be_reached_twice(world, verb):
    run = await world.run()
    await world.ask("POST", f"/adapters/testRuns/{run}/{verb}")

    reply = await world.http.post(f"/adapters/testRuns/{run}/{verb}")

    assert reply.status_code == 400
    assert reply.json()["detail"].startswith("the StateName is already ")


async def test_a_run_completed_by_request_says_so(world):
    run = await world.run()

    await world.ask("POST", f"/api/v2/testRuns/{run}/complete")

    assert [each["by"] for each in (await world.seen(run))["completions"]] == ["request"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/start"), ("POST", "/stop"), ("POST", "/complete")],
)
async def test_an_unknown_run_is_not_found(world, method, path):
    reply = await world.http.request(method, f"/api/v2/testRuns/{uuid4()}{path}")

    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"


async def test_results_for_an_unknown_run_are_not_found(world):
    await world.autotests("a")

    assert (await world.refused(str(uuid4()), report("a"))).status_code == 404


async def test_a_run_in_an_unknown_project_is_not_found(world):
    reply = await world.http.post("/api/v2/testRuns", json={"projectId": str(uuid4())})

    assert reply.status_code == 404
