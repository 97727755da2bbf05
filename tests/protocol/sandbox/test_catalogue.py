"""The project: its workflow, configurations, autotests and work items."""

from uuid import uuid4

import pytest

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, WORKFLOW_ID
from tests.protocol.sandbox.world import autotest


@pytest.mark.parametrize("surface", ["/api/v2", "/adapters"])
async def test_a_project_leads_to_the_statuses_of_its_workflow(world, surface):
    project = await world.ask("GET", f"{surface}/projects/{PROJECT_ID}")

    workflow = await world.ask("GET", f"{surface}/workflows/{project['workflowId']}")

    codes = [each["code"] for each in workflow["statuses"]]
    assert codes == ["Passed", "Failed", "Skipped", "Blocked", "InProgress", "Pending"]


@pytest.mark.parametrize("path", ["projects", "workflows", "configurations", "autoTests"])
async def test_what_is_unknown_is_not_found(world, path):
    assert (await world.http.get(f"/api/v2/{path}/{uuid4()}")).status_code == 404


async def test_configurations_are_found(world):
    added = await world.ask("POST", "/__sandbox__/configurations", {"name": "Firefox"})

    every = await world.ask("POST", "/api/v2/configurations/search", {})
    one = await world.ask("GET", f"/api/v2/configurations/{added['id']}")

    assert [each["id"] for each in every] == [str(CONFIGURATION_ID), added["id"]]
    assert one["name"] == "Firefox"


async def test_an_autotest_is_created_and_found_by_its_external_id(world):
    created = await world.ask("POST", "/adapters/autoTests", autotest("a", tags=["t"]))

    wanted = {"filter": {"projectIds": [str(PROJECT_ID)], "externalIds": ["a", "b"]}}
    found = await world.ask("POST", "/adapters/autoTests/search", wanted)

    assert [each["id"] for each in found] == [created["id"]]
    assert found[0]["tags"] == ["t"]


async def test_steps_links_and_labels_are_shown_where_they_are_asked_for(world):
    link = {"url": "https://example.org", "type": "Issue", "hasInfo": False}
    parts = {"steps": [{"title": "s"}], "links": [link], "labels": [{"name": "l"}]}
    await world.ask("POST", "/api/v2/autoTests", autotest("a", **parts))
    every = {"includeSteps": True, "includeLinks": True, "includeLabels": True}

    [bare] = await world.ask("POST", "/api/v2/autoTests/search", {})
    [full] = await world.ask("POST", "/api/v2/autoTests/search", {"includes": every})

    assert (bare["steps"], bare["links"], bare["labels"]) == (None, None, None)
    assert full["steps"][0]["title"] == "s"
    assert (full["links"][0]["type"], full["labels"][0]["name"]) == ("Issue", "l")


async def test_an_external_id_is_taken_once(world):
    await world.autotests("a")

    reply = await world.http.post("/api/v2/autoTests", json=autotest("a"))

    assert reply.status_code == 409


async def test_a_bulk_creates_all_or_none(world):
    await world.autotests("b")

    reply = await world.http.post("/adapters/autoTests/bulk", json=[autotest("a"), autotest("b")])

    found = await world.ask("POST", "/adapters/autoTests/search", {})
    assert reply.status_code == 409
    assert [each["externalId"] for each in found] == ["b"]


async def test_an_update_replaces_an_autotest(world):
    [created] = await world.autotests("a")

    reply = await world.http.put("/adapters/autoTests", json=autotest("a", name="new"))

    shown = await world.ask("GET", f"/api/v2/autoTests/{created['globalId']}")
    assert reply.status_code == 204
    assert (shown["id"], shown["name"]) == (created["id"], "new")


async def test_an_autotest_known_by_its_id_may_be_given_another_external_id(world):
    [created] = await world.autotests("old")

    await world.ask("PUT", "/api/v2/autoTests", autotest("new", id=created["id"]))

    assert (await world.ask("GET", f"/api/v2/autoTests/{created['id']}"))["externalId"] == "new"


async def test_a_key_that_is_neither_number_nor_id_finds_no_autotest(world):
    assert (await world.http.get("/api/v2/autoTests/nonsense")).status_code == 404


async def test_a_bulk_updates_all_or_none(world):
    await world.autotests("a")
    body = [autotest("a", name="new"), autotest("unheard of")]

    reply = await world.http.put("/adapters/autoTests/bulk", json=body)

    [found] = await world.ask("POST", "/adapters/autoTests/search", {})
    assert (reply.status_code, found["name"]) == (404, "Test a")


async def test_work_items_are_linked_and_unlinked(world):
    [created] = await world.autotests("a")
    links = f"/adapters/autoTests/{created['id']}/work-items"

    await world.ask("POST", links, {"id": "12"})
    await world.ask("POST", links, {"id": "13"})
    linked = await world.ask("GET", links)
    await world.ask("DELETE", f"{links}?workItemId={linked[0]['id']}")

    assert [each["globalId"] for each in linked] == [12, 13]
    assert [each["globalId"] for each in await world.ask("GET", links)] == [13]


async def test_a_work_item_is_known_by_its_number(world):
    shown = await world.ask("GET", "/adapters/workItems/77")

    assert shown["globalId"] == 77


async def test_a_work_item_that_nobody_numbered_is_not_found(world):
    assert (await world.http.get(f"/adapters/workItems/{uuid4()}")).status_code == 404


async def test_only_the_workflow_of_the_project_exists(world):
    assert (await world.http.get(f"/adapters/workflows/{WORKFLOW_ID}")).status_code == 200
