"""One customer's world in a sandbox that is a process of its own, and what is asked of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from syncsvc.settings import PREFIX
from tests.support.waiting import until

CONTROL = "/__sandbox__"
PRODUCTS = "GET /customer/v2/products"
FEATURES = "GET /customer/v2/products/{id}/features"
TESTS = "GET /customer/v2/products/{id}/exploratory_tests"


@dataclass(frozen=True)
class Sandbox:
    """A foreign catalogue that many customers have worlds in."""

    url: str
    http: httpx.Client

    @property
    def testio(self) -> str:
        return f"{self.url}/customer/v2"

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.http.request(method, self.url + CONTROL + path, json=body, params=query)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    @contextmanager
    def misbehaving(self, *rules: dict[str, Any], latency: float = 0.0) -> Iterator[None]:
        """Be slow, and let calls fail by these rules."""
        self.ask("PUT", "/faults", {"rules": rules, "latency": latency})
        try:
            yield
        finally:
            self.ask("DELETE", "/faults")

    @contextmanager
    def holding_pages(self, first: int) -> Iterator[None]:
        """Answer no call for this page of tests or a later one: no walk gets further."""
        held = {"kind": "hang", "pattern": "/exploratory_tests$", "query": f"(^|&)page=[{first}-9]"}
        with self.misbehaving(held):
            yield

    def calls(self) -> dict[str, int]:
        """Count the calls since they were forgotten, by route."""
        counters = self.ask("GET", "/calls", last=1)["counters"]
        return {route: sum(counts.values()) for route, counts in counters.items()}

    def total(self) -> int:
        return sum(self.calls().values())

    def log(self) -> list[dict[str, Any]]:
        """Give the latest thousand calls."""
        found: list[dict[str, Any]] = self.ask("GET", "/calls")["calls"]
        return found

    def forget_calls(self) -> None:
        self.ask("GET", "/calls", clear="")
        self.ask("DELETE", "/testio/load")


@dataclass(frozen=True)
class World:
    """What one token shows."""

    sandbox: Sandbox
    token: str

    def build(self, **recipe: Any) -> list[int]:
        """Begin anew, forget the calls, and give the products' ids."""
        ids: list[int] = self.tell("PUT", "/world", recipe)["products"]
        self.sandbox.forget_calls()
        return ids

    def tell(self, method: str, path: str, body: Any = None) -> Any:
        return self.sandbox.ask(method, f"/testio{path}", body, token=self.token)

    def product(self, product_id: int) -> Any:
        return self.tell("GET", f"/products/{product_id}")

    def has_been_asked(self, calls: int, route: str | None = None) -> None:
        """Wait until so many calls were answered, of a route or of any."""
        sandbox = self.sandbox

        def count() -> int:
            return sandbox.total() if route is None else sandbox.calls().get(route, 0)

        until(lambda: count() >= calls, f"{calls} calls are made", 60)


@contextmanager
def running_sandbox(folder: Path) -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "syncsvc", "sandbox", "--port", "0", "--json"]
    with (
        (folder / "sandbox.log").open("w") as log,
        httpx.Client(timeout=30, trust_env=False) as http,
        subprocess.Popen(
            command, env=plain_environment(), stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield Sandbox(json.loads(process.stdout.readline())["url"], http)
        finally:
            process.terminate()


def plain_environment() -> dict[str, str]:
    """Give the environment without settings of ours."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**found, f"{PREFIX}CONFIG": os.devnull}
