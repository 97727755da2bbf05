"""pytest-celery's nodes over plain processes: its fixtures and set-up, without a container engine.

A node of pytest-celery asks its container for an id, a status, logs, a kill and a restart; a
process has all of these. SYNCSVC_TEST_CONTAINERS=1 leaves the broker to pytest-celery, which then
takes a real container; the worker stays a process of this checkout, which is what is tested.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytest_celery import CeleryTestSetup, CeleryWorkerContainer, RedisContainer

from syncsvc.adapters.tasks import QUEUES
from syncsvc.embedded.valkey import configuration
from tests.support.ports import own_port
from tests.support.waiting import until

IN_CONTAINERS = os.environ.get("SYNCSVC_TEST_CONTAINERS") == "1"
ROOT = Path(__file__).parents[2]
STARTING = 30  # seconds
STOPPING = 10
QUIET = ("--without-gossip", "--without-mingle")  # chatter that costs a second at each start
PING = "upkeep.forget_old"


@dataclass
class ProcessHandle:
    """A process that answers as one of Docker's containers; a restart keeps its log."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    attrs: dict[str, Any] = field(
        default_factory=lambda: {"NetworkSettings": {"Networks": {}, "Ports": {}}}
    )
    _process: subprocess.Popen[bytes] | None = None
    _born_at: int = 0  # where in the log the present life begins

    @property
    def id(self) -> str:
        return self.name

    @property
    def status(self) -> str:
        running = self._process is not None and self._process.poll() is None
        return "running" if running else "exited"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._born_at = log.tell()
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )

    def reload(self) -> None:
        """A process shows its present state anyway."""

    def kill(self, signal: str | int | None = None) -> None:
        if self._process is not None:
            self._process.send_signal(_number(signal))
            self._process.wait(STOPPING)

    def restart(self, timeout: float = STOPPING) -> None:
        self.stop(timeout)
        self.start()

    def stop(self, timeout: float = STOPPING) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def logs(self) -> bytes:
        return self.log.read_bytes()

    def has_said(self, words: str) -> bool:
        """Tell whether these words are in the log of the present life."""
        return words.encode() in self.logs()[self._born_at :]


class ProcessNode:
    """What both kinds of node do as processes."""

    _container: ProcessHandle
    ready_prompt: str

    def ready(self) -> bool:
        assert self._container.status == "running", self._container.logs().decode()[-3000:]
        until(lambda: self._container.has_said(self.ready_prompt), "the node is ready", STARTING)
        return True

    def teardown(self) -> None:
        self._container.stop()


class ValkeyNode(ProcessNode, RedisContainer):
    """The embedded server as a broker of pytest-celery."""

    ready_prompt = "Ready to accept connections"

    @property
    def hostname(self) -> str:
        return "localhost"

    @property
    def url(self) -> str:
        return self.host_url

    @property
    def port(self) -> int:
        return int(self._container.command[-1])


class WorkerNode(ProcessNode, CeleryWorkerContainer):
    """A task worker of ours as a worker of pytest-celery."""

    ready_prompt = "ready."

    @classmethod
    def worker_name(cls) -> str:
        return "node"

    @classmethod
    def worker_queue(cls) -> str:
        return ",".join(QUEUES)


class Cluster(CeleryTestSetup):
    """pytest-celery's set-up around our application, which keeps no task results.

    Its ping is a task of ours that may always run, and is seen in what the worker has counted.
    """

    def ran(self, task: str) -> int:
        """Count how often the workers, as they live now, have begun a task."""
        stats = self.app.control.inspect(timeout=2, limit=len(self.worker_cluster)).stats() or {}
        return sum(worker["total"].get(task, 0) for worker in stats.values())

    def unacknowledged(self) -> int:
        """Count the messages that workers have taken and not finished."""
        with self.broker.container.client as client:
            return int(client.hlen("unacked"))

    def teardown(self) -> None:
        self.app.close()

    def _is_control_ping_ready(self, control: bool) -> bool:  # noqa: FBT001 - their signature
        """Expect an answer of every worker: theirs is content with silence."""
        if control:
            workers = len(self.worker_cluster)
            return len(self.app.control.ping(timeout=2, limit=workers)) == workers
        return True

    def _is_task_ping_ready(self, ping: bool) -> bool:  # noqa: FBT001 - their signature
        if ping:
            before = self.ran(PING)
            self.app.send_task(PING, queue="upkeep")
            until(lambda: self.ran(PING) > before, "the ping has run")
        return True


@contextmanager
def valkey_node(binary: Path, folder: Path) -> Iterator[ValkeyNode]:
    """Start the embedded server on a TCP port, which is what pytest-celery speaks to."""
    conf = folder / "valkey.conf"
    conf.write_text(configuration(folder, folder / "s"))
    options = ["--loglevel", "notice", "--bind", "127.0.0.1", "--port", str(own_port())]
    handle = ProcessHandle("broker", [str(binary), str(conf), *options], folder, {})
    with _running(ValkeyNode(handle)) as node:
        yield node


@contextmanager
def worker_node(
    folder: Path, environment: Mapping[str, str], *options: str
) -> Iterator[WorkerNode]:
    """Start `celery -A workers.app worker` as somebody in the project's folder does."""
    celery = [str(Path(sys.executable).with_name("celery")), "-A", "workers.app", "worker"]
    handle = ProcessHandle(
        "worker", [*celery, "-n", "node@%h", *QUIET, *options], folder, environment
    )
    with _running(WorkerNode(handle)) as node:
        yield node


def need_engine() -> None:
    """Skip where containers are asked for and no engine runs them; fail there in CI."""
    where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if where.startswith("unix://") and not Path(where.removeprefix("unix://")).is_socket():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no container engine at {where}")


@contextmanager
def _running(node: Any) -> Iterator[Any]:
    node._container.start()
    try:
        node.ready()
        yield node
    finally:
        node.teardown()


def _number(name: str | int | None) -> int:
    if name is None:
        return signal.SIGKILL
    return signal.Signals[name] if isinstance(name, str) else name
