"""Results: sent, read, changed, and what is remembered of their statuses."""

from uuid import uuid4

import pytest

from syncsvc.sandbox.identities import NOTHING
from tests.protocol.sandbox.world import report

STEPS = [{"title": "outer", "outcome": "Passed", "stepResults": [{"title": "inner"}]}]


async def test_ids_come_back_in_the_order_of_the_reports(world):
    await world.autotests("a", "b")
    run = await world.run()

    ids = await world.send(run, report("b"), report("a"))

    shown = [(await world.result(each))["autoTest"]["externalId"] for each in ids]
    assert shown == ["b", "a"]


async def test_a_result_keeps_what_was_reported(world):
    await world.autotests("a")
    run = await world.run()
    told = {
        "message": "hello",
        "traces": "at line 1",
        "duration": 42,
        "parameters": {"n": "1"},
        "startedOn": "2026-01-01T10:00:00.1234567Z",
        "stepResults": STEPS,
    }

    [result] = await world.send(run, report("a", **told))

    shown = await world.result(result)
    assert (shown["message"], shown["traces"], shown["durationInMs"]) == ("hello", "at line 1", 42)
    assert (shown["parameters"], shown["testPointId"]) == ({"n": "1"}, str(NOTHING))
    assert shown["autoTestStepResults"][0]["stepResults"][0]["title"] == "inner"


async def test_a_parametrised_autotest_has_a_result_for_each_request(world):
    await world.autotests("a")
    run = await world.run()

    for number in ("1", "2"):
        await world.send(run, report("a", "InProgress", parameters={"n": number}))

    seen = await world.seen(run)
    assert [each["parameters"]["n"] for each in seen["results"]] == ["1", "2"]


async def test_an_autotest_may_occur_only_once_in_one_request(world):
    await world.autotests("a")
    run = await world.run()

    reply = await world.refused(run, report("a"), report("a", "Failed"))

    assert reply.status_code == 400
    assert "autoTestExternalId" in reply.json()["errors"]
    assert (await world.seen(run))["results"] == []


async def test_one_unknown_autotest_refuses_the_whole_request(world):
    await world.autotests("a")
    run = await world.run()

    reply = await world.refused(run, report("a"), report("unheard of"))

    assert reply.status_code == 404
    assert (await world.seen(run))["results"] == []


async def test_an_unknown_configuration_is_unprocessable(world):
    await world.autotests("a")
    run = await world.run()

    reply = await world.refused(run, report("a", configurationId=str(uuid4())))

    assert reply.status_code == 422


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"statusType": None}, "statusType"),
        ({"statusType": "Fine"}, "[0].statusType"),
        ({"statusCode": "Fine"}, "statusCode"),
        ({"duration": -1}, "[0].duration"),
        ({"configurationId": "x"}, "[0].configurationId"),
        ({"autoTestExternalId": ""}, "[0].autoTestExternalId"),
        ({"startedOn": "yesterday"}, "[0].startedOn"),
    ],
)
async def test_a_bad_report_is_refused_by_the_name_of_its_field(world, told, field):
    await world.autotests("a")
    run = await world.run()

    reply = await world.refused(run, {**report("a"), **told})

    assert reply.status_code == 400
    assert list(reply.json()["errors"]) == [field]


@pytest.mark.parametrize(("levels", "status"), [(15, 200), (16, 400), (300, 400)])
async def test_steps_may_not_nest_too_deeply(world, levels, status):
    await world.autotests("a")
    run = await world.run()
    step = {"title": "innermost"}
    for _ in range(levels - 1):
        step = {"title": "outer", "stepResults": [step]}

    reply = await world.refused(run, report("a", stepResults=[step]))

    assert reply.status_code == status


async def test_an_attachment_must_have_been_uploaded(world):
    await world.autotests("a")
    run = await world.run()

    reply = await world.refused(run, report("a", attachments=[{"id": str(uuid4())}]))

    assert reply.status_code == 404


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"statusCode": "blocked", "statusType": "Incomplete"}, "Blocked"),
        ({"statusType": "Incomplete"}, "Skipped"),
        ({"statusType": None, "outcome": "Passed"}, "Passed"),
    ],
)
async def test_the_most_exact_word_decides_about_the_status(world, told, code):
    await world.autotests("a")
    run = await world.run()

    [result] = await world.send(run, {**report("a"), **told})

    assert (await world.result(result))["status"]["code"] == code


