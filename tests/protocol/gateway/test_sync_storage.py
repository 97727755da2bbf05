"""Sync Storage: the nine endpoints, with the answers that every client accepts."""

import asyncio
from datetime import datetime

import httpx
import pytest
from pydantic import SecretStr

from syncsvc.wiring.gateway import Gateway
from tests.support.plain_http import plain_http

CUT = {
    "projectId": "11111111-1111-1111-1111-111111111111",
    "autoTestExternalId": "test",
    "statusType": "Succeeded",
    "statusCode": "passed",
    "startedOn": None,
}


@pytest.fixture
def run_id(tmp_path) -> str:
    return f"run-{tmp_path.name}-{id(tmp_path)}"


async def register(storage, run_id, worker="worker-1-1795225145", **more):
    body = {"pid": worker, "testRunId": run_id, **more}
    return await storage.post("/register", json=body)


async def hold(storage, run_id, **changes):
    path = f"/in_progress_test_result?testRunId={run_id}"
    return await storage.post(path, json={**CUT, **changes})


async def test_health_is_200_with_a_moment_that_every_client_reads(storage):
    answer = await storage.get("/health")

    assert answer.status_code == 200
    moment = answer.json()["last_update"]
    assert datetime.fromisoformat(moment).isoformat(timespec="milliseconds")[:-6] + "Z" == moment
    assert answer.json()["status"] == "running"


async def test_register_tells_the_master_with_every_field_and_no_null(storage, run_id):
    answer = await register(storage, run_id)

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "message": "registered as master",
        "pid": "worker-1-1795225145",
        "testRunId": run_id,
        "is_master": True,
    }


async def test_optional_fields_may_be_null_and_unknown_ones_are_ignored(storage, run_id):
    answer = await register(storage, run_id, baseUrl=None, privateToken=None, extra=[1])

    assert answer.json()["is_master"] is True


async def test_only_one_worker_is_master_once_it_has_begun(storage, run_id):
    await register(storage, run_id, "a")
    await storage.post(
        "/set_worker_status", json={"pid": "a", "status": "in_progress", "testRunId": run_id}
    )

    answers = await asyncio.gather(*(register(storage, run_id, f"b{i}") for i in range(20)))

    assert [answer.json()["is_master"] for answer in answers] == [False] * 20


async def test_the_controller_of_xdist_gives_way_to_the_workers_that_run_tests(storage, run_id):
    controller = await register(storage, run_id, "controller")
    await storage.post("/keep_alive", json={"pid": "controller", "testRunId": run_id})
    worker = await register(storage, run_id, "gw0")

    assert (controller.json()["is_master"], worker.json()["is_master"]) == (True, True)


async def test_workers_of_xdist_that_register_at_once_are_all_told_to_hold(storage, run_id):
    await register(storage, run_id, "controller")

    answers = await asyncio.gather(*(register(storage, run_id, f"gw{i}") for i in range(16)))

    assert [answer.json()["is_master"] for answer in answers] == [True] * 16


async def test_nobody_becomes_master_while_a_result_is_held(storage, run_id):
    await register(storage, run_id, "a")
    await hold(storage, run_id)

    assert (await register(storage, run_id, "b")).json()["is_master"] is False


async def test_a_server_that_comes_without_its_token_is_refused_by_name(storage, run_id):
    answer = await register(storage, run_id, baseUrl="http://127.0.0.1:1")

    assert answer.status_code == 400
    assert "privateToken: expected a token" in answer.text


async def test_a_held_result_is_published(storage, run_id):
    await register(storage, run_id)
    before = await storage.get("/in_progress_published", params={"testRunId": run_id})

    held = await hold(storage, run_id)

    after = await storage.get("/in_progress_published", params={"testRunId": run_id})
    assert held.json() == {"status": "ok", "message": "result is held"}
    assert (before.json(), after.json()) == ({"published": False}, {"published": True})


