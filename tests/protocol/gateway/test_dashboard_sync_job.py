"""The dashboard's sync job over HTTP, in the shapes that the dashboard has always read."""

import re
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from pydantic import SecretStr

from syncsvc.loadtests.ports import Turn
from tests.support.kubernetes import a_kubernetes
from tests.support.watched import DASHBOARD, SYNC_JOB, SYNC_NOW, Watched, watching

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
JOB = {
    "isRunning": True,
    "intervalMs": 20000,
    "intervalSeconds": 20,
    "nextRunIn": 0,
    "configuredVia": "default (20s)",
    "distributedLock": True,
    "autoSyncEnabled": True,
    "apiKeyConfigured": False,
}
OTHER = "another process"


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


async def job_of(api) -> dict[str, object]:
    return (await api.get(SYNC_JOB)).json()["job"]


async def test_the_job_is_shown_with_the_settings_before_anybody_changed_it(api, gateway):
    answer = await api.get(SYNC_JOB)

    told = answer.json()
    assert (answer.status_code, list(told)) == (200, ["success", "job", "timestamp"])
    assert told["job"] == {**JOB, "instanceId": gateway.services.watch.polling.holder}
    assert told["success"] is True
    assert STAMP.fullmatch(told["timestamp"])


async def test_it_is_started_with_an_interval_and_says_when_it_runs_next(api):
    answer = await api.post(SYNC_JOB, json={"action": "start", "intervalSeconds": 15})

    told = answer.json()
    assert (answer.status_code, told["action"]) == (200, "start")
    assert list(told) == ["success", "action", "result", "job", "timestamp"]
    assert told["result"] == "Sync job goes on every 15 seconds"
    assert told["job"]["intervalMs"] == 15000
    assert told["job"]["configuredVia"] == "runtime override"
    assert told["job"]["nextRunIn"] == pytest.approx(15, abs=5)
    assert (await job_of(api))["intervalSeconds"] == 15


async def test_when_it_runs_next_is_told_in_true_seconds(watched):
    await watched.cycle()
    await watched.cycle()

    job = await job_of(watched.api)

    assert 15 < job["nextRunIn"] < 20


async def test_a_restart_without_an_interval_goes_back_to_the_settings(api):
    await api.post(SYNC_JOB, json={"action": "start", "intervalSeconds": 60})

    answer = await api.post(SYNC_JOB, json={"action": "restart"})

    told = answer.json()
    assert told["result"] == "Sync job restarted, every 20 seconds"
    assert told["job"]["configuredVia"] == "default (20s)"
    assert told["job"]["nextRunIn"] == 0


async def test_it_is_stopped_once_and_then_has_no_next_run(api):
    first = await api.post(SYNC_JOB, json={"action": "stop"})

    again = await api.post(SYNC_JOB, json={"action": "stop"})

    assert first.json()["job"]["isRunning"] is False
    assert first.json()["job"]["nextRunIn"] is None
    assert (again.status_code, again.json()["result"]) == (200, "Sync job is not running")


async def test_a_field_that_is_not_known_is_passed_over(api):
    answer = await api.post(SYNC_JOB, json={"action": "stop", "reason": "lunch"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "action: expected one of start, restart, stop, found no such field"),
        (
            {"action": "stop", "intervalSeconds": 301},
            "intervalSeconds: expected a whole number from 5 to 300, found 301",
        ),
    ],
)
async def test_a_wrong_field_is_400_and_named_and_nothing_changes(api, body, error):
    answer = await api.post(SYNC_JOB, json=body)

    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert (await job_of(api))["isRunning"] is True


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 50_000])
async def test_what_is_no_object_is_400_in_the_dashboards_shape(api, body):
    answer = await api.post(SYNC_JOB, content=body)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("body: expected")


async def test_what_is_not_there_is_told_in_the_dashboards_shape(api):
    missing, method = await api.get(f"{DASHBOARD}/x"), await api.delete(SYNC_JOB)

    assert (missing.status_code, method.status_code) == (404, 405)
    assert isinstance(missing.json()["error"], str)
    assert isinstance(method.json()["error"], str)


