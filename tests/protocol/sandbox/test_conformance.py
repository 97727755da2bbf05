"""Every reply of /api/v2 is valid under the vendor's OpenAPI file.

The file is not ours to ship: SYNCSVC_TESTIT_OPENAPI names it, and without it nothing is judged.
"""

import os
from pathlib import Path
from uuid import uuid4

import jsonschema
import pytest

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, WORKFLOW_ID
from tests.protocol.sandbox.contract import Contract
from tests.protocol.sandbox.world import World, autotest, report

BESIDE = Path(__file__).parents[4] / "shared" / "specs" / "testit-openapi.json"
OPENAPI = Path(os.environ.get("SYNCSVC_TESTIT_OPENAPI", BESIDE))  # read before tests hide it
LINK = {"url": "https://example.org", "type": "Issue", "title": "t", "hasInfo": True}

pytestmark = pytest.mark.skipif(not OPENAPI.exists(), reason=f"{OPENAPI} is absent")


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(OPENAPI)


@pytest.fixture
def judged(world, contract) -> World:
    """The same world, where every reply is judged as it comes in."""
    world.http.event_hooks["response"].append(contract.judge)
    return world


async def full_result(world):
    """Send a result that has everything a result may have."""
    steps = [{"title": "s"}]
    test = autotest("full", steps=steps, links=[LINK], labels=[{"name": "l"}], tags=["t"])
    await world.ask("POST", "/api/v2/autoTests", test)
    reply = await world.http.post("/api/v2/attachments", files={"file": ("a.txt", b"x")})
    attachments = [{"id": reply.json()["id"]}]
    run = await world.run(name="r", links=[LINK], attachments=attachments, tags=["t"])
    step = {
        "title": "s",
        "outcome": "Failed",
        "duration": 1,
        "startedOn": "2026-01-01T00:00:00",
        "attachments": attachments,
        "stepResults": [{"title": "i", "parameters": {"a": "b"}}],
    }
    told = {
        "statusCode": "Blocked",
        "message": "m",
        "traces": "t",
        "duration": 1,
        "links": [LINK],
        "attachments": attachments,
        "parameters": {"a": "b"},
        "properties": {"c": "d"},
        "startedOn": "2026-01-01T00:00:00Z",
        "completedOn": "2026-01-01T00:00:00.1234567+03:00",
        "stepResults": [step],
        "setupResults": [step],
        "teardownResults": [step],
    }
    [result] = await world.send(run, report("full", **told))
    return run, result


async def test_the_catalogue_conforms(judged):
    [created] = await judged.autotests("a")
    one = f"/api/v2/autoTests/{created['id']}"

    await judged.ask("GET", f"/api/v2/projects/{PROJECT_ID}")
    await judged.ask("GET", f"/api/v2/workflows/{WORKFLOW_ID}")
    await judged.ask("GET", f"/api/v2/configurations/{CONFIGURATION_ID}")
    await judged.ask("POST", "/api/v2/configurations/search", {})
    await judged.ask("GET", one)
    await judged.ask("PUT", "/api/v2/autoTests", autotest("a"))
    await judged.ask("PUT", "/api/v2/autoTests/bulk", [autotest("a")])
    await judged.ask("POST", f"{one}/workItems", {"id": "12"})
    await judged.ask("GET", f"{one}/workItems")
    await judged.ask("DELETE", f"{one}/workItems?workItemId=12")
    await judged.ask("GET", "/api/v2/workItems/12")


async def test_a_run_conforms_in_each_of_its_states(judged):
    run = await judged.run()
    await judged.ask("GET", f"/api/v2/testRuns/{run}")
    await judged.ask("POST", f"/api/v2/testRuns/{run}/start")
    await judged.ask("GET", f"/api/v2/testRuns/{run}")
    await judged.ask("POST", f"/api/v2/testRuns/{run}/complete")
    await judged.ask("GET", f"/api/v2/testRuns/{run}")
    await judged.ask("PUT", "/api/v2/testRuns", {"id": run, "name": "new"})
    await judged.ask("POST", f"/api/v2/testRuns/{await judged.run()}/stop")