async def test_a_put_of_the_status_alone_keeps_everything_else(world):
    await world.autotests("a")
    run = await world.run()
    [held] = await world.send(run, report("a", "InProgress", message="m", stepResults=STEPS))
    before = await world.result(held)

    reply = await world.http.put(f"/adapters/testResults/{held}", json={"statusType": "Succeeded"})

    after = await world.result(held)
    assert reply.status_code == 200
    assert after["status"]["type"] == "Succeeded"
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"status", "outcome", "modifiedDate"}


async def test_a_put_of_flat_steps_loses_the_nested_ones(world):
    await world.autotests("a")
    run = await world.run()
    [held] = await world.send(run, report("a", stepResults=STEPS))

    await world.ask("PUT", f"/api/v2/testResults/{held}", {"stepResults": []})

    assert (await world.result(held))["autoTestStepResults"] == []


async def test_a_put_of_an_unknown_property_is_refused(world):
    await world.autotests("a")
    run = await world.run()
    [held] = await world.send(run, report("a"))

    reply = await world.http.put(f"/api/v2/testResults/{held}", json={"status": "Failed"})

    assert reply.status_code == 400
    assert list(reply.json()["errors"]) == ["status"]


async def test_a_patch_changes_single_fields(world):
    await world.autotests("a")
    run = await world.run()
    [held] = await world.send(run, report("a", "InProgress"))
    patch = [
        {"op": "replace", "path": "/statusType", "value": "Failed"},
        {"op": "add", "path": "/comment", "value": "by hand"},
    ]

    reply = await world.http.patch(f"/api/v2/testResults/{held}", json=patch)

    shown = await world.result(held)
    assert reply.status_code == 204
    assert (shown["status"]["type"], shown["comment"]) == ("Failed", "by hand")


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/comment"},
        {"op": "add", "path": "/links/0", "value": {}},
        {"op": "add", "path": "/nonsense", "value": 1},
    ],
)
async def test_a_patch_of_anything_else_is_refused(world, operation):
    await world.autotests("a")
    run = await world.run()
    [held] = await world.send(run, report("a"))

    reply = await world.http.patch(f"/api/v2/testResults/{held}", json=[operation])

    assert reply.status_code == 400


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_an_unknown_result_is_not_found(world, method):
    reply = await world.http.request(method, f"/adapters/testResults/{uuid4()}", json={})

    assert reply.status_code == 404


async def test_every_status_change_is_remembered_with_its_author(world):
    await world.autotests("a")
    run = await world.run()
    [held] = await world.send(run, report("a", "InProgress"))

    for status in ("Succeeded", "Succeeded", "InProgress", "Failed"):
        await world.ask("PUT", f"/api/v2/testResults/{held}", {"statusType": status})

    [seen] = (await world.seen(run))["results"]
    assert [(each["from"], each["to"], each["by"]) for each in seen["history"]] == [
        (None, "InProgress", "POST"),
        ("InProgress", "Succeeded", "PUT"),
        ("Succeeded", "InProgress", "PUT"),
        ("InProgress", "Failed", "PUT"),
    ]
    assert (seen["status_writes"], seen["finalised"]) == (5, 2)


async def test_a_bulk_edit_reaches_the_chosen_results_and_no_status(world):
    await world.autotests("a", "b")
    run = await world.run()
    first, second = await world.send(run, report("a", "InProgress"), report("b"))
    chosen = {"testResultIdsExtractionModel": {"include": [first]}}

    reply = await world.http.put(
        f"/api/v2/testRuns/{run}/testResults/bulk", json={"selector": chosen, "comment": "seen"}
    )

    assert reply.status_code == 204
    assert [(await world.result(each))["comment"] for each in (first, second)] == ["seen", None]
    assert (await world.seen(run))["state"] == "InProgress"


async def test_a_bulk_edit_may_leave_single_results_out(world):
    await world.autotests("a", "b")
    run = await world.run()
    first, second = await world.send(run, report("a"), report("b"))
    chosen = {"filter": {}, "testResultIdsExtractionModel": {"exclude": [first]}}
    edit = {"selector": chosen, "comment": "seen"}

    await world.ask("PUT", f"/api/v2/testRuns/{run}/testResults/bulk", edit)

    assert [(await world.result(each))["comment"] for each in (first, second)] == [None, "seen"]


async def test_a_bulk_edit_by_filter_reaches_what_the_filter_means(world):
    await world.autotests("a", "b")
    run = await world.run()
    first, second = await world.send(run, report("a", "Failed"), report("b"))
    edit = {"selector": {"filter": {"statusCodes": ["Failed"]}}, "comment": "seen"}

    await world.ask("PUT", f"/api/v2/testRuns/{run}/testResults/bulk", edit)

    assert [(await world.result(each))["comment"] for each in (first, second)] == ["seen", None]
