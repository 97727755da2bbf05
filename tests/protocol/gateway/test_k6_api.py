"""Load tests over HTTP: watched, found, listed, read line by line, and what is refused."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from syncsvc.wiring.loadtest_answers import dashboard, load_tests
from tests.support.kubernetes import NAMESPACE, a_kubernetes
from tests.support.waiting import until
from tests.support.watched import TESTS, Watched, complaint, watching

STRANGER = "0" * 32
JSON_LINES = "application/x-ndjson"


@pytest.fixture
async def k8s():
    async with a_kubernetes() as world:
        yield world


@pytest.fixture
async def settings(settings, k8s):
    return await watching(settings, k8s)


@pytest.fixture
def watched(api, k8s):
    return Watched(api, k8s)


async def test_what_is_watched_is_there_at_once_with_its_steps_in_order(watched):
    await watched.k8s.testruns(name="second")

    answer = await watched.watch("first", "second", labels={"team": "shop"})

    told = answer.json()
    assert (answer.status_code, told["test"]["name"]) == (200, "Checkout")
    assert told["test"]["labels"] == {"team": "shop"}
    assert [step["test_run"] for step in told["steps"]] == ["first", "second"]
    assert told["new"] == [step["id"] for step in told["steps"]]
    assert told["notes"] == [f"first: not there yet in namespace {NAMESPACE!r}"]
    assert told["steps"][0]["uid"] is None
    assert told["steps"][1]["uid"]
    assert await watched.told(f"/{told['test']['id']}") == {
        "test": told["test"],
        "steps": told["steps"],
    }


async def test_a_step_that_is_watched_already_is_not_new(watched):
    first = (await watched.watch("load")).json()

    again = (await watched.watch("load", name="Another")).json()

    assert (again["new"], again["test"]["id"]) == ([], first["test"]["id"])


async def test_test_runs_are_found_by_their_labels(watched):
    await watched.k8s.testruns(name="mine", labels={"team": "shop"})
    await watched.k8s.testruns(name="other", labels={"team": "search"})

    answer = await watched.api.post(f"{TESTS}/discover", json={"selector": "team=shop"})

    found = answer.json()["found"]
    assert [step["test_run"] for each in found for step in each["steps"]] == ["mine"]


async def test_load_tests_are_listed_newest_first_in_pages(watched):
    for number in range(3):
        await watched.watch(f"run-{number}", name=f"Test {number}")

    page = await watched.told("", limit=2)
    rest = await watched.told("", limit=2, before=page["next"])

    assert [each["test"]["name"] for each in page["tests"]] == ["Test 2", "Test 1"]
    assert page["tests"][0]["steps"] == {"PENDING": 1}
    assert [each["test"]["name"] for each in rest["tests"]] == ["Test 0"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"text": "CHECK"}, ["Checkout"]),
        ({"text": "search-run"}, ["Search"]),
        ({"status": "PENDING"}, ["Search", "Checkout"]),
        ({"status": "FAILED"}, []),
        ({"namespace": NAMESPACE, "cluster": "main"}, ["Search", "Checkout"]),
        ({"namespace": "elsewhere"}, []),
    ],
)
async def test_a_list_is_narrowed(watched, query, names):
    await watched.watch("load")
    await watched.watch("search-run", name="Search")

    page = await watched.told("", **query)

    assert [each["test"]["name"] for each in page["tests"]] == names


async def test_an_ended_step_tells_its_result_its_reason_and_its_runners(watched):
    step = await watched.finished(parallelism=2, scenario={"exits": [0, 99]})

    assert (step["status"], step["phase"], step["reason"]) == ("FAILED", "FINISHED", "THRESHOLDS")
    assert [(each["index"], each["exit_code"]) for each in step["runners"]] == [(1, 0), (2, 99)]
    assert (step["logs"], step["expected"], step["stale"]) == ("complete", 2, None)
    assert step["duration_seconds"] >= 0
    assert (await watched.told(f"/steps/{step['test_run']}"))["id"] == step["id"]


async def test_a_log_is_given_byte_by_byte_as_the_container_wrote_it(watched):
    step = await watched.finished()
    logs = (await watched.told(f"/steps/{step['id']}/logs"))["containers"]
    runner = next(each for each in logs if each["role"] == "runner")

    answer = await watched.log(step["id"], runner=1, raw="true")

    query = {"namespace": NAMESPACE, "pod": runner["pod"], "container": "k6", "timestamps": "true"}
    emitted = await watched.k8s.http.get("/__sandbox__/kubernetes/emitted", params=query)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.content == emitted.content
    assert runner["lines"] == len(emitted.content.splitlines())
    assert (runner["state"], runner["left_out"]) == ("complete", None)


async def test_lines_of_several_containers_say_which(watched):
    step = await watched.finished(parallelism=2)

    text = (await watched.log(step["id"], role="runner")).text

    logs = (await watched.told(f"/steps/{step['id']}/logs"))["containers"]
    pods = {each["pod"] for each in logs if each["role"] == "runner"}
    assert {line.split(" ")[0] for line in text.splitlines()} == {f"{pod}/k6" for pod in pods}


async def test_lines_come_as_json_with_their_moment_to_the_nanosecond(watched):
    step = await watched.finished()

    answer = await watched.log(step["id"], JSON_LINES, runner=1)

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == JSON_LINES
    assert {(line["container"], line["runner"]) for line in lines} == {("k6", 1)}
    assert all(len(line["at"]) == len("2026-01-01T00:00:00.123456789Z") for line in lines)


async def test_lines_are_chosen_by_a_pattern_and_by_their_moment(watched):
    step = await watched.finished()
    every = (await watched.log(step["id"], JSON_LINES, runner=1)).text.splitlines()
    later = datetime.now(UTC) + timedelta(minutes=5)

    grepped = await watched.log(step["id"], runner=1, grep="(?i)LEVEL=(INFO|error)|no.such[a-z]+x")
    none = await watched.log(step["id"], runner=1, grep="nobody wrote this")
    all_of_them = await watched.log(step["id"], JSON_LINES, runner=1, since="10m")
    too_old = await watched.log(step["id"], runner=1, since=later.isoformat())

    assert 0 < len(grepped.text.splitlines()) < len(every)
    assert all("level=" in line for line in grepped.text.splitlines())
    assert (none.text, too_old.text) == ("", "")
    assert all_of_them.text.splitlines() == every


async def test_a_log_is_followed_to_the_end_of_its_step(watched):
    await watched.k8s.testruns(name="load", until="started")
    step = (await watched.watch("load")).json()["steps"][0]
    await watched.cycle()
    following = asyncio.create_task(
        watched.log(step["id"], follow="true", runner=1, container="k6", raw="true")
    )
    await watched.k8s.tell("POST", "/emit", {"lines": 5})
    await watched.cycle()
    await watched.k8s.step("end", name="load")

    await watched.cycle()

    followed = await asyncio.wait_for(following, 60)
    whole = await watched.log(step["id"], runner=1, raw="true")
    assert len(followed.content.splitlines()) > 5
    assert sorted(followed.content.splitlines()) == sorted(whole.content.splitlines())


async def test_who_follows_comes_to_an_end_when_the_gateway_stops(watched, gateway):
    await watched.k8s.testruns(name="load", until="started")
    step = (await watched.watch("load")).json()["steps"][0]
    await watched.cycle()
    async with watched.api.stream("GET", f"{TESTS}/steps/{step['id']}/log?follow=1") as answer:
        lines = answer.aiter_lines()
        await anext(lines)

        gateway.stop()
        rest = [line async for line in lines]

    assert not [line for line in rest if "cannot go on" in line]


async def test_nothing_is_done_any_more_for_a_reader_who_hangs_up(watched):
    await watched.k8s.testruns(name="load", until="started")
    step = (await watched.watch("load")).json()["steps"][0]
    await watched.cycle()
    loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
    async with watched.api.stream("GET", f"{TESTS}/steps/{step['id']}/log?follow=1") as answer:
        await anext(answer.aiter_lines())
        for_reader = asyncio.all_tasks() - before

    await asyncio.to_thread(until, lambda: all(each.done() for each in for_reader), "it has ended")
    until_few = partial(until, lambda: len(asyncio.all_tasks(loop)) <= len(before), "no more run")
    await asyncio.to_thread(until_few)

    assert for_reader


async def test_the_head_of_a_log_that_is_followed_is_given_at_once(
    watched,
):
    step = (await watched.watch("load")).json()["steps"][0]

    answer = await watched.api.head(f"{TESTS}/steps/{step['id']}/log?follow=true")

    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_summary_has_its_metrics_and_its_thresholds(watched):
    step = await watched.finished(parallelism=2, scenario={"exits": [0, 99], "summary": "v2"})

    summary = await watched.told(f"/steps/{step['id']}/summary")

    assert summary["status"] == "FAILED"
    assert {"http_reqs", "http_req_duration"} <= {row["metric"] for row in summary["metrics"]}
    assert any(row["crossed_by"] == [2] for row in summary["thresholds"])


async def test_two_load_tests_are_compared_step_by_step(watched):
    await watched.finished("old", scenario={"summary": "v2"})
    await watched.finished("new", scenario={"summary": "v2"})
    tests = [each["test"]["id"] for each in (await watched.told(""))["tests"]]

    compared = await watched.told("/compare", before=tests[1], after=tests[0])

    (step,) = compared["steps"]
    assert (step["before"]["test_run"], step["after"]["test_run"]) == ("old", "new")
    assert any(row["before"] is not None for row in step["differences"])


async def test_cycles_are_listed_with_what_they_have_done(watched):
    await watched.finished()

    newest, before = (await watched.told("/cycles", limit=10))["cycles"][:2]

    assert newest["number"] > before["number"]
    assert newest["report"]["errors"] == 0
    assert newest["report"]["updated"] == newest["report"]["total"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"steps": []}, "name: expected a value, found no such field"),
        ({"name": "x", "steps": []}, "steps: expected 1 to 500, found 0"),
        ({"name": "", "steps": [{"test_run": "x"}]}, "name: expected 1 to 200 printable"),
        ({"name": "x", "steps": [{}]}, "steps[0].test_run: expected a value, found no such"),
        ({"name": "x", "steps": [{"test_run": "UP"}]}, "steps[0].test_run: expected the name of"),
        ({"name": "x", "steps": [{"test_run": "a", "namespace": "A"}]}, "steps[0].namespace: "),
        ({"name": "x", "steps": [{"test_run": "a"}] * 2}, "steps: expected each once, found"),
        ({"name": "x", "steps": [{"test_run": "a"}], "labels": {"": "x"}}, "labels: expected 1"),
        ({"name": "x", "steps": [{"test_run": "a", "colour": 1}]}, "steps[0].colour: no such"),
        ([], "body: expected object, found array"),
    ],
)
async def test_a_wrong_field_is_400_and_named_and_nothing_is_watched(watched, body, message):
    answer = await watched.api.post(TESTS, json=body)

    assert (answer.status_code, complaint(answer)[: len(message)]) == (400, message)
    assert await watched.told("") == {"tests": [], "next": None}


async def test_a_wrong_query_is_400_and_named(watched):
    answer = await watched.api.get(f"{TESTS}/steps/load/log", params={"grep": "("})

    assert answer.status_code == 400
    assert complaint(answer).startswith("grep: expected a regular expression")


@pytest.mark.parametrize(
    "path",
    [
        f"/{STRANGER}",
        f"/steps/{STRANGER}",
        f"/steps/{STRANGER}/log",
        f"/steps/{STRANGER}/logs",
        f"/steps/{STRANGER}/summary",
        f"/compare?before={STRANGER}&after={STRANGER}",
        f"?before={STRANGER}",
    ],
)
async def test_what_nobody_knows_is_404(watched, path):
    answer = await watched.api.get(TESTS + path)

    assert answer.status_code == 404
    assert STRANGER in complaint(answer)


async def test_a_container_that_is_not_there_is_404_and_those_that_are_are_named(watched):
    step = await watched.finished()

    answer = await watched.log(step["id"], container="istio")

    assert answer.status_code == 404
    assert "/k6" in complaint(answer)


async def test_a_cluster_that_is_not_configured_is_404_and_those_that_are_are_named(watched):
    answer = await watched.api.post(f"{TESTS}/discover", json={"selector": "*", "cluster": "x"})

    assert answer.status_code == 404
    assert complaint(answer) == "cluster: expected one of 'main', found 'x'"


async def test_a_right_that_our_account_lacks_is_not_told_as_the_callers_mistake(watched):
    await watched.k8s.tell("PUT", "/switches", {"forbidden": [{"resource": "testruns"}]})

    watch = await watched.watch("load")
    discover = await watched.api.post(f"{TESTS}/discover", json={"selector": "*"})

    assert (watch.status_code, discover.status_code) == (502, 502)
    assert "grant the right" in complaint(watch)


async def test_a_cluster_that_is_away_is_a_note_when_watching_and_503_when_looking(watched):
    await watched.k8s.faults({"kind": "status", "code": 503, "path": "/k8s/main"})

    watch = await watched.watch("load")
    discover = await watched.api.post(f"{TESTS}/discover", json={"selector": "*"})

    assert (watch.status_code, discover.status_code) == (200, 503)
    assert watch.json()["notes"][0].startswith("load: not seen yet: ")


class TestWithoutAnyCluster:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"k6_kubeconfig": None})

    @pytest.fixture(autouse=True)
    def alone(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("KUBECONFIG", raising=False)
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    async def test_watching_says_what_is_to_be_configured(self, watched):
        answer = await watched.watch("load")

        assert answer.status_code == 404
        assert "no cluster is configured" in complaint(answer)


async def test_the_document_describes_every_path_and_method(api, gateway, settings):
    answering = load_tests(settings, gateway.services), dashboard(settings, gateway.services)
    routes = [route for each in answering for route in each.routes()]

    described = (await api.get("/openapi.json")).json()["paths"]

    for route in routes:
        assert {method.lower() for method in route.methods} - {"head"} <= described[
            route.path
        ].keys()
