"""Pushed results arrive whole, once, and on whichever surface the server has."""

from datetime import UTC, datetime, timedelta

import pytest

from syncsvc.errors import Denied, Rejected, TooLarge, Unavailable, Uncertain, Unknown
from syncsvc.results.held.model import FinalStatus, StatusType
from syncsvc.results.pushed.model import Link, RunLink, Step
from syncsvc.results.pushed.ports import NewRun
from syncsvc.runs.model import Destination
from tests.protocol.testit_client.client import CONFIGURATION, PROJECT, Client, post, result

NOWHERE = "00000000-0000-4000-8000-000000000000"
STORED_UNSEEN = {"kind": "timeout_after_store", "seconds": 5}
SEND = {"method": "POST", "pattern": "test-?[rR]esults$"}


def steps(levels: int) -> tuple[Step, ...]:
    inner = steps(levels - 1) if levels > 1 else ()
    return (Step(name=f"level {levels}", status="broken", duration_ms=7, steps=inner),)


async def test_a_result_is_shown_with_all_that_it_tells(client: Client):
    run = await client.new_run()
    whole = result(
        "whole",
        "failed",
        name="The whole",
        started_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
        finished_at=datetime(2026, 1, 1, 12, 0, 3),  # noqa: DTZ001  a report without a zone
        duration_ms=3000,
        message="found 1, expected 2",
        traces="line 7",
        parameters={"browser": "x"},
        properties={"owner": "me"},
        links=[Link(url="https://example.org/1", title="one"), Link(url="https://example.org/2")],
        steps=steps(15),
    )

    (result_id,) = await client.push(run, post("entry-1", whole))

    shown = await client.result(result_id)
    assert shown["status"]["type"] == "Failed"
    assert shown["message"] == "found 1, expected 2"
    assert shown["traces"] == "line 7"
    assert shown["startedOn"] == "2026-01-01T12:00:00Z"
    assert shown["completedOn"] == "2026-01-01T12:00:03Z"
    assert shown["durationInMs"] == 3000
    assert shown["parameters"] == {"browser": "x"}
    assert shown["properties"] == {"owner": "me", "syncsvc": "entry-1"}
    assert [link["title"] for link in shown["links"]] == ["one", None]
    deepest = shown["autoTestStepResults"][0]
    for _ in range(14):
        (deepest,) = deepest["stepResults"]
    assert (deepest["title"], deepest["outcome"], deepest["duration"]) == ("level 1", "Failed", 7)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("passed", None, ("Succeeded", "Passed")),
        ("failed", None, ("Failed", "Failed")),
        ("broken", None, ("Failed", "Failed")),
        ("skipped", None, ("Incomplete", "Skipped")),
        ("blocked", None, ("Incomplete", "Blocked")),
        ("skipped", "BLOCKED", ("Incomplete", "Blocked")),
        ("passed", "no such code", ("Succeeded", "Passed")),
        ("failed", "skipped", ("Failed", "Failed")),
    ],
)
async def test_a_status_code_is_the_workflows_own_and_goes_with_the_type(
    client: Client, status, code, expected
):
    run = await client.new_run()

    (result_id,) = await client.push(run, post("e", result(status=status, status_code=code)))

    shown = (await client.result(result_id))["status"]
    assert (shown["type"], shown["code"]) == expected


async def test_a_provisional_result_keeps_the_run_open_until_it_is_finalised(client: Client):
    run = await client.new_run()
    first, second = post("1", result("a"), provisional=True), post("2", result("b", "failed"))

    held, _ = await client.push(run, first, second)
    before = (await client.pushes.run_info(run)).state
    await client.pushes.finalise(run, held, FinalStatus(StatusType.SUCCEEDED, "Passed"))

    assert before == "InProgress"
    assert (await client.pushes.run_info(run)).state == "Completed"
    assert (await client.result(held))["status"]["code"] == "Passed"


async def test_a_whole_batch_costs_four_requests_and_the_next_one_of_the_same_tests_one(client):
    run, other = await client.new_run(), await client.new_run()
    posts = [post(f"e{n}", result(f"t{n}")) for n in range(100)]
    await client.pushes.status_codes(run, PROJECT)
    client.sent.clear()

    first = await client.push(run, *posts)
    at_first = len(client.sent)
    second = await client.push(other, *posts)

    assert len({*first, *second}) == 200
    assert at_first == 3  # search, create, post
    assert len(client.sent) == 4


async def test_an_autotest_that_was_removed_meanwhile_is_created_again(client: Client):
    run = await client.new_run()
    await client.push(run, post("1", result("a")))
    await client.arrange("POST", "/__sandbox__/reset")
    await client.arrange(
        "PUT", "/__sandbox__/rules", {"adapters_surface": "adapters" in client.sent[-1].url.path}
    )
    again = await client.new_run()

    (result_id,) = await client.pushes.post(again, PROJECT, [post("2", result("a"))])

    assert (await client.result(result_id))["properties"] == {"syncsvc": "2"}


