"""/adapters answers exactly the fields that the published Python models know.

The lists are those of adapters_api in testit-python-commons 5.2.3, which refuses any other.
"""

from syncsvc.sandbox.identities import PROJECT_ID
from tests.protocol.sandbox.world import autotest, report

STATUS = {"id", "type", "code"}
ATTACHMENT = {"id", "fileId", "type", "size", "name"}
LINK = {"id", "url", "type", "title", "description"}


async def a_result(world):
    link = {"url": "https://example.org", "type": "Issue", "hasInfo": False}
    await world.ask("POST", "/adapters/autoTests", autotest("a", labels=[{"name": "l"}]))
    form = {"file": ("x", b"x")}
    uploaded = (await world.http.post("/adapters/attachments", files=form)).json()
    run = await world.run(links=[link])
    reference = [{"id": uploaded["id"]}]
    steps = [{"title": "s", "attachments": reference, "stepResults": [{"title": "i"}]}]
    body = [report("a", links=[link], attachments=reference, stepResults=steps)]
    [result] = await world.ask("POST", f"/adapters/testRuns/{run}/test-results", body)
    return run, result


async def test_a_run_is_reduced(world):
    run, _ = await a_result(world)

    shown = await world.ask("GET", f"/adapters/testRuns/{run}")

    assert set(shown) == {
        *("id", "name", "projectId", "stateName", "status", "attachments", "links", "tags"),
        *("description", "launchSource"),
    }
    assert (set(shown["status"]), set(shown["links"][0])) == (STATUS, LINK)


async def test_a_result_is_reduced_down_to_its_steps(world):
    _, result = await a_result(world)

    shown = await world.ask("GET", f"/adapters/testResults/{result}")

    assert {"createdDate", "workItemVersionId", "testPoint", "runByUserId"}.isdisjoint(shown)
    assert set(shown["status"]) == STATUS
    assert set(shown["attachments"][0]) == ATTACHMENT
    assert set(shown["autoTestStepResults"][0]["attachments"][0]) == ATTACHMENT
    assert {"createdDate", "isDeleted", "tags"}.isdisjoint(shown["autoTest"])
    assert shown["autoTest"]["labels"] == [{"name": "l"}]


async def test_a_found_result_is_reduced(world):
    await a_result(world)

    [shown] = await world.ask("POST", "/adapters/testResults/search", {})

    assert set(shown) == {
        *("id", "name", "autotestGlobalId", "autoTestTags", "testRunId", "configurationId"),
        *("configurationName", "status", "resultReasons", "links", "attachments"),
        *("rerunCompletedCount", "autotestExternalId", "outcome", "comment", "duration"),
    }


async def test_an_autotest_is_reduced(world):
    shown = await world.ask("POST", "/adapters/autoTests", autotest("a"))

    assert set(shown) == {
        *("id", "projectId", "name", "isFlaky", "globalId", "externalId", "namespace"),
        *("classname", "steps", "setup", "teardown", "title", "description", "externalKey"),
        *("links", "labels", "tags"),
    }


async def test_a_project_brings_its_workflow_along(world):
    shown = await world.ask("GET", f"/adapters/projects/{PROJECT_ID}")

    assert set(shown) == {
        *("id", "name", "isFavorite", "isDeleted", "globalId", "workflowId", "workflow"),
        *("attributesScheme", "description"),
    }
    assert set(shown["workflow"]) == {"id", "statuses"}
    assert set(shown["workflow"]["statuses"][0]) == STATUS
