"""Pushed results: taken in, delivered, and a report imported beside testit-cli.

python -m benchmarks.pushes [--postgres URL] [--cases 300] [--part accept|deliver|report]

accept     10,000 results in requests of 1,000, each committed before it is answered
deliver    100 batches of 100 to the sandbox's Test IT, beside a bare client that sends the
           same three requests a batch (search, create, post) with 4 in flight; what is
           accepted waits until the task workers are let go
report     `syncsvc results push --wait` and `testit results import` of one JUnit file, each
           with 100 ms to every answer; testit-cli runs in an environment of its own
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil

from benchmarks.machine import Others, conditions
from benchmarks.servers import gateway, state
from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

RESULTS = 10_000
RUNS = 20
BATCH = 100
AT_ONCE = 4
CLI = "testit-cli==2.11.1"
REPOSITORY = Path(__file__).parents[1]
HEADERS = {"Authorization": f"PrivateToken {TOKEN}"}


def result(test: str) -> dict[str, Any]:
    return {
        "external_id": test,
        "key": test,
        "name": f"a test called {test}",
        "classname": "shop.Basket",
        "status": "passed",
        "duration_ms": 17,
        "started_at": "2026-11-21T10:00:00Z",
    }


def requests_of(tests: Sequence[str], size: int) -> Iterator[dict[str, Any]]:
    for first in range(0, len(tests), size):
        yield {
            "project_id": str(PROJECT_ID),
            "configuration_id": str(CONFIGURATION_ID),
            "results": [result(test) for test in tests[first : first + size]],
        }


def accept(folder: Path, postgres: str | None) -> None:
    """Print how many results a second a gateway commits, one request after another and four."""
    more = {"SYNCSVC_TESTIT_URL": "http://127.0.0.1:9", "SYNCSVC_TESTIT_TOKEN": "token"}
    if postgres:
        more["SYNCSVC_DATABASE_URL"] = postgres
    with state(folder, more) as kept, gateway(kept, "gateway") as served:
        for size, at_once in ((1000, 1), (1000, 4), (50, 4)):
            bodies = list(requests_of([str(uuid4()) for _ in range(RESULTS)], size))
            seconds = asyncio.run(_post_all(served.api, bodies, at_once))
            print(
                f"accept    {RESULTS / seconds:8.0f}/s  requests of {size}, {at_once} at once, "
                f"{'PostgreSQL' if postgres else 'SQLite'}"
            )


async def _post_all(address: tuple[str, int], bodies: Sequence[Any], at_once: int) -> float:
    url = f"http://{address[0]}:{address[1]}/api/v1/runs/{uuid4()}/results"
    waiting = iter(bodies)
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:

        async def post() -> None:
            for body in waiting:
                answer = await http.post(url, json=body)
                assert answer.status_code == 200, answer.text

        started = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(at_once)))
        return time.perf_counter() - started


def deliver(folder: Path, workers: int, latency: float) -> None:
    """Print how long delivery takes beside the bare client, on one sandbox."""
    crew = ("--workers", str(workers))
    with (
        running_stack(folder, *crew, testit_at_once=str(AT_ONCE)) as stack,
        stack.misbehaving(latency=latency),
    ):
        bare = asyncio.run(_bare(stack))
        ours = _ours(stack)
    print(
        f"deliver   {ours:6.2f} s, bare {bare:6.2f} s, ratio {ours / bare:.2f} (goal 1.25)  "
        f"{workers} task workers, {latency * 1000:.0f} ms latency, {RESULTS / ours:.0f}/s"
    )


async def _bare(stack: Stack) -> float:
    runs = [stack.new_run() for _ in range(RUNS)]
    tests = [f"bare-{uuid4()}-{number}" for number in range(RESULTS // RUNS)]
    batches = iter(
        [
            (run, [f"{run}-{test}" for test in tests[first : first + BATCH]])
            for run, first in product(runs, range(0, len(tests), BATCH))
        ]
    )
    async with httpx.AsyncClient(
        base_url=f"{stack.sandbox}/adapters", headers=HEADERS, timeout=60, trust_env=False
    ) as http:

        async def send() -> None:
            for run, some in batches:
                await _send_batch(http, run, some)

        started = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
        return time.perf_counter() - started


async def _send_batch(http: httpx.AsyncClient, run: str, tests: Sequence[str]) -> None:
    wanted = {"filter": {"externalIds": tests, "projectIds": [str(PROJECT_ID)]}}
    autotests = [
        {"externalId": t, "name": t, "projectId": str(PROJECT_ID), "classname": "shop.Basket"}
        for t in tests
    ]
    results = [
        {
            "autoTestExternalId": test,
            "configurationId": str(CONFIGURATION_ID),
            "statusType": "Succeeded",
            "duration": 17,
            "startedOn": "2026-11-21T10:00:00Z",
        }
        for test in tests
    ]
    for path, body in (
        ("/autoTests/search?Skip=0&Take=100", wanted),
        ("/autoTests/bulk", autotests),
        (f"/testRuns/{run}/test-results", results),
    ):
        answer = await http.post(path, json=body)
        assert answer.is_success, answer.text


def _ours(stack: Stack) -> float:
    wanted = {"project_id": str(PROJECT_ID), "name": "a benchmark"}
    runs = [stack.call("POST", f"{stack.api}/api/v1/runs", json=wanted)["id"] for _ in range(RUNS)]
    with stopped(stack):
        for run in runs:
            tests = [f"{run}-{number}" for number in range(RESULTS // RUNS)]
            for body in requests_of(tests, 500):
                stack.call("POST", f"{stack.api}/api/v1/runs/{run}/results", json=body)
            stack.call("POST", f"{stack.api}/api/v1/runs/{run}/complete")
        started = time.perf_counter()
    until(lambda: _shown(stack) >= RESULTS, "all are delivered", within=300)
    return time.perf_counter() - started


def _shown(stack: Stack) -> int:
    calls = stack.call(
        "GET", f"{stack.api}/api/v1/results", params={"state": "pending", "limit": 1}
    )
    return 0 if calls["results"] else RESULTS


@contextmanager
def stopped(stack: Stack) -> Iterator[None]:
    """Let the task workers stand still; they go on at the end."""
    processes = [
        child
        for child in psutil.Process(stack.process.pid).children(recursive=True)
        if "worker" in child.cmdline()
    ]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def report(folder: Path, cases: int) -> None:
    """Print how long both importers take for one report, with 100 ms to every answer."""
    file = folder / "junit.xml"
    file.write_text(junit(cases))
    with running_stack(folder / "stack") as stack, stack.misbehaving(latency=0.1):
        environment = {
            **os.environ,
            "TMS_URL": stack.sandbox,
            "TMS_TOKEN": TOKEN,
            "TMS_PROJECT_ID": str(PROJECT_ID),
            "TMS_CONFIGURATION_ID": str(CONFIGURATION_ID),
            "TMS_TEST_RUN_NAME": "a report",
            "SYNCSVC_API_URL": stack.api,
        }
        cli, syncsvc = _installed() / "testit", [sys.executable, "-m", "syncsvc"]
        ours = _timed([*syncsvc, "results", "push", str(file), "--wait"], environment)
        theirs = _timed([str(cli), "results", "import", "--results", str(file)], environment)
        imported = [len(run["results"]) for run in _runs(stack)]
    assert imported == [cases, cases], f"{imported} results, not {cases} each"
    print(
        f"report    {ours:6.2f} s, testit-cli {theirs:6.2f} s, {theirs / ours:.1f} times faster "
        f"(goal 20)  {cases} cases, 100 ms latency, process start included"
    )


def junit(cases: int) -> str:
    name = uuid4().hex
    tests = "".join(
        f'<testcase classname="shop.{name}" name="test_{number}" time="0.0{number % 10}"/>'
        for number in range(cases)
    )
    return (
        f'<?xml version="1.0"?><testsuites><testsuite name="shop">{tests}</testsuite></testsuites>'
    )


def _timed(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - started


def _runs(stack: Stack) -> list[dict[str, Any]]:
    state = stack.call("GET", f"{stack.sandbox}/__sandbox__/state")
    runs: list[dict[str, Any]] = state["runs"]
    return runs


def _installed() -> Path:
    """Give the programs of testit-cli; its environment is made once and kept."""
    folder = REPOSITORY / ".venvs" / CLI
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", CLI]
        subprocess.run(pip, check=True)
        (folder / "complete").touch()
    return folder / "bin"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--postgres", help="URL of an empty database, for `accept`")
    parser.add_argument("--cases", type=int, default=300, help="of the JUnit report")
    parser.add_argument("--part", choices=PARTS)
    wanted = parser.parse_args()
    others = Others([])
    for name, value in conditions("Valkey, embedded").items():
        print(f"{name:12} {value}")
    with tempfile.TemporaryDirectory(prefix="syncsvc-bench-") as name:
        for part in [wanted.part] if wanted.part else PARTS:
            PARTS[part](Path(name), wanted)
    print(f"others kept {others.cores():.2f} cores busy")
    return 0


def _accept(folder: Path, wanted: argparse.Namespace) -> None:
    accept(_made(folder / "accept"), None)
    if wanted.postgres:
        accept(_made(folder / "postgres"), wanted.postgres)


def _deliver(folder: Path, _wanted: argparse.Namespace) -> None:
    for workers, latency in product((1, 4), (0.0, 0.05, 0.1)):
        deliver(_made(folder / f"deliver-{workers}-{latency}"), workers, latency)


def _report(folder: Path, wanted: argparse.Namespace) -> None:
    _made(folder / "report" / "stack")
    report(folder / "report", wanted.cases)


PARTS = {"accept": _accept, "deliver": _deliver, "report": _report}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
