"""Our client of TestIO before the sandbox, with a gate that keeps pauses in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from syncsvc.adapters.testio.accounts import accounts_from
from syncsvc.adapters.testio.sources import (
    TestIoSources,
    gate_terms_from,
    http_from,
    manner_from,
)
from syncsvc.catalogue.ports import Source
from syncsvc.catalogue.spending import Spending
from syncsvc.coordination.gate.memory import MemoryTurns
from syncsvc.coordination.gate.service import TurnGate
from syncsvc.sandbox.identities import TESTIO_TOKEN
from syncsvc.settings import Settings

CONTROL = "/__sandbox__"


@dataclass
class Client:
    source: Source
    side: httpx.AsyncClient
    spending: Spending

    @classmethod
    @asynccontextmanager
    async def of(
        cls, url: str, side: httpx.AsyncClient, token: str = TESTIO_TOKEN
    ) -> AsyncIterator["Client"]:
        settings = Settings(
            _env_file=None,
            testio_url=f"{url}/customer/v2",
            testio_token=token,
            testio_timeout=timedelta(seconds=30),
        )
        terms = gate_terms_from(settings)
        gate = TurnGate(MemoryTurns(lambda: datetime.now(UTC)), terms)
        async with http_from(settings) as http:
            accounts = accounts_from(settings)
            sources = TestIoSources(accounts, http, gate, manner_from(settings, terms))
            yield cls(sources.of("default"), side, Spending(100))

    async def arrange(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.side.request(method, f"{CONTROL}{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def fails(self, code: int, pattern: str, times: int | None = None) -> None:
        rule = {"kind": "status", "code": code, "pattern": pattern}
        if times is not None:
            rule["times"] = times
        await self.arrange("PUT", "/faults", {"rules": [rule]})

    async def products(self) -> list[int]:
        found = await self.source.products(None, self.spending)
        return [each.id for each in found.products]
