"""Tokens with scopes over HTTP: who is let in, who is told what is missing, and who is noted."""

import asyncio
import base64

import pytest
from pydantic import SecretStr

from syncsvc.settings import ApiScope, ApiToken
from tests.support.watched import SYNC_JOB, SYNC_NOW, TESTS

WISH = {"action": "start", "intervalSeconds": 15}


def token(name: str, *scopes: ApiScope) -> ApiToken:
    return ApiToken(name=name, token=SecretStr(f"{name}-s3cret"), scopes=scopes)


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}-s3cret"}


@pytest.fixture
def settings(settings):
    tokens = (
        token("reader", ApiScope.READ),
        token("ci", ApiScope.WRITE),
        token("organizer", ApiScope.MANAGE),
        token("root", ApiScope.ADMIN),
    )
    return settings.model_copy(update={"api_token": SecretStr("one-s3cret"), "api_tokens": tokens})


@pytest.mark.parametrize("name", ["reader", "ci", "organizer", "root", "one"])
async def test_every_token_may_read(api, name):
    for path in ("/", "/api/v1/runs", TESTS, SYNC_NOW, "/metrics"):
        assert (await api.get(path, headers=bearer(name))).status_code == 200


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("reader", [403, 403, 403]),
        ("ci", [200, 400, 403]),
        ("organizer", [403, 400, 200]),
        ("root", [200, 400, 200]),
        ("one", [200, 400, 200]),
    ],
)
async def test_what_a_token_may_change_is_what_its_scopes_say(api, name, statuses):
    asked = [("/api/v1/results/retry", {}), (TESTS, {}), (SYNC_JOB, WISH)]

    answers = [await api.post(path, json=body, headers=bearer(name)) for path, body in asked]

    assert [answer.status_code for answer in answers] == statuses


async def test_the_scope_that_is_missing_is_named(api):
    answer = await api.post(TESTS, json={}, headers=bearer("reader"))

    message = "token 'reader': expected the scope write or k6:manage, found read"
    assert answer.json() == {"error": {"message": message}}


async def test_the_dashboard_is_refused_in_its_own_shape(api):
    without = await api.get(SYNC_JOB)
    reader = await api.get(SYNC_JOB, headers=bearer("reader"))

    assert (without.status_code, reader.status_code) == (401, 403)
    assert without.headers["www-authenticate"] == "Bearer"
    assert without.json()["error"].startswith("expected 'Authorization: Bearer TOKEN'")
    message = "token 'reader': expected the scope k6:manage, found read"
    assert reader.json() == {"error": message}


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer wrong", "Bearer", "Basic !!", "Bearer reader", "Digest one-s3cret"],
)
async def test_without_a_credential_that_is_known_nothing_is_told(api, authorization):
    headers = {"Authorization": authorization} if authorization else {}

    for method, path in (("GET", "/"), ("POST", TESTS), ("GET", SYNC_JOB), ("POST", SYNC_NOW)):
        assert (await api.request(method, path, headers=headers)).status_code == 401
    assert (await api.get("/health", headers=headers)).status_code == 200


async def test_a_browser_may_give_a_token_as_the_password(api):
    basic = base64.b64encode(b"anybody:reader-s3cret").decode()

    answer = await api.get("/flower/", headers={"Authorization": f"Basic {basic}"})

    assert answer.status_code == 503  # it was let through: no Flower runs


@pytest.mark.parametrize(("name", "noted"), [("organizer", "organizer"), ("one", "api token")])
async def test_who_changed_the_sync_job_is_noted_by_the_token(api, gateway, name, noted):
    await api.post(SYNC_JOB, json=WISH, headers=bearer(name))

    assert (await gateway.services.watch.jobs.state()).updated_by == noted


@pytest.mark.parametrize(
    ("name", "status"), [("reader", 401), ("organizer", 401), ("ci", 101), ("root", 101)]
)
async def test_a_runs_worker_comes_in_over_websocket_with_a_token_that_writes(
    gateway, name, status
):
    assert await handshake(gateway.testsync_ws_port, bearer(name)) == status


async def handshake(port: int, headers: dict[str, str]) -> int:
    """Ask for our own path over WebSocket, and give the status of the answer."""
    upgrade = {
        "Host": "localhost",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    lines = ["GET /runs/r HTTP/1.1", *(f"{k}: {v}" for k, v in (upgrade | headers).items())]
    reader, writer = await asyncio.open_connection("localhost", port)
    writer.write("\r\n".join([*lines, "", ""]).encode())
    async with asyncio.timeout(60):
        answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ")[1])


class TestWithoutTokens:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"api_token": None, "api_tokens": ()})

    async def test_who_is_here_may_do_everything_and_is_noted_as_local(self, api, gateway):
        answer = await api.post(SYNC_JOB, json=WISH)

        assert answer.status_code == 200
        assert (await gateway.services.watch.jobs.state()).updated_by == "local"

    @pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.io"}])
    async def test_a_page_from_elsewhere_does_not_get_through(self, api, headers):
        for method, path in (("GET", SYNC_JOB), ("POST", SYNC_JOB), ("POST", SYNC_NOW)):
            assert (await api.request(method, path, headers=headers)).status_code == 401


class TestWithTheOneTokenAsBefore:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"api_tokens": ()})

    async def test_it_may_do_everything(self, api):
        assert (await api.get("/api/v1/runs", headers=bearer("one"))).status_code == 200
        assert (await api.post(SYNC_JOB, json=WISH, headers=bearer("one"))).status_code == 200
        assert (await api.post(SYNC_JOB, json=WISH, headers=bearer("root"))).status_code == 401
