"""The TestIO that a catalogue is synced from: a sandbox in a process of its own."""

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

from syncsvc.sandbox.identities import TESTIO_TOKEN

STOPPING = 12  # seconds
CONTROL = "/__sandbox__"
LISTS = "GET /customer/v2/products/{id}/exploratory_tests"


@dataclass(frozen=True)
class Size:
    """How large a catalogue is; features and tests are of each product."""

    products: int
    features: int
    tests: int
    sectioned: float = 0.0

    @property
    def rows(self) -> tuple[int, int, int]:
        return self.products, self.products * self.features, self.products * self.tests

    def calls(self, per_page: int = 25) -> int:
        """The fewest calls that can read it all."""
        pages = -(-self.tests // per_page)
        return 1 + self.products * (1 + pages)

    def __str__(self) -> str:
        return f"{self.products:,} products x {self.features} features x {self.tests} tests"


@dataclass(frozen=True)
class Asked:
    """What the server was asked, and how much of it side by side."""

    calls: int
    peak: int
    peak_of_tests: int


@dataclass(frozen=True)
class World:
    """A running sandbox."""

    pid: int
    url: str
    http: httpx.Client

    @property
    def testio(self) -> str:
        return f"{self.url}/customer/v2"

    def build(self, size: Size) -> None:
        """Begin the catalogue anew; sandboxes answer without a limit to their rate."""
        recipe = {
            "products": size.products,
            "features": size.features,
            "tests": size.tests,
            "sectioned": size.sectioned,
        }
        self._call("PUT", "/testio/world", json=recipe)
        self._call("DELETE", "/testio/rate")

    def slow_down(self, latency: float) -> None:
        """Let every answer come so many seconds later."""
        self._call("PUT", "/faults", json={"rules": [], "latency": latency, "seed": 0})

    def forget(self) -> None:
        """Begin to count anew."""
        self._call("GET", "/calls", params={"clear": "", "last": 1})
        self._call("GET", "/testio/load", params={"clear": ""})

    def asked(self) -> Asked:
        calls = self._call("GET", "/calls", params={"last": 1})
        load = self._call("GET", "/testio/load")
        counted = [answers for route, answers in calls["counters"].items() if CONTROL not in route]
        of_tests = load["routes"].get(LISTS, {"peak": 0})
        return Asked(sum(map(_sum, counted)), load["peak"], of_tests["peak"])

    def _call(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(method, f"{self.url}{CONTROL}{path}", **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@contextmanager
def world(folder: Path) -> Iterator[World]:
    command = [sys.executable, "-m", "syncsvc", "sandbox", "--port", "0", "--json"]
    log = folder / "sandbox.log"
    with (
        log.open("w") as errors,
        httpx.Client(timeout=300, trust_env=False) as http,
        subprocess.Popen(
            command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the sandbox did not start: {log.read_text()[-3000:]}"
            yield World(process.pid, json.loads(line)["url"], http)
        finally:
            process.terminate()
            process.wait(STOPPING)


def token() -> str:
    return TESTIO_TOKEN


def _sum(answers: dict[str, int]) -> int:
    return sum(answers.values())
