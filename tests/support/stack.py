"""A whole `syncsvc up --sandbox` beside a test: its addresses, its processes, its Test IT."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
from redis import Redis

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN
from syncsvc.settings import PREFIX, Settings
from syncsvc.telemetry import READY_FILE
from tests.support.ports import own_port
from tests.support.waiting import until

STARTING = 60  # seconds
STOPPING = 12
PORTS = ("API", "TESTSYNC_HTTP", "TESTSYNC_WS", "SYNC_STORAGE")


@dataclass
class Stack:
    """A running stack; its children may be killed, and come back."""

    process: subprocess.Popen[str]
    folder: Path
    environment: dict[str, str]
    ready: dict[str, Any]
    http: httpx.Client

    @property
    def sync_storage(self) -> str:
        return str(self.ready["addresses"]["sync_storage"])

    @property
    def api(self) -> str:
        return str(self.ready["addresses"]["api"])

    @property
    def sandbox(self) -> str:
        return str(self.ready["addresses"]["sandbox"])

    def pid(self, name: str) -> int | None:
        """Give the pid of a child by its command: gateway, worker, beat, sandbox, valkey."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                command = child.cmdline()
            except psutil.Error:
                continue
            if name in command or any(f"{name}-server" in part for part in command[:1]):
                return child.pid
        return None

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill a child."""
        pid = until(lambda: self.pid(name), f"{name} runs", 90)
        os.kill(pid, how)
        until(lambda: self.pid(name) != pid, f"{name} {pid} is gone")

    def call(self, method: str, url: str, **more: Any) -> Any:
        """Call one of the addresses and give the JSON of a success."""
        answer = self.http.request(method, url, **more)
        assert answer.is_success, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def test_it(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"PrivateToken {TOKEN}"}
        return self.call(method, f"{self.sandbox}/api/v2{path}", headers=headers, **more)

    def new_run(self, *tests: str) -> str:
        """Create a run, and the autotests of these external ids, in the sandbox's Test IT."""
        for test in tests:
            self.http.post(
                f"{self.sandbox}/api/v2/autoTests",
                json={"externalId": test, "name": test, "projectId": str(PROJECT_ID)},
                headers={"Authorization": f"PrivateToken {TOKEN}"},
            )
        body = {"projectId": str(PROJECT_ID), "name": "a test"}
        return str(self.test_it("POST", "/testRuns", json=body)["id"])

    def post_result(self, run_id: str, test: str, status_type: str) -> None:
        result = {
            "configurationId": str(CONFIGURATION_ID),
            "autoTestExternalId": test,
            "statusType": status_type,
        }
        self.test_it("POST", f"/testRuns/{run_id}/testResults", json=[result])

    def storage(self, path: str, **body: Any) -> Any:
        """POST to Sync Storage."""
        return self.call("POST", self.sync_storage + path, json=body)

    def register(self, run_id: str, *, worker: str = "worker-1-1") -> bool:
        """Register a worker and tell whether it may hold a result back."""
        answer = self.storage(
            "/register", pid=worker, testRunId=run_id, baseUrl=self.sandbox, privateToken=TOKEN
        )
        return bool(answer["is_master"])

    def begin(self, run_id: str, *, worker: str = "worker-1-1") -> None:
        self.storage("/set_worker_status", pid=worker, testRunId=run_id, status="in_progress")

    def beat(self, run_id: str, *, worker: str = "worker-1-1") -> None:
        self.storage("/keep_alive", pid=worker, testRunId=run_id)

    def hold(self, run_id: str, test: str, *, worker: str = "worker-1-1") -> None:
        """Play a master: register, hand one result over, and show it in progress."""
        self.register(run_id, worker=worker)
        self.begin(run_id, worker=worker)
        self.storage(
            f"/in_progress_test_result?testRunId={run_id}",
            projectId=str(PROJECT_ID),
            autoTestExternalId=test,
            statusCode="Passed",
            statusType="Succeeded",
        )
        self.post_result(run_id, test, "InProgress")

    def complete(self, run_id: str, *, worker: str = "worker-1-1") -> None:
        self.storage("/set_worker_status", pid=worker, testRunId=run_id, status="completed")

    def run_state(self, run_id: str) -> dict[str, Any]:
        """Give what the sandbox knows of a run: its results with their history, its completion."""
        state = self.call("GET", f"{self.sandbox}/__sandbox__/state", params={"run": run_id})
        run: dict[str, Any] = state["runs"][0]
        return run

    def closed(self, run_id: str, within: float = 150) -> dict[str, Any]:
        """Wait until Test IT has closed a run, and give its state."""
        until(lambda: self.run_state(run_id)["state"] == "Completed", "the run closes", within)
        return self.run_state(run_id)

    def wait_completion(self, run_id: str) -> dict[str, Any]:
        """Ask Sync Storage to wait until nothing of a run is held back."""
        answer: dict[str, Any] = self.call(
            "GET",
            f"{self.sync_storage}/wait-completion",
            params={"testRunId": run_id},
            timeout=100,
        )
        return answer

    def is_published(self, run_id: str) -> bool:
        url = f"{self.sync_storage}/in_progress_published"
        return bool(self.call("GET", url, params={"testRunId": run_id})["published"])

    def is_ready(self) -> bool:
        """Tell whether the gateway serves and reaches its stores."""
        try:
            return self.http.get(f"{self.api}/ready").is_success
        except httpx.TransportError:
            return False

    @contextmanager
    def misbehaving(
        self, *rules: dict[str, Any], latency: float = 0.0, seed: int = 0
    ) -> Iterator[None]:
        """Let the sandbox's Test IT misbehave by these rules of its switchboard."""
        url = f"{self.sandbox}/__sandbox__/faults"
        self.call("PUT", url, json={"rules": rules, "latency": latency, "seed": seed})
        try:
            yield
        finally:
            self.call("DELETE", url)

    def strikes(self) -> list[int]:
        """Tell how many calls each rule in force has struck."""
        faults = self.call("GET", f"{self.sandbox}/__sandbox__/faults")
        return [rule["hits"] for rule in faults["rules"]]

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        """Give a connection to the embedded server."""
        where = Settings(data_dir=self.folder).valkey_socket
        with Redis(unix_socket_path=str(where)) as connection:
            yield connection

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a syncsvc command with this stack's settings."""
        return subprocess.run(
            [sys.executable, "-m", "syncsvc", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def running_stack(folder: Path, *arguments: str, **settings: str) -> Iterator[Stack]:
    """Start a stack with its own folder and free ports, and stop it at the end."""
    environment = {
        **_without_settings(os.environ),
        "SYNCSVC_DATA_DIR": str(folder),
        **{f"SYNCSVC_{name}_PORT": str(own_port()) for name in PORTS},
        "SYNCSVC_QUIET_PERIOD": "2s",
        "SYNCSVC_SYNC_BY_ITSELF": "false",
        **{f"SYNCSVC_{name.upper()}": value for name, value in settings.items()},
    }
    command = ["up", "--sandbox", "--sandbox-port", str(own_port()), "--json", *arguments]
    log = (folder / "up.log").open("w")
    with (
        log,
        httpx.Client(timeout=30, trust_env=False) as http,
        subprocess.Popen(
            [sys.executable, "-m", "syncsvc", *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            ready = _first_line(process, folder)
            yield Stack(process, folder, environment, ready, http)
        finally:
            _stop(process)


@contextmanager
def second_gateway(stack: Stack) -> Iterator[Stack]:
    """Start a gateway beside a stack, on its stores, and give the stack as seen through it."""
    ready_file = stack.folder / "second.ready"
    api, sync_storage, data, sockets = (own_port() for _ in range(4))
    environment = {
        **stack.environment,
        "SYNCSVC_API_PORT": str(api),
        "SYNCSVC_SYNC_STORAGE_PORT": str(sync_storage),
        "SYNCSVC_TESTSYNC_HTTP_PORT": str(data),
        "SYNCSVC_TESTSYNC_WS_PORT": str(sockets),
        READY_FILE: str(ready_file),
    }
    addresses = {
        **stack.ready["addresses"],
        "api": f"http://127.0.0.1:{api}",
        "sync_storage": f"http://127.0.0.1:{sync_storage}",
        "testsync_http": f"http://127.0.0.1:{data}",
        "testsync_ws": f"ws://127.0.0.1:{sockets}",
    }
    command = [sys.executable, "-m", "syncsvc", "gateway"]
    with (
        (stack.folder / "second.log").open("w") as log,
        subprocess.Popen(command, env=environment, stderr=log) as process,
    ):
        try:
            until(ready_file.exists, "the second gateway serves")
            yield replace(stack, ready={**stack.ready, "addresses": addresses})
        finally:
            ready_file.unlink(missing_ok=True)
            _stop(process)


def assert_closed_once(run: dict[str, Any], *held: str) -> None:
    """See that these results became final exactly once each, and that the run closed after all."""
    finalised = sorted(
        (result["external_id"], result["finalised"])
        for result in run["results"]
        if result["external_id"] in held
    )
    assert finalised == [(test, 1) for test in sorted(held)], f"{finalised} in {run}"
    assert len(run["completions"]) == 1, f"closed {len(run['completions'])} times: {run}"
    assert run["late_results"] == 0, f"{run['late_results']} results came late: {run}"


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(PREFIX)}


def _first_line(process: subprocess.Popen[str], folder: Path) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the stack did not start: {(folder / 'up.log').read_text()[-3000:]}"
    ready: dict[str, Any] = json.loads(line)
    return ready


def _stop(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(STOPPING)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