async def test_an_unknown_run_is_unknown_and_nothing_is_posted(client: Client):
    posts = [post("1", result("a"))]
    await client.pushes.ensure_autotests(client.a_run(NOWHERE), PROJECT, [posts[0].result])

    with pytest.raises(Unknown, match="TestRun"):
        await client.pushes.post(client.a_run(NOWHERE), PROJECT, posts)


async def test_a_server_is_known_by_its_surface_even_if_the_first_question_is_about_nothing(
    client: Client, surface: str
):
    with pytest.raises(Unknown):
        await client.pushes.run_info(client.a_run(NOWHERE))
    run = await client.new_run()

    await client.push(run, post("1", result("a")))

    assert client.sent[-1].url.path.startswith(surface)
    assert (await client.seen(run))["tally"] == {"Succeeded": 1}


async def test_a_refused_batch_stores_nothing(client: Client):
    run = await client.new_run()
    unknown = post("2", result("b"))
    strange = type(unknown)("2", unknown.result, NOWHERE, ())

    with pytest.raises(Rejected, match="422"):
        await client.push(run, post("1", result("a")), strange)

    assert (await client.seen(run))["results"] == []


@pytest.mark.parametrize(
    ("fault", "stored"),
    [
        ({"kind": "status", "code": 500}, 0),
        ({"kind": "status", "code": 502}, 0),
        ({"kind": "status", "code": 504}, 0),
        ({"kind": "status", "code": 409}, 0),
        ({"kind": "reset"}, 0),
        ({"kind": "hang", "seconds": 5}, 0),
        (STORED_UNSEEN, 1),
    ],
)
async def test_a_post_whose_outcome_is_not_known_is_uncertain_and_not_repeated(
    client: Client, fault, stored
):
    run = await client.new_run()
    entry = post("mine", result("a"))
    await client.pushes.ensure_autotests(run, PROJECT, [entry.result])
    await client.faults(SEND | fault)

    with client.impatient(), pytest.raises(Uncertain):
        await client.pushes.post(run, PROJECT, [entry])

    await client.faults()
    shown = await client.pushes.shown(run, PROJECT, [result("a")])
    assert len(shown) == stored
    assert [await client.pushes.mark_of(run, each.id) for each in shown] == ["mine"] * stored


@pytest.mark.parametrize("code", [429, 503])
async def test_a_post_that_was_turned_away_is_certainly_not_stored(client: Client, code):
    run = await client.new_run()
    entry = post("mine", result("a"))
    await client.pushes.ensure_autotests(run, PROJECT, [entry.result])
    await client.faults(SEND | {"kind": "status", "code": code, "retry_after": 7})

    with pytest.raises(Unavailable) as raised:
        await client.pushes.post(run, PROJECT, [entry])

    assert not isinstance(raised.value, Uncertain)
    assert raised.value.retry_after == timedelta(seconds=7)
    assert client.gate.pauses == [(client.url, timedelta(seconds=7))]


async def test_a_request_that_is_too_large_is_not_sent(client: Client):
    run = await client.new_run()
    entry = post("big", result("a", message="x" * 20_000_001))
    await client.pushes.ensure_autotests(run, PROJECT, [entry.result])
    await client.pushes.status_codes(run, PROJECT)
    client.sent.clear()

    with pytest.raises(TooLarge, match="at most 20000000"):
        await client.pushes.post(run, PROJECT, [entry])

    assert client.sent == []


async def test_shown_tells_results_of_these_tests_only_and_asks_nothing_else(client: Client):
    run, other = await client.new_run(), await client.new_run()
    posts = [post(f"e{n}", result(f"t{n}", duration_ms=n)) for n in range(100)]
    ids = await client.push(run, *posts)
    await client.push(other, *posts)
    client.sent.clear()

    shown = await client.pushes.shown(run, PROJECT, [result(f"t{n}") for n in range(100)])
    few = await client.pushes.shown(run, PROJECT, [result("t7")])

    assert {each.id: each.duration_ms for each in shown} == dict(zip(ids, range(100), strict=True))
    assert [(each.id, each.external_id, each.status_type) for each in few] == [
        (ids[7], "t7", "Succeeded")
    ]
    assert few[0].configuration_id == CONFIGURATION
    assert len(client.sent) == 2


async def test_shown_pages_on_when_a_test_has_many_results(client: Client):
    run = await client.new_run()
    for n in range(3):
        await client.push(run, *[post(f"{n}-{m}", result(f"t{m}")) for m in range(50)])

    assert len(await client.pushes.shown(run, PROJECT, [result(f"t{m}") for m in range(50)])) == 150


async def test_tests_that_nobody_knows_are_not_shown(client: Client):
    run = await client.new_run()
    await client.push(run, post("1", result("a")))

    assert await client.pushes.shown(run, PROJECT, [result("stranger")]) == []
    assert await client.pushes.shown(run, PROJECT, []) == []


