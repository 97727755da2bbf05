"""The second part of the story: the sandbox's catalogue comes into step."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from syncsvc.errors import Unavailable

LONGEST = 60.0  # seconds
LOOK_AGAIN = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Synced:
    """What the API shows of the catalogue afterwards."""

    status: str
    products: int
    features: int
    tests: int

    @property
    def ok(self) -> bool:
        return self.status == "success" and min(self.products, self.features, self.tests) > 0


@dataclass(frozen=True, slots=True)
class CatalogueStory:
    http: httpx.AsyncClient
    api: str
    token: str
    say: Callable[[str], None]

    async def play(self) -> Synced:
        """Sync, wait for it, and tell. Raises Unavailable when it takes too long."""
        run = await self._ask("POST", "/runs", {"if_running": "join"})
        try:
            async with asyncio.timeout(LONGEST):
                while run["status"] == "running":
                    await asyncio.sleep(LOOK_AGAIN)
                    run = (await self._ask("GET", f"/runs/{run['id']}"))["run"]
        except TimeoutError as error:
            raise Unavailable(f"sync {run['id']} still runs after {LONGEST:g} s") from error
        state = (await self._ask("GET", "/status"))["customers"][0]
        found = Synced(run["status"], state["products"], state["features"], state["tests"])
        self.say(
            f"catalogue synced: {found.status}, {found.products} products, "
            f"{found.features} features, {found.tests} tests"
        )
        return found

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.api}/api/v1/sync{path}"
        answer = await self.http.request(method, url, json=body, headers=headers)
        return answer.raise_for_status().json()