async def test_a_cycle_at_once_tells_what_became_of_each_step(watched):
    await watched.k8s.testruns(name="load", until="started")
    step = (await watched.watch("load", "absent")).json()["steps"][0]
    await watched.k8s.tell("POST", "/emit", {"lines": 5})

    answer = await watched.cycle()

    told = answer.json()
    assert (answer.status_code, told["success"]) == (200, True)
    assert re.fullmatch(r"\d+ms", told["duration"])
    assert told["summary"] == {
        "totalSteps": 2,
        "updatedSteps": 2,
        "errorSteps": 0,
        "stepsWithNewLogs": 1,
    }
    assert told["details"][0] == {
        "stepId": step["id"],
        "stepName": "load",
        "k6TestName": "load",
        "oldStatus": "PENDING",
        "newStatus": "RUNNING",
        "updated": True,
        "logsUpdated": True,
    }
    assert (told["details"][1]["logsUpdated"], told["details"][1]["newStatus"]) == (
        False,
        "PENDING",
    )
    assert STAMP.fullmatch(told["timestamp"])


async def test_a_step_that_could_not_be_looked_at_tells_why(watched):
    await watched.watch("load")
    await watched.k8s.faults({"kind": "status", "code": 503, "path": "/k8s/main"})

    told = (await watched.cycle()).json()

    assert (told["success"], told["summary"]["errorSteps"]) == (True, 1)
    assert told["details"][0]["updated"] is False
    assert "503" in told["details"][0]["error"]


async def test_a_cycle_that_another_process_runs_for_too_long_is_409(watched, gateway):
    began, passed = datetime.now(UTC), count()
    watch = gateway.services.watch
    turn = Turn(0, timedelta(seconds=20), OTHER, timedelta(hours=1), at_once=True)
    assert await watch.jobs.control.take_due(turn, began)
    watch.polling.clock = lambda: began + timedelta(seconds=next(passed))

    answer = await watched.cycle()

    told = answer.json()
    assert (answer.status_code, told["success"]) == (409, False)
    assert list(told) == ["success", "error", "timestamp"]


async def test_steps_that_wait_for_a_cycle_are_counted(watched):
    await watched.k8s.testruns(name="load", until="started")
    await watched.watch("load", "absent")
    before = (await watched.api.get(SYNC_NOW)).json()
    await watched.cycle()

    told = (await watched.api.get(SYNC_NOW)).json()

    assert (before["activeSteps"], before["oldestCheck"]) == (2, None)
    assert (told["activeSteps"], told["staleSteps"], told["nextSyncRecommended"]) == (2, 0, False)
    assert STAMP.fullmatch(told["oldestCheck"])
    assert told["apiKeyConfigured"] is False


class TestConfiguredByTheEnvironment:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(
            update={"k6_sync_interval_seconds": 30, "k6_auto_sync_enabled": False}
        )

    async def test_it_is_shown_so_and_waits_to_be_started(self, api):
        assert await job_of(api) == {
            **JOB,
            "isRunning": False,
            "intervalMs": 30000,
            "intervalSeconds": 30,
            "nextRunIn": None,
            "configuredVia": "environment",
            "autoSyncEnabled": False,
            "instanceId": (await job_of(api))["instanceId"],
        }

    async def test_it_is_started_with_that_interval(self, api):
        told = (await api.post(SYNC_JOB, json={"action": "start"})).json()

        assert told["result"] == "Sync job started, every 30 seconds"
        assert told["job"]["nextRunIn"] == 0


class TestWithAKey:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"k6_sync_api_key": SecretStr("k6-s3cret")})

    async def test_a_cycle_at_once_wants_it(self, api):
        key = {"Authorization": "Bearer k6-s3cret"}

        assert (await api.post(SYNC_NOW)).status_code == 401
        assert (await api.post(SYNC_NOW, headers={"Authorization": "Bearer x"})).status_code == 401
        assert (await api.post(SYNC_NOW, headers=key)).status_code == 200

    async def test_that_there_is_one_is_told_and_nothing_else_wants_it(self, api):
        assert (await job_of(api))["apiKeyConfigured"] is True
        assert (await api.get(SYNC_NOW)).json()["apiKeyConfigured"] is True


class TestWithAKeyAndTokens:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(
            update={"k6_sync_api_key": SecretStr("k6"), "api_token": SecretStr("admin")}
        )

    @pytest.mark.parametrize(
        ("method", "path", "key", "token"),
        [
            ("POST", SYNC_NOW, 200, 200),
            ("GET", SYNC_NOW, 401, 200),
            ("GET", SYNC_JOB, 401, 200),
            ("GET", "/api/v1/loadtests", 401, 200),
        ],
    )
    async def test_the_key_opens_nothing_but_a_cycle(self, api, method, path, key, token):
        answers = [
            await api.request(method, path, headers={"Authorization": f"Bearer {secret}"})
            for secret in ("k6", "admin")
        ]

        assert [answer.status_code for answer in answers] == [key, token]
