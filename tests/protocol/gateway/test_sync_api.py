"""Syncs over HTTP: begun, watched, cancelled, listed, and what is refused with its field."""

import json

import httpx
import pytest
from pydantic import SecretStr

from tests.support.valkey import own_valkey

RUNS = "/api/v1/sync/runs"
STRANGER = "0" * 32


@pytest.fixture
def settings(settings):
    """Whoever begins a sync here leaves it to task workers, and there are none."""
    return settings.model_copy(
        update={
            "testio_url": "http://127.0.0.1:9/customer/v2",
            "testio_token": SecretStr("configured"),
            "sync_by_itself": False,
        }
    )


@pytest.fixture
async def start(api):
    async def post(**body: object) -> httpx.Response:
        return await api.post(RUNS, json=body)

    yield post
    for run in (await api.get(RUNS, params={"status": "running"})).json()["runs"]:
        await api.post(f"{RUNS}/{run['id']}/cancel")  # the server of Redis is shared


def complaint(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"])


async def test_a_sync_that_is_begun_is_shown_with_its_plan(api, start):
    begun = await start(scope={"product_ids": [2008, 2001]}, options={"force_refresh": True})

    shown = (await api.get(f"{RUNS}/{begun.json()['id']}")).json()

    assert begun.status_code == 200
    assert begun.json() == {**shown["run"], "duration_seconds": begun.json()["duration_seconds"]}
    assert (shown["run"]["status"], shown["run"]["trigger"]) == ("running", "api")
    assert shown["run"]["product_ids"] == [2001, 2008]
    assert shown["run"]["options"] == ["force_refresh"]
    assert [phase["phase"] for phase in shown["phases"]] == ["products", "features", "new_tests"]
    assert [event["kind"] for event in shown["events"]] == ["started"]


async def test_a_second_one_is_409_and_names_the_first_unless_it_is_to_be_joined(start):
    first = (await start()).json()["id"]

    refused, joined = await start(), await start(if_running="join")

    assert refused.status_code == 409
    assert first in complaint(refused)
    assert (joined.status_code, joined.json()["id"]) == (200, first)


async def test_a_sync_is_cancelled_once(api, start):
    run = (await start()).json()["id"]

    cancelled, again = [await api.post(f"{RUNS}/{run}/cancel") for _ in range(2)]

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert again.status_code == 409
    assert "found that it is over: cancelled" in complaint(again)
    assert (await start()).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"phases": ["tests"]}, "phases[0]: expected one of products, features, new_tests, found"),
        ({"phases": []}, "phases: expected at least one to run, found none"),
        ({"phases": "products"}, "phases: expected array | null, found str"),
        (
            {"scope": {"entity_types": ["bugs"]}},
            "scope.entity_types[0]: expected one of products, features, user_stories, tests, found",
        ),
        ({"barrier": "none"}, "barrier: expected one of phase, product, found 'none'"),
        ({"if_running": "ask"}, "if_running: expected one of wait, fail, join, found 'ask'"),
        ({"if_running": "wait"}, "if_running: expected fail or join, found 'wait'"),
        ({"scope": {"product_ids": []}}, "product_ids: expected at least one id, or none given"),
        ({"scope": {"product_ids": [0]}}, "scope.product_ids[0]: expected int >= 1, found 0"),
        ({"scope": {"product_ids": [2**63]}}, "scope.product_ids[0]: expected int"),
        ({"scope": {"product_ids": ["1"]}}, "scope.product_ids[0]: expected int, found str"),
        (
            {"scope": {"since_date": "2026-01-01T00:00:00"}},
            "scope.since_date: expected datetime with a timezone component",
        ),
        ({"scope": {"since_date": "2026-01-01"}}, "scope.since_date: invalid RFC3339"),
        ({"scope": {"since_date": "2999-01-01T00:00:00Z"}}, "since_date: expected a moment before"),
        ({"options": {"nuke": True}}, "confirm_nuke: expected 'default', the customer whose"),
        ({"options": {"nuke": True}, "confirm_nuke": "x"}, "confirm_nuke: expected 'default'"),
        (
            {"options": {"force_refresh": True, "incremental_only": True}},
            "force_refresh: expected without incremental_only, found both",
        ),
        ({"options": {"colour": 1}}, "options.colour: no such field"),
        ({"wait": True}, "wait: no such field"),
        ([], "body: expected object, found array"),
    ],
)
async def test_a_wrong_field_is_400_and_named_and_nothing_begins(api, body, message):
    answer = await api.post(RUNS, json=body)

    assert (answer.status_code, complaint(answer)[: len(message)]) == (400, message)
    assert (await api.get(RUNS)).json() == {"runs": [], "next": None}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_what_is_no_json_is_400(api, body):
    answer = await api.post(RUNS, content=body)

    assert answer.status_code == 400
    assert complaint(answer).startswith("body: expected")


async def test_a_body_over_its_limit_is_413(api):
    assert (await api.post(RUNS, content=b" " * (256 * 1024 + 1))).status_code == 413


