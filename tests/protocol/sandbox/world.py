"""A sandbox over real HTTP, with builders for what a test does not care about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN
from syncsvc.sandbox.server import running
from tests.support.plain_http import plain_http

AUTHORISED = {"Authorization": f"PrivateToken {TOKEN}"}


def report(external_id: str, status: str = "Succeeded", **more: Any) -> dict[str, Any]:
    return {
        "configurationId": str(CONFIGURATION_ID),
        "autoTestExternalId": external_id,
        "statusType": status,
        **more,
    }


@dataclass(frozen=True)
class World:
    url: str
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask for something that has to succeed; answer its JSON."""
        reply = await self.http.request(method, path, json=body)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    async def autotests(self, *external_ids: str) -> list[dict[str, Any]]:
        return await self.ask("POST", "/api/v2/autoTests/bulk", [autotest(e) for e in external_ids])

    async def run(self, **more: Any) -> str:
        """Create a run in which nothing has happened yet."""
        body = {"projectId": str(PROJECT_ID), **more}
        return (await self.ask("POST", "/api/v2/testRuns", body))["id"]

    async def send(self, run: str, *reports: dict[str, Any]) -> list[str]:
        return await self.ask("POST", f"/api/v2/testRuns/{run}/testResults", list(reports))

    async def refused(self, run: str, *reports: dict[str, Any]) -> httpx.Response:
        return await self.http.post(f"/api/v2/testRuns/{run}/testResults", json=list(reports))

    async def result(self, result_id: str) -> dict[str, Any]:
        return await self.ask("GET", f"/api/v2/testResults/{result_id}")

    async def seen(self, run: str) -> dict[str, Any]:
        """Tell what the control surface says of a run."""
        state = await self.ask("GET", f"/__sandbox__/state?run={run}")
        return state["runs"][0]

    async def faults(self, *rules: dict[str, Any], **more: Any) -> None:
        await self.ask("PUT", "/__sandbox__/faults", {"rules": list(rules), **more})

    async def hits(self) -> list[int]:
        plan = await self.ask("GET", "/__sandbox__/faults")
        return [rule["hits"] for rule in plan["rules"]]


def autotest(external_id: str, **more: Any) -> dict[str, Any]:
    return {
        "projectId": str(PROJECT_ID),
        "externalId": external_id,
        "name": f"Test {external_id}",
        **more,
    }


@asynccontextmanager
async def a_world() -> AsyncIterator[World]:
    async with (
        running() as address,
        plain_http(address.url, headers=AUTHORISED) as http,
    ):
        yield World(address.url, http)
