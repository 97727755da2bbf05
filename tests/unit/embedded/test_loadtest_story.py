"""The load test of the story is told as the API shows it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from syncsvc.embedded.loadtest_story import LOOK_NOW, LoadTestStory, Watched

API, SANDBOX = "http://api", "http://sandbox"
TESTS = "/api/v1/loadtests"
RUNNING = {"status": "RUNNING", "runners": [{}, {}], "logs": "none"}
OVER = {
    "status": "FAILED",
    "reason": "THRESHOLDS",
    "detail": "runner 2 of 2 exited 99: thresholds were crossed",
    "logs": "complete",
}


@dataclass
class World:
    """An API whose step is one further with each look, and a sandbox that does as it is told."""

    looks: list[dict[str, Any]] = field(default_factory=lambda: [RUNNING, OVER])
    may_look: bool = True
    asked: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        match request.method, request.url.path:
            case "POST", path if path == LOOK_NOW:
                return httpx.Response(200 if self.may_look else 403)
            case "POST", path if path == TESTS:
                return httpx.Response(201, json={"steps": [{"id": "s"}]})
            case "GET", path if path.endswith("/logs"):
                return httpx.Response(200, json={"containers": [{"lines": 40}, {"lines": 2}]})
            case "GET", _:
                return httpx.Response(200, json=self.looks.pop(0))
        return httpx.Response(200)

    def shown(self, host: str) -> set[str | None]:
        """Give the credentials that a host was shown."""
        return {
            each.headers.get("authorization")
            for each in self.asked
            if each.url.host == host and each.url.path != LOOK_NOW
        }


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def http(world) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(world.answer)) as client:
        yield client


def a_story(http: httpx.AsyncClient, say=lambda _line: None) -> LoadTestStory:
    return LoadTestStory(http, API, "token", "key", SANDBOX, "story-1", say)


async def test_the_runner_that_failed_and_the_lines_that_are_kept_are_told(http):
    lines: list[str] = []
    story = a_story(http, lines.append)

    found = await story.end(await story.begin())

    assert found.ok
    assert lines == [
        "load test story-1 is RUNNING with 2 runners",
        f"load test FAILED: {OVER['detail']}; logs complete, 42 lines",
    ]


async def test_who_may_not_look_at_once_waits_for_the_sync_job(world, http):
    world.may_look = False
    story = a_story(http)

    found = await story.end(await story.begin())

    assert found.ok


async def test_each_is_shown_its_own_credential_and_the_sandbox_none(world, http):
    story = a_story(http)

    await story.end(await story.begin())

    looks = {r.headers["authorization"] for r in world.asked if r.url.path == LOOK_NOW}
    assert looks == {"Bearer key"}
    assert (world.shown("api"), world.shown("sandbox")) == ({"Bearer token"}, {None})


@pytest.mark.parametrize(
    "wrong",
    [{"status": "SUCCEEDED"}, {"reason": "UNKNOWN"}, {"detail": None}, {"logs": "lost"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_anything_else_is_no_good_end(wrong):
    good = Watched(OVER["status"], OVER["reason"], OVER["detail"], OVER["logs"], lines=42)

    assert good.ok
    assert not Watched(**{**OVER, "lines": 42, **wrong}).ok
