"""Our client, with every body that it sends judged by the vendor's OpenAPI file.

The file is not ours to ship: SYNCSVC_TESTIT_OPENAPI names it, and without it nothing is judged.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from syncsvc.adapters.testit.calls import TestItCalls
from syncsvc.adapters.testit.client import TestItBoard
from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.adapters.testit.pushes import TestItPushes
from syncsvc.results.pushed.model import Result
from syncsvc.results.pushed.ports import Post
from syncsvc.runs.model import Destination, Run
from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN
from tests.protocol.sandbox.contract import Contract
from tests.support.builders import NOON
from tests.support.gates import OpenGate

BESIDE = Path(__file__).parents[4] / "shared" / "specs" / "testit-openapi.json"
OPENAPI = Path(os.environ.get("SYNCSVC_TESTIT_OPENAPI", BESIDE))  # read before tests hide it
IMPATIENCE = 1  # seconds, less than any call hangs
PROJECT, CONFIGURATION = str(PROJECT_ID), str(CONFIGURATION_ID)


async def no_pause(_seconds: float) -> None:
    """Let no time pass."""


@dataclass
class Client:
    """Our client, what it sent, and the sandbox behind."""

    url: str
    http: httpx.AsyncClient
    side: httpx.AsyncClient  # for what a test arranges and looks up
    gate: OpenGate = field(default_factory=OpenGate)
    sent: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http.event_hooks["request"].append(self._note)
        self.calls = TestItCalls(
            self.http, TestItDestinations(None, None), self.gate, no_pause, lambda: 0.5
        )
        self.pushes = TestItPushes(self.calls)
        self.board = TestItBoard(self.calls)

    async def _note(self, request: httpx.Request) -> None:
        self.sent.append(request)
        if request.headers.get("content-type") == "application/json":
            judge(request)

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Give up soon on calls that hang."""
        patience = self.http.timeout
        self.http.timeout = httpx.Timeout(IMPATIENCE)
        try:
            yield
        finally:
            self.http.timeout = patience

    @property
    def destination(self) -> Destination:
        return Destination(self.url, TOKEN)

    @property
    def asked(self) -> list[str]:
        """What was asked, without the surface."""
        surface = re.compile("^/(adapters|api/v2)")
        return [f"{r.method} {surface.sub('', r.url.path)}" for r in self.sent]

    def a_run(self, run_id: str) -> Run:
        return Run(run_id, self.destination, created_at=NOON)

    async def new_run(self, **more: Any) -> Run:
        body = {"projectId": PROJECT, **more}
        return self.a_run((await self.arrange("POST", "/api/v2/testRuns", body))["id"])

    async def arrange(self, method: str, path: str, body: Any = None) -> Any:
        """Ask on the official surface for something that has to succeed."""
        reply = await self.side.request(method, path, json=body)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    async def faults(self, *rules: dict[str, Any]) -> None:
        await self.arrange("PUT", "/__sandbox__/faults", {"rules": list(rules)})

    async def result(self, result_id: str) -> dict[str, Any]:
        return await self.arrange("GET", f"/api/v2/testResults/{result_id}")

    async def shown_run(self, run: Run) -> dict[str, Any]:
        return await self.arrange("GET", f"/api/v2/testRuns/{run.id}")

    async def seen(self, run: Run) -> dict[str, Any]:
        state = await self.arrange("GET", f"/__sandbox__/state?run={run.id}")
        return state["runs"][0]

    async def autotest(self, external_id: str) -> dict[str, Any]:
        body = {
            "filter": {"externalIds": [external_id]},
            "includes": {"includeSteps": True, "includeLinks": True, "includeLabels": True},
        }
        (found,) = await self.arrange("POST", "/api/v2/autoTests/search", body)
        return found

    async def push(self, run: Run, *posts: Post) -> list[str]:
        await self.pushes.ensure_autotests(run, PROJECT, [post.result for post in posts])
        return list(await self.pushes.post(run, PROJECT, posts))


def result(external_id: str = "test", status: str = "passed", **more: Any) -> Result:
    return Result(external_id=external_id, status=status, **more)


def post(entry_id: str, of: Result, *, provisional: bool = False, files: tuple = ()) -> Post:
    return Post(entry_id, of, CONFIGURATION, files, provisional)


@cache
def contract() -> Contract:
    return Contract(OPENAPI)


def judge(request: httpx.Request) -> None:
    """Fail if a body is not what the file expects; both surfaces take the same bodies."""
    if not OPENAPI.exists():
        return
    path = re.sub("^/(adapters|api/v2)", "/api/v2", request.url.path)
    operation = contract().operation(request.method, path.replace("/test-results", "/testResults"))
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    contract().validate(schema, json.loads(request.content))
