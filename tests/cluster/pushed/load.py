"""Pushing many results of many runs, as CI jobs do, and seeing what became of each."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID
from tests.support.stack import Stack
from tests.support.waiting import until

OPEN = ("pending", "held")
PATIENCE = 60  # seconds
TEST_IT = r"/(adapters|api)/"  # its paths in the sandbox; other systems are asked as well


@dataclass(frozen=True)
class Load:
    """So many runs with so many results each; no test occurs twice."""

    runs: int
    results: int  # of each run
    name: str = "load"

    def tests(self, run: int) -> list[str]:
        return [f"{self.name}-{run}-{number}" for number in range(self.results)]

    def created(self, stack: Stack) -> list[str]:
        """Create the runs in Test IT and give their ids."""
        return [stack.new_run() for _ in range(self.runs)]

    def bodies(self, run: int) -> Iterator[dict[str, Any]]:
        """Give the requests of one run."""
        for some in _batched(self.tests(run), 250):
            yield {
                "project_id": str(PROJECT_ID),
                "configuration_id": str(CONFIGURATION_ID),
                "results": [_result(test) for test in some],
            }


def push(stack: Stack, load: Load, run_ids: Sequence[str]) -> None:
    """Push everything, one run after another, and say that each is complete."""
    for number, run_id in enumerate(run_ids):
        for body in load.bodies(number):
            _insist(stack, f"/api/v1/runs/{run_id}/results", body)
        _insist(stack, f"/api/v1/runs/{run_id}/complete", None)


def delivered(stack: Stack, run_ids: Sequence[str], within: float) -> None:
    """Wait until the outbox is empty and every run is closed in Test IT."""
    until(lambda: not waiting(stack), "the outbox is empty", within)
    for run_id in run_ids:
        stack.closed(run_id, within)


def waiting(stack: Stack) -> int:
    """Count what is not settled; -1 while nobody can tell."""
    try:
        return sum(len(_page(stack, state)) for state in OPEN)
    except (httpx.TransportError, AssertionError):
        return -1


def assert_each_once(stack: Stack, load: Load, run_ids: Sequence[str]) -> None:
    """See that Test IT has each result exactly once, final, and nothing is dead."""
    assert _page(stack, "dead") == []
    for number, run_id in enumerate(run_ids):
        run = stack.run_state(run_id)
        found = Counter(result["external_id"] for result in run["results"])
        wrong = {test: found[test] for test in {*load.tests(number), *found} if found[test] != 1}
        assert not wrong, f"run {number}: {len(wrong)} tests are not there once: {wrong}"
        unfinished = [r["external_id"] for r in run["results"] if r["status"] != "Succeeded"]
        assert not unfinished, f"run {number}: {unfinished} are not final"
        assert len(run["completions"]) == 1, f"run {number} closed {run['completions']}"
        assert run["late_results"] == 0


def requests_made(stack: Stack) -> int:
    """Tell how many calls Test IT got, and forget them."""
    calls = stack.call("GET", f"{stack.sandbox}/__sandbox__/calls", params={"clear": ""})
    return sum(
        sum(answers.values())
        for route, answers in calls["counters"].items()
        if re.match(TEST_IT, route.partition(" ")[2])
    )


def a_fifth() -> list[dict[str, Any]]:
    """Let a fifth of all calls of Test IT fail, in three ways of equal chance.

    The first rule that strikes decides, so the later ones have a larger share of what is left.
    """
    third = 0.2 / 3
    kinds: list[dict[str, Any]] = [
        {"kind": "status", "code": 503},
        {"kind": "reset"},
        {"kind": "timeout_after_store", "seconds": 30},
    ]
    rates = [third / (1 - number * third) for number in range(len(kinds))]
    return [
        {**kind, "rate": rate, "pattern": f"^{TEST_IT}"}
        for kind, rate in zip(kinds, rates, strict=True)
    ]


def _result(test: str) -> dict[str, Any]:
    return {
        "external_id": test,
        "key": test,
        "name": test,
        "status": "passed",
        "duration_ms": 17,
        "started_at": "2026-11-21T10:00:00Z",
    }


def _insist(stack: Stack, path: str, body: dict[str, Any] | None) -> None:
    """Repeat a request until it is answered with a success, as a CI job does."""
    until(lambda: _is_taken(stack, path, body), f"{path} is taken", PATIENCE)


def _is_taken(stack: Stack, path: str, body: dict[str, Any] | None) -> bool:
    try:
        answer = stack.http.post(stack.api + path, json=body)
    except httpx.TransportError:
        return False
    assert answer.is_success or answer.status_code >= 500, f"{answer.status_code} {answer.text}"
    return answer.is_success


def _page(stack: Stack, state: str) -> list[dict[str, Any]]:
    answer = stack.call("GET", f"{stack.api}/api/v1/results", params={"state": state, "limit": 5})
    found: list[dict[str, Any]] = answer["results"]
    return found


def _batched(tests: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (tests[first : first + size] for first in range(0, len(tests), size))
