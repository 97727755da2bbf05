"""Kubernetes' control surface: what it refuses, what it resets, and what is announced of it."""

import asyncio
import json

import pytest

from syncsvc.sandbox.cli import announcement
from syncsvc.sandbox.identities import KUBERNETES_ADMIN_TOKEN, KUBERNETES_TOKEN
from syncsvc.sandbox.server import Address
from tests.support.kubernetes import CONTROL, TESTRUNS, World, a_kubernetes
from tests.support.plain_http import plain_http

ADDRESS = Address("127.0.0.1", 8090)
URL = "http://127.0.0.1:8090/k8s/main"


@pytest.fixture
async def world():
    async with a_kubernetes() as world:
        yield world


def test_the_json_line_tells_kubernetes_address_and_token():
    told = json.loads(announcement(ADDRESS, "word", as_json=True))

    assert (told["kubernetes_url"], told["kubernetes_token"]) == (URL, KUBERNETES_TOKEN)


def test_the_plain_line_tells_them_too():
    told = announcement(ADDRESS, "word", as_json=False)

    assert f"Kubernetes at {URL}, token {KUBERNETES_TOKEN}" in told


async def test_a_kubeconfig_names_every_cluster(world):
    await world.tell("PUT", "/cluster?cluster=other", {})

    told = (await world.http.get(f"{CONTROL}/kubeconfig?user=admin")).json()

    assert told["current-context"] == "main"
    assert [each["name"] for each in told["contexts"]] == ["main", "other"]
    assert told["clusters"][0]["cluster"]["server"] == world.url
    assert told["users"][0]["user"]["token"] == KUBERNETES_ADMIN_TOKEN


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/testruns", {"name": "Bad_Name"}, "name"),
        ("POST", "/testruns", {"count": 0}, "count"),
        ("POST", "/testruns", {"until": "soon"}, "until"),
        ("POST", "/testruns", {"scenario": {"exits": ["burnt"]}}, "scenario.exits[0]"),
        ("POST", "/testruns", {"bogus": 1}, "bogus"),
        ("POST", "/step", {"until": "later"}, "until"),
        ("POST", "/emit", {"lines": -1}, "lines"),
        ("POST", "/emit", {}, "pod"),
        ("PUT", "/speed", {"factor": -1}, "factor"),
        ("PUT", "/speed", {}, "factor"),
        ("PUT", "/scenario", {"summary": "v1"}, "summary"),
        ("PUT", "/switches", {"forbidden": [{"verbs": "get"}]}, "forbidden[0].verbs"),
        ("PUT", "/malformed", {"answers": [{"pattern": "(", "answer": "html"}]}, "pattern"),
        ("PUT", "/cluster?cluster=No_Name", {}, "cluster"),
        ("GET", "/kubeconfig?user=root", None, "user"),
    ],
)
async def test_what_is_wrong_is_told_by_field(world, method, path, body, field):
    reply = await world.http.request(method, CONTROL + path, json=body)

    assert reply.status_code == 400
    told = reply.json()["detail"]
    assert field in told
    assert "found" in told
    assert "expected" in told


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/testruns?cluster=none", None),
        ("POST", "/step", {"name": "none"}),
        ("PATCH", "/testruns/k6-runs/none", {}),
        ("DELETE", "/testruns/k6-runs/none", None),
        ("POST", "/pods/k6-runs/none", {"action": "oom"}),
        ("GET", "/emitted?pod=none", None),
    ],
)
async def test_what_is_not_there_is_not_found(world, method, path, body):
    reply = await world.http.request(method, CONTROL + path, json=body)

    assert reply.status_code == 404
    assert "none" in reply.json()["detail"]


async def test_a_reset_leaves_one_empty_cluster(world):
    await world.testruns()
    await world.tell("PUT", "/cluster?cluster=other", {})
    await world.tell("PUT", "/switches", {"crd": False})

    await world.http.post("/__sandbox__/reset")

    told = (await world.tell("GET", "/clusters"))["clusters"]
    assert [(each["name"], each["testruns"]) for each in told] == [("main", 0)]
    assert (await world.told(TESTRUNS))["items"] == []


async def test_calls_without_a_token_may_be_let_in(world):
    before = await world.ask("GET", TESTRUNS, None)
    await world.tell("PUT", "/switches", {"anonymous": "admin"})

    after = await world.ask("GET", TESTRUNS, None)

    assert (before.status_code, after.status_code) == (403, 200)


async def test_the_page_shows_the_clusters(world):
    await world.testruns(count=2, until="started")

    page = (await world.http.get("/")).text

    assert "<td>main</td><td>2 started</td>" in page


async def test_the_log_of_calls_names_routes_not_objects(world):
    [state] = await world.testruns(until="started")
    await world.get(f"/api/v1/namespaces/k6-runs/pods/{state['pods'][0]['name']}/log")

    told = (await world.http.get("/__sandbox__/calls")).json()["counters"]

    route = "GET /k8s/main/api/v1/namespaces/{name}/pods/{name}/log"
    assert told == {route: {"200": 1}}


async def test_open_streams_do_not_hold_the_server_up():
    began = asyncio.Event()

    async def watch(world):
        stream = world.http.stream(
            "GET",
            f"{world.url}{TESTRUNS}?watch=1",
            headers={"Authorization": f"Bearer {KUBERNETES_TOKEN}"},
        )
        async with stream as reply:
            async for _ in reply.aiter_lines():
                began.set()

    async with a_kubernetes() as world, plain_http() as http:
        await world.testruns()
        outside = World(world.url, http, world.kubernetes)
        watching = asyncio.create_task(watch(outside))
        await began.wait()
        world.kubernetes.released.set()
        await watching

    assert watching.done()
