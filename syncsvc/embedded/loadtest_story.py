"""The third part of the story: a load test of two runners, of which one crosses a threshold.

It is watched before it is there, runs while other things happen, and is judged when it is over.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from syncsvc.errors import Unavailable

CONTROL = "/__sandbox__/kubernetes"
LOOK_NOW = "/api/dashboard/load-testing/sync-status-steps"
RUNNERS = 2
EXITS = [0, 99]  # 99: a threshold is crossed
LINES = 40  # that each runner writes before its summary
LONGEST = 60.0  # seconds; without leave to look at once the sync job is waited for
LOOK_AGAIN = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Watched:
    """What the API shows of the load test afterwards."""

    status: str
    reason: str | None
    detail: str | None  # which runner, and why
    logs: str
    lines: int

    @property
    def ok(self) -> bool:
        is_told = self.reason == "THRESHOLDS" and f"runner {RUNNERS} of" in (self.detail or "")
        return self.status == "FAILED" and is_told and self.logs == "complete" and self.lines > 0


@dataclass(frozen=True, slots=True)
class LoadTestStory:
    """`name` is that of the TestRun, which nobody has used; `key` lets us look at once."""

    http: httpx.AsyncClient
    api: str
    token: str = field(repr=False)
    key: str = field(repr=False)
    sandbox: str
    name: str
    say: Callable[[str], None]

    async def begin(self) -> str:
        """Watch it until it runs, and give its step's id. Raises Unavailable."""
        step = await self._watch()
        await self._make()
        running = await self._seen(step, lambda step: bool(step["status"] == "RUNNING"))
        runners = len(running["runners"])
        self.say(f"load test {self.name} is {running['status']} with {runners} runners")
        return step

    async def end(self, step: str) -> Watched:
        """Let it end, watch that, and tell. Raises Unavailable when it takes too long."""
        await self._control("/step", {"name": self.name, "until": "finished"})
        over = await self._seen(step, lambda step: step["logs"] in ("complete", "lost"))
        lines = await self._lines(step)
        found = Watched(over["status"], over["reason"], over["detail"], over["logs"], lines)
        self.say(f"load test {found.status}: {found.detail}; logs {found.logs}, {lines} lines")
        return found

    async def _watch(self) -> str:
        body = {"name": self.name, "steps": [{"test_run": self.name}]}
        answer = await self._ask("POST", "/api/v1/loadtests", body)
        step: str = answer.json()["steps"][0]["id"]
        return step

    async def _make(self) -> None:
        body = {
            "name": self.name,
            "parallelism": RUNNERS,
            "labels": {"app": "k6"},
            "scenario": {"exits": EXITS, "lines": LINES},
            "until": "started",
        }
        await self._control("/testruns", body)

    async def _seen(self, step: str, holds: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
        """Look until something holds of the step."""
        found: dict[str, Any] = {"status": "unknown", "logs": "unknown"}
        try:
            async with asyncio.timeout(LONGEST):
                while not holds(found):
                    await self._look()
                    found = (await self._ask("GET", self._path(step))).json()
                    await asyncio.sleep(0 if holds(found) else LOOK_AGAIN)
        except TimeoutError as error:
            how = f"{found['status']}, with logs {found['logs']}"
            raise Unavailable(f"load test {self.name} is {how} after {LONGEST:g} s") from error
        return found

    async def _look(self) -> None:
        """Let a cycle run now; where that is refused, the sync job's next one is waited for."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        await self.http.post(self.api + LOOK_NOW, headers=headers)

    async def _lines(self, step: str) -> int:
        answer = await self._ask("GET", f"{self._path(step)}/logs")
        return sum(log["lines"] for log in answer.json()["containers"])

    def _path(self, step: str) -> str:
        return f"/api/v1/loadtests/steps/{step}"

    async def _control(self, path: str, body: object) -> None:
        answer = await self.http.post(f"{self.sandbox}{CONTROL}{path}", json=body)
        answer.raise_for_status()

    async def _ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = await self.http.request(method, self.api + path, json=body, headers=headers)
        return answer.raise_for_status()
