"""The API: what it shows, what it refuses, and who may ask."""

import base64

import pytest
from pydantic import SecretStr


async def test_it_is_alive_and_ready(api):
    assert (await api.get("/health")).json() == {"status": "alive"}

    ready = await api.get("/ready")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "dependencies": {"database": "ok", "redis": "ok"}}


async def test_every_answer_carries_a_request_id_and_keeps_the_callers_own(api):
    fresh = await api.get("/health")
    own = await api.get("/health", headers={"X-Request-ID": "build-17"})

    assert len(fresh.headers["x-request-id"]) == 24
    assert own.headers["x-request-id"] == "build-17"


async def test_a_request_id_that_could_forge_a_log_line_is_replaced(api):
    answer = await api.get("/health", headers={"X-Request-ID": "a b;c"})

    assert answer.headers["x-request-id"] != "a b;c"


async def test_an_unknown_result_is_404_and_named(api):
    answer = await api.get("/api/v1/results/stranger")

    assert answer.status_code == 404
    assert "'stranger'" in answer.json()["error"]["message"]


async def test_an_unknown_run_is_404_and_named(api):
    assert (await api.get("/api/v1/runs/stranger")).status_code == 404


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "9" * 30, "٣"])
async def test_a_limit_out_of_range_is_400_and_named(api, limit):
    for path in ("/api/v1/results", "/api/v1/runs"):
        answer = await api.get(path, params={"limit": limit})

        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("limit: expected 1 to 1000, found")


async def test_an_unknown_state_is_400_with_the_known_ones(api):
    answer = await api.get("/api/v1/results", params={"state": "lost"})

    assert answer.status_code == 400
    expected = "state: expected one of held, pending, delivered, dead, found 'lost'"
    assert answer.json()["error"]["message"] == expected


async def test_results_come_page_by_page(storage, api):
    await storage.post("/register", json={"pid": "p", "testRunId": "paged"})
    for number in range(5):
        await storage.post(
            "/in_progress_test_result?testRunId=paged",
            json={"autoTestExternalId": f"t{number}"},
        )

    first = (await api.get("/api/v1/results?run=paged&limit=3")).json()
    second = (await api.get(f"/api/v1/results?run=paged&limit=3&before={first['next']}")).json()

    found = [result["external_id"] for result in first["results"] + second["results"]]
    assert (found, second["next"]) == (["t4", "t3", "t2", "t1", "t0"], None)


async def test_only_a_dead_result_can_be_retried(storage, api):
    await storage.post("/register", json={"pid": "p", "testRunId": "alive"})
    await storage.post("/in_progress_test_result?testRunId=alive", json={"autoTestExternalId": "t"})
    (result,) = (await api.get("/api/v1/results?run=alive")).json()["results"]

    answer = await api.post(f"/api/v1/results/{result['id']}/retry")

    assert answer.status_code == 400
    assert "expected one that is dead, found held" in answer.json()["error"]["message"]
    assert (await api.post("/api/v1/results/retry")).json() == {"retried": 0}


async def test_a_wrong_path_or_method_is_told_as_json(api):
    assert (await api.get("/nothing")).json()["error"]["message"].startswith("no such path")
    assert (await api.delete("/api/v1/runs")).status_code == 405


async def test_metrics_count_requests(api):
    await api.get("/health")

    text = (await api.get("/metrics")).text

    assert 'syncsvc_requests_total{method="GET",status="200",surface="api"}' in text


async def test_flower_that_does_not_run_is_503_with_its_command(api):
    answer = await api.get("/flower/")

    assert answer.status_code == 503
    assert "syncsvc flower" in answer.json()["error"]["message"]


async def test_the_document_names_every_route_that_answers(api):
    described = (await api.get("/openapi.json")).json()

    assert "/api/v1/commands" in described["paths"]
    for path in described["paths"]:
        answer = await api.get(path.replace("{", "").replace("}", ""))
        assert answer.json().get("error", {}).get("message", "").find("no such path") < 0, path


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_page_from_elsewhere_cannot_use_the_browser_to_get_in(api, headers):
    assert (await api.get("/api/v1/runs", headers=headers)).status_code == 401


class TestWithAToken:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"api_token": SecretStr("s3cret")})

    @pytest.mark.parametrize(
        "authorization",
        [None, "Bearer wrong", "Bearer", "Basic s3cret", "Basic !!", "Digest s3cret", "s3cret"],
    )
    async def test_nothing_but_the_probes_answers_without_it(self, api, authorization):
        headers = {"Authorization": authorization} if authorization else {}

        for path in ("/", "/api/v1/runs", "/metrics", "/openapi.json", "/flower/"):
            answer = await api.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"]
        assert (await api.get("/ready", headers=headers)).status_code == 200

    async def test_it_opens_as_bearer_and_as_the_password_of_basic(self, api):
        basic = base64.b64encode(b"anybody:s3cret").decode()

        for authorization in ("Bearer s3cret", f"Basic {basic}"):
            answer = await api.get("/api/v1/runs", headers={"Authorization": authorization})
            assert answer.status_code == 200


class TestWithoutStores:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"redis_url": SecretStr("unix:///nowhere?db=0")})

    async def test_it_lives_but_is_not_ready_and_says_why(self, api):
        answer = await api.get("/ready")

        assert (await api.get("/health")).status_code == 200
        assert answer.status_code == 503
        assert answer.json()["dependencies"]["redis"].startswith("Redis did not answer")
        assert answer.json()["dependencies"]["database"] == "ok"


async def test_an_unexpected_failure_is_500_without_its_inside(api, gateway, monkeypatch):
    monkeypatch.setattr(gateway.services.results, "outbox", None)

    answer = await api.get("/api/v1/results")

    assert answer.status_code == 500
    assert answer.json()["error"]["message"].startswith("something unexpected happened here")
    assert "NoneType" not in answer.text