async def test_a_bare_result_conforms(judged):
    await judged.autotests("a")
    run = await judged.run()
    [result] = await judged.send(run, report("a", "Pending"))

    await judged.result(result)
    await judged.ask("POST", "/api/v2/testResults/search", {"testRunIds": [run]})
    await judged.ask("PUT", f"/api/v2/testResults/{result}", {"statusType": "InProgress"})
    await judged.result(result)


async def test_a_full_result_conforms(judged):
    run, result = await full_result(judged)
    one = f"/api/v2/testResults/{result}"
    flat = [{"stepId": str(uuid4()), "outcome": "Passed"}]

    await judged.result(result)
    await judged.ask("POST", "/api/v2/testResults/search", {})
    await judged.ask("GET", f"/api/v2/testRuns/{run}")
    await judged.ask("PUT", one, {"stepResults": flat, "failureClassIds": [str(uuid4())]})
    await judged.ask("PATCH", one, [{"op": "add", "path": "/comment", "value": "c"}])
    await judged.ask("PUT", f"/api/v2/testRuns/{run}/testResults/bulk", {"links": [LINK]})
    await judged.result(result)
    every = {"includeSteps": True, "includeLinks": True, "includeLabels": True}
    await judged.ask("POST", "/api/v2/autoTests/search", {"includes": every})


async def test_a_planned_run_conforms(judged):
    body = {"results": [{"external_id": "a", "parameters": {"n": "1"}}]}
    run = await judged.ask("POST", "/__sandbox__/runs", body)

    await judged.ask("GET", f"/api/v2/testRuns/{run['id']}")
    await judged.ask("GET", f"/api/v2/testRuns/{run['id']}/testPoints/results")
    await judged.result(run["results"][0]["id"])


async def test_an_attachment_conforms(judged):
    reply = await judged.http.post("/api/v2/attachments", files={"file": ("a.txt", b"x")})

    assert reply.status_code == 201
    await judged.ask("GET", f"/api/v2/attachments/{reply.json()['id']}/metadata")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v2/testRuns/00000000-0000-4000-8000-00000000dead", None, 404),
        ("GET", "/api/v2/testRuns/x", None, 400),
        ("POST", "/api/v2/testRuns", {}, 400),
        ("POST", "/api/v2/testRuns", {"projectId": str(uuid4())}, 404),
        ("POST", "/api/v2/autoTests/bulk", [autotest("a"), autotest("a")], 409),
        ("POST", "/api/v2/testResults/search?Take=x", {}, 400),
    ],
)
async def test_a_refusal_conforms(judged, method, path, body, status):
    assert (await judged.http.request(method, path, json=body)).status_code == status


async def test_a_missing_token_and_an_injected_fault_conform(judged):
    await judged.faults({"kind": "status", "code": 403, "method": "POST"})
    await judged.http.post("/api/v2/testRuns", json={})

    judged.http.headers.pop("Authorization")
    reply = await judged.http.get(f"/api/v2/projects/{PROJECT_ID}")

    assert reply.status_code == 401


def test_the_judge_notices_a_field_too_many(contract):
    schema = {"$ref": "#/components/schemas/TestStatusApiResult"}

    with pytest.raises(jsonschema.ValidationError):
        contract.validate(schema, {"unheard": "of"})


def test_the_judge_lets_a_null_pass_only_where_it_is_allowed(contract):
    schema = {"$ref": "#/components/schemas/AttachmentModel"}
    known = {
        **{name: str(uuid4()) for name in ("id", "createdById")},
        "fileId": "f",
        "type": "t",
        "size": 1.0,
        "name": "n",
        "createdDate": "2026-01-01T00:00:00Z",
        "modifiedDate": None,
    }

    contract.validate(schema, known)
    with pytest.raises(jsonschema.ValidationError):
        contract.validate(schema, {**known, "createdDate": None})