async def test_a_result_that_others_posted_carries_no_mark(client: Client):
    run = await client.new_run()
    await client.pushes.ensure_autotests(run, PROJECT, [result("a")])
    body = {"configurationId": CONFIGURATION, "autoTestExternalId": "a", "statusType": "Failed"}
    (theirs,) = await client.arrange("POST", f"/api/v2/testRuns/{run.id}/testResults", [body])

    assert await client.pushes.mark_of(run, theirs) is None


async def test_waiting_results_tell_whether_they_are_bound_and_are_read_once(client: Client):
    planned = {"results": [{"external_id": "a"}, {"external_id": "b"}]}
    run = client.a_run((await client.arrange("POST", "/__sandbox__/runs", planned))["id"])
    await client.push(run, post("held", result("c"), provisional=True))

    found = await client.pushes.waiting(run)
    client.sent.clear()
    again = await client.pushes.waiting(run)

    assert {each.external_id: each.is_bound for each in found} == {"a": True, "b": True, "c": False}
    assert again == found
    assert len(client.sent) == 1


async def test_a_waiting_result_is_filled_in_place(client: Client):
    planned = {"results": [{"external_id": "a"}]}
    run = client.a_run((await client.arrange("POST", "/__sandbox__/runs", planned))["id"])
    (waiting,) = await client.pushes.waiting(run)
    told = result("a", "failed", message="m", traces="t", duration_ms=90_000_000, steps=steps(2))

    await client.pushes.fill(run, waiting.id, PROJECT, post("1", told))

    (only,) = (await client.seen(run))["results"]
    shown = await client.result(waiting.id)
    assert (only["id"], only["status"]) == (waiting.id, "Failed")
    assert (shown["message"], shown["traces"]) == ("m", "t")
    assert shown["comment"].splitlines() == [
        "duration: 90000000 ms",
        "steps:",
        "- level 2 (broken, 7 ms)",
        "  - level 1 (broken, 7 ms)",
    ]


async def test_a_run_is_created_as_asked_for(client: Client):
    link = RunLink(url="https://ci.example/1", title="job", type="Defect")
    new = NewRun(PROJECT, "Night", "All of it", tags=["n"], links=[link])

    run_id = await client.pushes.create_run(client.destination, new)

    shown = await client.arrange("GET", f"/api/v2/testRuns/{run_id}")
    assert (shown["name"], shown["description"], shown["tags"]) == ("Night", "All of it", ["n"])
    assert shown["launchSource"] == "syncsvc"
    (kept,) = shown["links"]
    assert (kept["url"], kept["title"], kept["type"]) == (link.url, "job", "Defect")


async def test_a_run_that_may_have_been_created_is_not_created_twice(client: Client):
    await client.board.ping(client.destination)
    await client.faults({"method": "POST", "pattern": "testRuns$"} | STORED_UNSEEN)

    with client.impatient(), pytest.raises(Uncertain):
        await client.pushes.create_run(client.destination, NewRun(PROJECT))

    state = await client.arrange("GET", "/__sandbox__/state")
    assert len(state["runs"]) == 1


async def test_starting_and_completing_again_does_no_harm(client: Client):
    run = await client.new_run()

    await client.pushes.start_run(run)
    await client.pushes.start_run(run)
    started = await client.pushes.run_info(run)
    await client.pushes.complete_run(run)
    await client.pushes.complete_run(run)
    await client.pushes.start_run(run)

    assert (started.project_id, started.state) == (PROJECT, "InProgress")
    assert (await client.pushes.run_info(run)).state == "Completed"


async def test_completing_a_run_that_is_not_there_is_refused(client: Client):
    with pytest.raises(Unknown):
        await client.pushes.complete_run(client.a_run(NOWHERE))


async def test_a_wrong_token_is_denied_and_never_told(client: Client):
    run = await client.new_run()
    stranger = type(run)(run.id, Destination(client.url, "wr0ng"), run.created_at)

    with pytest.raises(Denied) as raised:
        await client.pushes.run_info(stranger)

    assert "wr0ng" not in str(raised.value)


async def test_both_boards_ask_for_the_same_codes(client: Client):
    run = await client.new_run()

    codes = await client.pushes.status_codes(run, PROJECT)

    assert set(codes) >= {"Passed", "Failed", "Skipped", "Blocked"}
    assert list(await client.board.status_codes(run, PROJECT)) == list(codes)
    assert await client.pushes.status_codes(run, NOWHERE) == ()
    assert await client.pushes.status_codes(run, None) == ()


async def test_a_server_that_takes_the_token_answers_a_ping(client: Client):
    await client.board.ping(client.destination)
    with pytest.raises(Denied):
        await client.board.ping(Destination(client.url, "wrong"))