@pytest.mark.parametrize(
    "changes",
    [
        {"projectId": None, "statusCode": None, "statusType": None},
        {"statusType": "succeeded", "statusCode": "Passed"},  # Swift
        {"statusCode": "", "startedOn": ""},  # Kotlin, Go
        {"startedOn": "2026-11-21T04:00:00.000Z"},
        {"unknown": {"nested": True}},
        {"autoTestExternalId": "тест [1]\n🙂"},
    ],
)
async def test_a_cut_of_any_client_is_taken(storage, run_id, changes):
    await register(storage, run_id)

    assert (await hold(storage, run_id, **changes)).status_code == 200


async def test_a_cut_is_in_the_database_when_its_success_is_said(storage, api, run_id):
    await register(storage, run_id)
    await hold(storage, run_id)

    (result,) = (await api.get("/api/v1/results", params={"run": run_id})).json()["results"]

    assert (result["external_id"], result["state"]) == ("test", "held")


async def test_worker_status_is_200_for_every_worker_that_registered(storage, run_id):
    await register(storage, run_id, "a")

    for status in ("in_progress", "completed", "in_progress"):
        answer = await storage.post(
            "/set_worker_status", json={"pid": "a", "status": status, "testRunId": run_id}
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_keep_alive_does_not_change_the_status(storage, api, run_id):
    await register(storage, run_id, "a")
    await storage.post(
        "/set_worker_status", json={"pid": "a", "status": "completed", "testRunId": run_id}
    )

    answer = await storage.post("/keep_alive", json={"pid": "a", "testRunId": run_id})

    (worker,) = (await api.get(f"/api/v1/runs/{run_id}")).json()["workers"]
    assert (answer.status_code, worker["status"]) == (200, "completed")


async def test_wait_completion_of_an_unknown_run_is_done_at_once(storage):
    answer = await storage.get("/wait-completion", params={"testRunId": "nobody knows it"})

    assert answer.json() == {"completed": True, "message": "nothing is held back"}


async def test_wait_completion_needs_no_run(storage):
    assert (await storage.get("/wait-completion")).json()["completed"] is True


async def test_force_completion_of_a_run_that_holds_nothing_is_done(storage, run_id):
    answer = await storage.get("/force-completion", params={"testRunId": run_id})

    assert answer.json()["completed"] is True


async def test_force_completion_hurries_what_is_held(storage, api, run_id):
    await register(storage, run_id)
    await hold(storage, run_id)

    answer = await storage.get("/force-completion", params={"testRunId": run_id})

    (result,) = (await api.get("/api/v1/results", params={"run": run_id})).json()["results"]
    assert (answer.status_code, answer.json()["completed"]) == (200, False)
    assert result["state"] == "pending"


async def test_shutdown_is_answered_and_does_not_stop_a_service_that_others_use(storage):
    answer = await storage.post("/shutdown")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert (await storage.get("/health")).status_code == 200


POSTS = ["/register", "/set_worker_status", "/keep_alive", "/in_progress_test_result?testRunId=r"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "body: expected a JSON object, found nothing"),
        (b"{", "body: expected JSON"),
        (b"[]", "body: expected object, found array"),
        (b"null", "body: expected object, found null"),
        (b"\xff\xfe", "body: expected JSON"),
        (b"[" * 100_000, "body: expected"),
    ],
)
async def test_a_body_that_is_no_object_is_400_and_says_so(storage, path, body, said):
    answer = await storage.post(path, content=body)

    assert answer.status_code == 400
    assert answer.text.startswith(said)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/register", {"pid": 1, "testRunId": "r"}, "pid: expected str, found int"),
        ("/register", {"testRunId": "r"}, "pid: expected a value"),
        ("/register", {"pid": "p", "testRunId": None}, "testRunId: expected str, found null"),
        ("/register", {"pid": "p", "testRunId": ""}, "testRunId: expected a name"),
        ("/register", {"pid": "p\n", "testRunId": "r"}, "pid: expected printable"),
        ("/register", {"pid": "p" * 300, "testRunId": "r"}, "pid: expected at most 200"),
        (
            "/register",
            {"pid": "p", "testRunId": "r", "baseUrl": "ftp://x", "privateToken": "t"},
            "baseUrl: expected http",
        ),
        (
            "/set_worker_status",
            {"pid": None, "testRunId": "r", "status": "completed"},
            "pid: expected str, found null",
        ),
        (
            "/set_worker_status",
            {"pid": "p", "testRunId": "r", "status": "gone"},
            "status: expected in_progress or completed, found 'gone'",
        ),
        ("/keep_alive", {"pid": "p"}, "testRunId: expected a value"),
        ("/in_progress_test_result", {**CUT}, "testRunId: expected the id of a run in the query"),
        (
            "/in_progress_test_result?testRunId=r",
            {**CUT, "autoTestExternalId": None},
            "autoTestExternalId: expected str, found null",
        ),
        (
            "/in_progress_test_result?testRunId=r",
            {**CUT, "autoTestExternalId": ""},
            "autoTestExternalId: expected 1 to 1000 characters",
        ),
        (
            "/in_progress_test_result?testRunId=r",
            {**CUT, "statusCode": ["x"]},
            "statusCode: expected str | null, found array",
        ),
    ],
)
async def test_a_wrong_field_is_400_and_named(storage, path, body, said):
    answer = await storage.post(path, json=body)

    assert answer.status_code == 400
    assert answer.text.startswith(said)


