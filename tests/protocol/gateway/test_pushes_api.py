"""Pushing results over HTTP: what is taken, what is refused, and what is told of it."""

import hashlib
import json
import uuid

import pytest
from pydantic import SecretStr

PROJECT = "22222222-2222-4222-8222-222222222222"
CONFIGURATION = "44444444-4444-4444-8444-444444444444"


@pytest.fixture
def settings(settings):
    return settings.model_copy(
        update={"testit_project_id": PROJECT, "testit_configuration_id": CONFIGURATION}
    )


@pytest.fixture
def run() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def push(api, run):
    async def send(*results: object, to: str = run, **more: object):
        return await api.post(f"/api/v1/runs/{to}/results", json={"results": results, **more})

    return send


def result(external_id: str = "t", **more: object) -> dict[str, object]:
    return {"external_id": external_id, "status": "passed", **more}


def complaint(answer) -> str:
    return answer.json()["error"]["message"]


async def test_results_are_accepted_once_and_known_again(push):
    first = await push(result("a", key="k"), result("b"))
    second = await push(result("a", key="k"))

    assert (first.status_code, first.json()) == (200, {"new": 2, "known": 0})
    assert second.json() == {"new": 0, "known": 1}


async def test_a_thousand_are_taken_and_one_more_is_not(push):
    assert (await push(*[result(f"t{n}") for n in range(1000)])).json()["new"] == 1000

    answer = await push(*[result(f"t{n}") for n in range(1001)])

    assert (answer.status_code, complaint(answer)) == (
        400,
        "results: expected 1 to 1000 results, found 1001",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "results: expected a value, found no such field"),
        ({"results": []}, "results: expected 1 to 1000 results, found 0"),
        ({"results": 7}, "results: expected array, found int"),
        ([], "body: expected object, found array"),
        ({"results": [result(), {"status": "passed"}]}, "results[1].external_id: expected a value"),
        ({"results": [result(), result(status="great")]}, "results[1].status: expected one of pas"),
        (
            {"results": [result(duration_ms=-1)]},
            "results[0].duration_ms: expected int >= 0, found -1",
        ),
        ({"results": [result(duration_ms="1")]}, "results[0].duration_ms: expected int"),
        ({"results": [result(colour="red")]}, "results[0].colour: no such field"),
        ({"results": [result()], "x": 1}, "x: no such field"),
        ({"results": [result(started_at="2026-01-01T00:00:00")]}, "results[0].started_at: expec"),
        (
            {"results": [result(message="m" * 1_000_001)]},
            "results[0].message: expected str of length <= 1000000, found 1000001 characters",
        ),
        (
            {"results": [result(external_id="")]},
            "results[0].external_id: expected str of length >= 1, found 0 characters",
        ),
        (
            {"results": [result(started_at="0000-01-01T00:00:00Z")]},
            "results[0].started_at: invalid RFC3339 encoded datetime, found '0000-01-01T00:00:00Z'",
        ),
        (
            {"results": [result(labels=["fine", ""])]},
            "results[0].labels[1]: expected str of length >= 1, found 0 characters",
        ),
        ({"results": [result(parameters={"a": 1})]}, "results[0].parameters[...]: expected str"),
        ({"results": [result(steps=[{"name": 3}])]}, "results[0].steps[0].name: expected str"),
        ({"results": [result(attachments=[{"digest": "x", "name": "n"}])]}, "results[0].attachme"),
        ({"results": [result()], "project_id": "x"}, "project_id: expected an id of Test IT's"),
        ({"results": [result()], "configuration_id": "x"}, "configuration_id: expected an id"),
    ],
)
async def test_a_wrong_field_is_400_and_named_with_its_path(api, run, body, message):
    answer = await api.post(f"/api/v1/runs/{run}/results", json=body)

    assert answer.status_code == 400
    assert complaint(answer).startswith(message)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"results",
        b'{"results":',
        b"\xff\xfe",
        b'{"results":[{"external_id":"\xff","status":"passed"}]}',
        b'{"results":[{"external_id":"\\ud800","status":"passed"}]}',
        b'{"results":' + b"[" * 100_000,
        b'{"results":[{"external_id":"","status":"passed"}',
        b'{"results":[{"external_id":"","status":"passed"}],"results":[]}',
        b'{"results":[{"external_id":"","status":"passed"}],"results":7}',
        b'{"results":[{"external_id":"","status":"passed"}],"x":' + b"[" * 100_000,
        b'{"results":[{"external_id":"a","status":"passed","steps":'
        + b'[{"name":"x","steps":' * 50_000,
    ],
)
async def test_what_is_no_json_is_400(api, run, body):
    answer = await api.post(f"/api/v1/runs/{run}/results", content=body)

    assert answer.status_code == 400
    assert complaint(answer).startswith("body: expected") or "results[0]" in complaint(answer)


