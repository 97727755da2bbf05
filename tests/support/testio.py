"""The sandbox's TestIO beside a test: its API and its control surface."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from syncsvc.sandbox.identities import TESTIO_TOKEN
from syncsvc.sandbox.server import running
from syncsvc.sandbox.testio.recipe import Recipe
from syncsvc.sandbox.testio.worlds import TestIo
from tests.support.plain_http import plain_http

ROOT = "/customer/v2"
CONTROL = "/__sandbox__/testio"


@dataclass(frozen=True)
class Catalogue:
    url: str  # with the API's root
    http: httpx.AsyncClient

    async def ask(self, path: str, token: str = TESTIO_TOKEN, **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Token {token}"}
        return await self.http.get(ROOT + path, headers=headers, params=query)

    async def told(self, path: str, token: str = TESTIO_TOKEN, **query: Any) -> Any:
        """Ask for something that has to succeed; answer its JSON."""
        reply = await self.ask(path, token, **query)
        assert reply.is_success, reply.text
        return reply.json()

    async def tell(self, method: str, path: str, body: Any = None) -> Any:
        """Use the control surface of TestIO; a path may carry a query."""
        reply = await self.http.request(method, CONTROL + path, json=body)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    async def faults(self, *rules: dict[str, Any], **more: Any) -> None:
        reply = await self.http.put("/__sandbox__/faults", json={"rules": list(rules), **more})
        assert reply.is_success, reply.text

    async def calls(self) -> list[dict[str, Any]]:
        """Read the log of calls to all parts of the sandbox, the latest thousand."""
        found: list[dict[str, Any]] = (await self.http.get("/__sandbox__/calls")).json()["calls"]
        return found


@asynccontextmanager
async def a_catalogue(**recipe: Any) -> AsyncIterator[Catalogue]:
    """Serve a catalogue of this size until the context ends."""
    testio = TestIo(Recipe(**recipe))
    async with (
        running(testio=testio) as address,
        plain_http(address.url) as http,
    ):
        yield Catalogue(address.url + ROOT, http)