@pytest.mark.parametrize("path", ["/in_progress_published", "/force-completion"])
async def test_a_query_without_its_run_is_400_and_says_so(storage, path):
    answer = await storage.get(path)

    assert (answer.status_code, answer.text.split(":")[0]) == (400, "testRunId")


@pytest.mark.parametrize("path", ["/set_worker_status", "/keep_alive"])
async def test_an_unknown_run_is_404_and_named(storage, path):
    body = {"pid": "p", "testRunId": "stranger", "status": "completed"}

    answer = await storage.post(path, json=body)

    assert answer.status_code == 404
    assert "'stranger'" in answer.text


@pytest.mark.parametrize("path", ["/set_worker_status", "/keep_alive"])
async def test_an_unknown_worker_is_404_and_named(storage, run_id, path):
    await register(storage, run_id, "a")

    answer = await storage.post(
        path, json={"pid": "stranger", "testRunId": run_id, "status": "completed"}
    )

    assert answer.status_code == 404
    assert "'stranger'" in answer.text


async def test_a_cut_of_an_unknown_run_is_404_so_that_the_client_keeps_it(storage):
    assert (await hold(storage, "stranger")).status_code == 404


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_of_20_mb_is_413_and_not_read(storage, path):
    answer = await storage.post(path, content=b" " * 20_000_000)

    assert answer.status_code == 413
    assert "expected at most 1048576 bytes" in answer.text


async def test_a_body_without_a_length_is_measured_as_it_comes(storage):
    async def endless():
        for _ in range(100):
            yield b" " * 65536

    try:
        answer = await storage.post("/register", content=endless())
    except httpx.WriteError:  # we closed while it still wrote
        return
    assert answer.status_code == 413


async def test_a_wrong_method_or_path_is_405_or_404(storage):
    assert (await storage.get("/register")).status_code == 405
    assert (await storage.get("/nothing")).status_code == 404


async def test_both_loopback_addresses_answer(gateway: Gateway):
    async with plain_http() as client:
        for host in ("127.0.0.1", "[::1]"):
            answer = await client.get(f"http://{host}:{gateway.sync_storage_port}/health")
            assert answer.status_code == 200


async def test_a_connection_is_kept_for_the_whole_session(storage):
    first = await storage.get("/health")

    assert first.headers.get("connection", "keep-alive") == "keep-alive"


async def test_a_cut_that_cannot_be_stored_is_500_so_that_the_client_keeps_it(
    storage, run_id, gateway
):
    await register(storage, run_id)
    await gateway.services.stores.database.write(
        lambda connection: connection.exec_driver_sql("ALTER TABLE outbox RENAME TO lost")
    )

    answer = await hold(storage, run_id)

    assert answer.status_code == 500
    assert "did not serve" in answer.text


class TestWithoutRedis:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"redis_url": SecretStr("unix:///nowhere?db=0")})

    async def test_registering_is_refused_and_does_not_hang(self, storage, run_id):
        answer = await register(storage, run_id)

        assert answer.status_code == 500
        assert answer.text.startswith("Redis did not serve")