async def test_a_body_over_its_limit_is_413(api, run):
    answer = await api.post(f"/api/v1/runs/{run}/results", content=b" " * (32 * 1024 * 1024 + 1))

    assert answer.status_code == 413
    assert "expected at most 33554432 bytes" in complaint(answer)


async def test_a_run_that_is_no_uuid_is_400_and_one_nobody_knows_is_404(api, push, run):
    named = await push(result(), to="nightly")

    assert (named.status_code, complaint(named)[:4]) == (400, "run:")
    assert (await api.get(f"/api/v1/runs/{run}")).status_code == 404


async def test_an_attachment_that_the_run_does_not_have_is_refused(push):
    answer = await push(result(attachments=[{"digest": "0" * 64, "name": "log"}]))

    assert answer.status_code == 400
    assert "0" * 64 in complaint(answer)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "results"),
        ("PUT", "results"),
        ("GET", "complete"),
        ("POST", f"attachments/{'0' * 64}"),
    ],
)
async def test_a_wrong_method_is_no_success(api, run, method, path):
    answer = await api.request(method, f"/api/v1/runs/{run}/{path}")

    assert answer.status_code in {404, 405}
    assert complaint(answer)


async def test_a_file_is_streamed_in_and_named_by_a_result(api, push, run):
    content = b"0123456789" * 100_000
    digest = hashlib.sha256(content).hexdigest()
    path = f"/api/v1/runs/{run}/attachments/{digest}"

    before = await api.head(path)
    kept = await api.put(path, content=content)
    again = await api.put(path, content=content)
    accepted = await push(result(attachments=[{"digest": digest, "name": "log.txt"}]))

    assert before.status_code == 404
    assert kept.json() == again.json() == {"digest": digest, "size": 1_000_000}
    assert ((await api.head(path)).status_code, (await api.get(path)).json()) == (200, kept.json())
    assert accepted.json() == {"new": 1, "known": 0}


async def test_a_file_of_another_digest_or_of_none_is_400(api, run):
    other = await api.put(f"/api/v1/runs/{run}/attachments/{'0' * 64}", content=b"logs")
    none = await api.put(f"/api/v1/runs/{run}/attachments/md5", content=b"logs")

    assert (other.status_code, none.status_code) == (400, 400)
    assert complaint(none).startswith("digest: expected SHA-256")


async def test_a_run_tells_how_far_its_pushed_results_are(api, push, run):
    await push(result())

    asked = (await api.post(f"/api/v1/runs/{run}/complete")).json()
    shown = (await api.get(f"/api/v1/runs/{run}")).json()

    assert shown["pushed"] == asked
    assert (asked["phase"], asked["results"]) == ("new", {"pending": 1})
    assert (asked["project_id"], asked["configuration_id"]) == (PROJECT, CONFIGURATION)
    assert asked["complete_asked_at"]
    assert asked["oldest_pending_at"]


async def test_held_and_pushed_results_are_listed_together_and_apart(storage, api, push, run):
    await storage.post("/register", json={"pid": "p", "testRunId": run})
    held = "/in_progress_test_result?testRunId=" + run
    await storage.post(held, json={"autoTestExternalId": "first"})
    await push(result("second"))
    await storage.post(held, json={"autoTestExternalId": "third"})

    async def listed(**query: str | int) -> list[tuple[str, str]]:
        answer = await api.get("/api/v1/results", params={"run": run, **query})
        return [(each["external_id"], each["kind"]) for each in answer.json()["results"]]

    page = (await api.get("/api/v1/results", params={"run": run, "limit": 2})).json()
    assert await listed() == [("third", "held"), ("second", "pushed"), ("first", "held")]
    assert await listed(before=page["next"]) == [("first", "held")]
    assert await listed(kind="pushed") == [("second", "pushed")]
    assert await listed(state="held") == [("third", "held"), ("first", "held")]


async def test_an_unknown_kind_is_400_with_the_known_ones(api):
    answer = await api.get("/api/v1/results", params={"kind": "lost"})

    assert complaint(answer) == "kind: expected one of held, pushed, found 'lost'"