async def test_a_nuke_that_is_confirmed_begins(start):
    begun = await start(options={"nuke": True}, confirm_nuke="default")

    assert (begun.status_code, begun.json()["options"]) == (200, ["nuke"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{RUNS}/{STRANGER}"),
        ("POST", f"{RUNS}/{STRANGER}/cancel"),
        ("GET", f"{RUNS}?customer=nobody"),
        ("GET", "/api/v1/sync/status?customer=nobody"),
        ("GET", "/api/v1/sync/quarantine?customer=nobody"),
        ("POST", "/api/v1/sync/quarantine/retry?customer=nobody"),
        ("POST", "/api/v1/sync/quarantine/nothing/retry"),
    ],
)
async def test_what_nobody_knows_is_404_and_named(api, method, path):
    answer = await api.request(method, path)

    assert answer.status_code == 404
    assert "expected" in complaint(answer)
    assert any(name in complaint(answer) for name in (STRANGER, "nobody", "nothing"))


async def test_a_sync_of_an_unknown_customer_is_404_with_the_known_ones(start):
    answer = await start(customer="nobody")

    assert answer.status_code == 404
    assert complaint(answer) == "customer: expected one of default, found 'nobody'"


async def test_syncs_come_newest_first_page_by_page_and_by_status(api, start):
    ids = []
    for _ in range(3):
        ids.append((await start()).json()["id"])
        await api.post(f"{RUNS}/{ids[-1]}/cancel")

    async def listed(**query: str | int) -> list[str]:
        return [run["id"] for run in (await api.get(RUNS, params=query)).json()["runs"]]

    first = (await api.get(RUNS, params={"limit": 2})).json()
    assert [run["id"] for run in first["runs"]] == [ids[2], ids[1]]
    assert await listed(before=first["next"]) == [ids[0]]
    assert await listed(status="cancelled", customer="default") == ids[::-1]
    assert await listed(status="success") == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("status=done", "status: expected one of running, success, partial, failed, cancelled, ab"),
        ("limit=0", "limit: expected 1 to 1000, found '0'"),
        ("before=yesterday", "before: expected the id of a sync, found 'yesterday'"),
    ],
)
async def test_a_wrong_word_of_the_query_is_400_and_named(api, query, message):
    answer = await api.get(f"{RUNS}?{query}")

    assert (answer.status_code, complaint(answer)[: len(message)]) == (400, message)


async def test_a_customer_says_what_is_stored_and_what_runs(api, start):
    run = (await start()).json()["id"]

    (shown,) = (await api.get("/api/v1/sync/status")).json()["customers"]

    assert (shown["customer"], shown["running"], shown["lag_seconds"]) == ("default", run, None)
    assert (await api.get("/api/v1/sync/quarantine")).json() == {"places": []}
    assert (await api.post("/api/v1/sync/quarantine/retry")).json() == {"retried": 0}


async def test_the_document_describes_every_answer(api, start):
    run = (await start()).json()
    document = (await api.get("/openapi.json")).json()
    shapes = document["components"]["schemas"]

    assert set(run) == set(shapes["SyncRunView"]["properties"])
    assert set((await api.get(RUNS)).json()) == set(shapes["SyncRunPage"]["properties"])
    details = (await api.get(f"{RUNS}/{run['id']}")).json()
    assert set(details) == set(shapes["SyncRunDetails"]["properties"])
    assert set(details["phases"][0]) == set(shapes["PhaseView"]["properties"])
    assert set(details["units"][0]) == set(shapes["UnitView"]["properties"])
    assert set(details["events"][0]) == set(shapes["EventView"]["properties"])
    states = (await api.get("/api/v1/sync/status")).json()["customers"]
    assert set(states[0]) == set(shapes["CustomerView"]["properties"])
    assert {"SyncBody", "ScopeBody", "OptionsBody", "QuarantinedView"} <= set(shapes)
    assert "new_tests" in json.dumps(shapes)


class TestWithoutACustomer:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"testio_token": None})

    async def test_a_sync_is_404_and_says_what_to_set(self, api, start):
        answer = await start()

        assert answer.status_code == 404
        assert "set SYNCSVC_TESTIO_TOKEN" in complaint(answer)
        assert (await api.get("/api/v1/sync/status")).json() == {"customers": []}


class TestWithoutRedis:
    @pytest.fixture
    def server(self, tmp_path):
        with own_valkey(tmp_path) as server:
            yield server

    @pytest.fixture
    def settings(self, settings, server):
        return settings.model_copy(update={"redis_url": SecretStr(server.url)})

    async def test_a_sync_is_503_until_it_is_back_and_all_else_is_shown(self, api, start, server):
        server.stop()

        refused, listed = await start(), await api.get(RUNS)

        assert refused.status_code == 503
        assert "Redis did not" in complaint(refused)
        assert (listed.status_code, listed.json()["runs"]) == (200, [])
        server.start()
        assert (await start()).status_code == 200