async def test_only_a_dead_result_can_be_tried_again_or_dropped(api, push, run):
    await push(result())
    (shown,) = (await api.get(f"/api/v1/results?run={run}")).json()["results"]

    retried = await api.post(f"/api/v1/results/{shown['id']}/retry")
    dropped = await api.delete(f"/api/v1/results/{shown['id']}")

    for answer in (retried, dropped):
        assert answer.status_code == 400
        assert "expected one that is dead, found pending" in complaint(answer)
    assert (await api.delete("/api/v1/results/stranger")).status_code == 404
    assert (await api.post(f"/api/v1/results/retry?run={run}")).json() == {"retried": 0}
    assert (await api.post(f"/api/v1/results/drop?run={run}")).json() == {"dropped": 0}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"project_id": "x"}, "project_id"),
        ({"tags": [1]}, "tags[0]"),
        ({"name": ""}, "name"),
        ({"base_url": "ftp://x", "token": "t"}, "baseUrl"),
        ({"base_url": "http://127.0.0.1:1"}, "privateToken"),
        ({"other": 1}, "other"),
    ],
)
async def test_a_run_that_cannot_be_is_400_and_the_field_named(api, body, field):
    answer = await api.post("/api/v1/runs", json=body)

    assert (answer.status_code, complaint(answer).partition(":")[0]) == (400, field)


async def test_a_run_is_not_created_while_test_it_is_down(api):
    answer = await api.post("/api/v1/runs", json={"name": "nightly"}, timeout=60)

    assert answer.status_code == 503
    assert (await api.get("/api/v1/runs")).json() == {"runs": []}


async def test_the_document_describes_what_is_pushed(api):
    document = (await api.get("/openapi.json")).json()

    described = json.dumps(document["components"]["schemas"])
    assert {"put", "get", "head"} <= set(
        document["paths"]["/api/v1/runs/{run}/attachments/{digest}"]
    )
    assert "external_id" in described
    assert "PushBody" in described


class TestWithAToken:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"api_token": SecretStr("s3cret")})

    async def test_nothing_is_taken_without_it(self, push):
        assert (await push(result())).status_code == 401


async def upload(api, run: str, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    kept = await api.put(
        f"/api/v1/runs/{run}/attachments/{digest}?project_id={PROJECT}", content=content
    )
    assert kept.status_code == 200
    return digest


async def test_files_of_the_run_itself_are_noted_and_listed(api, run):
    files = [{"digest": await upload(api, run, b"log"), "name": "log.txt"}]
    path = f"/api/v1/runs/{run}/attachments"

    noted = await api.post(path, json={"files": files})
    again = await api.post(path, json={"files": files})

    waiting = {"files": [{**files[0], "state": "waiting", "reason": None}]}
    assert (noted.status_code, noted.json()) == (200, waiting)
    assert again.json() == waiting
    assert (await api.get(path)).json() == waiting
    shown = (await api.get(f"/api/v1/runs/{run}")).json()
    assert shown["pushed"]["files"] == {"waiting": 1}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "files: expected 1 to 1000 files, found 0"),
        ([{"digest": "0" * 64, "name": "a"}], "attachments: expected files that run"),
        ([{"digest": "x", "name": "a"}], "files[0].digest: expected"),
        ([{"digest": "0" * 64, "name": ""}], "files[0].name: expected"),
        ([{"digest": "0" * 64, "name": "a\0b"}], "files[0].name: expected text without NUL"),
    ],
)
async def test_files_of_the_run_that_cannot_be_are_400(api, run, files, message):
    await upload(api, run, b"log")

    answer = await api.post(f"/api/v1/runs/{run}/attachments", json={"files": files})

    assert answer.status_code == 400
    assert complaint(answer).startswith(message)


async def test_files_of_a_run_that_nothing_was_pushed_to_are_404(api, run):
    assert (await api.get(f"/api/v1/runs/{run}/attachments")).status_code == 404


async def test_a_dead_or_waiting_result_is_shown_with_its_key(api, push, run):
    await push(result("a", key="mine"))

    (shown,) = (await api.get(f"/api/v1/results?run={run}&kind=pushed")).json()["results"]

    assert shown["key"] == "mine"


@pytest.mark.parametrize("link", [{"title": "job"}, {"url": "x", "type": "Fan"}, 7])
async def test_a_link_that_is_none_is_400(api, link):
    answer = await api.post("/api/v1/runs", json={"links": [link]})

    assert answer.status_code == 400
    assert complaint(answer).startswith("links[0]")


async def test_a_run_is_the_same_run_in_any_case_of_its_id(api, push, run):
    first = await push(result("a", key="k"))
    again = await push(result("a", key="k"), to=run.upper())
    shown = await api.get(f"/api/v1/runs/{run.upper()}")
    completed = await api.post(f"/api/v1/runs/{run.upper()}/complete")

    assert (first.json(), again.json()) == ({"new": 1, "known": 0}, {"new": 0, "known": 1})
    assert (shown.json()["id"], shown.json()["pushed"]["results"]) == (run, {"pending": 1})
    assert (completed.status_code, completed.json()["results"]) == (200, {"pending": 1})
