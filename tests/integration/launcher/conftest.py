"""A tested project with the executable in it, started as adapters start it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from syncsvc.launcher.executable import install
from syncsvc.launcher.names import CACHES, this_platform
from tests.support.ports import own_port
from tests.support.waiting import until

VERSION = "v0.3.10"
PATIENCE = 60  # seconds for what has to happen, on a machine that is busy
OTHER_PORTS = ("api", "testsync_http", "testsync_ws")


@dataclass
class Project:
    """A folder that tests are started in; the daemon's data folder is beside it."""

    folder: Path
    port: int = field(default_factory=own_port)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> str:
        return (self.data_dir / "launcher.log").read_text()

    @property
    def executable(self) -> Path:
        return self.folder / CACHES / this_platform().file_name(VERSION)

    @property
    def environ(self) -> dict[str, str]:
        """The least that a start needs: no PATH, no HOME."""
        return {
            "SYNCSVC_DATA_DIR": str(self.data_dir),
            **{f"SYNCSVC_{name.upper()}_PORT": "0" for name in OTHER_PORTS},
        }

    def popen(self, *flags: str, **environ: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.executable, *flags],
            cwd=self.executable.parent,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def start(self, *flags: str, **environ: str) -> tuple[int, bytes]:
        """Start it, read what it says to the end of the pipe, and give that with its exit code."""
        with self.popen("--port", str(self.port), *flags, **environ) as process:
            said, _ = process.communicate(timeout=PATIENCE)
            return process.returncode, said

    def until_healthy(self) -> None:
        until(self.is_healthy, "Sync Storage answers", PATIENCE)

    def is_healthy(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.port}/health"
            return httpx.get(url, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def daemons(self) -> list[psutil.Process]:
        """Give every `syncsvc up` that works in the data folder."""
        ours = [process for pid in psutil.pids() if (process := self._if_ours(pid)) is not None]
        found = {process.pid for process in ours}
        return [process for process in ours if _parent_of(process) not in found]

    def _if_ours(self, pid: int) -> psutil.Process | None:
        try:
            process = psutil.Process(pid)
            is_ours = "up" in process.cmdline() and process.cwd() == str(self.data_dir)
        except psutil.Error:
            return None
        return process if is_ours else None

    def launcher(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "syncsvc", "launcher", *arguments],
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def _parent_of(process: psutil.Process) -> int:
    """Give the parent: a child that is about to become another program looks like its parent."""
    try:
        return process.ppid()
    except psutil.Error:
        return process.pid  # it has ended, and counts no more


@contextmanager
def project_in(folder: Path) -> Iterator[Project]:
    install(folder, [VERSION], [this_platform()])
    project = Project(folder)
    yield project
    project.launcher("stop")
    assert project.daemons() == []


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with project_in(tmp_path) as project:
        yield project


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose daemon the tests of a module share; it was started with a token."""
    with project_in(tmp_path_factory.mktemp("project")) as project:
        flags = ("--testRunId", "r1", "--baseURL=http://127.0.0.1:1", "--privateToken", "s3cret")
        assert project.start(*flags) == (0, b"")
        project.until_healthy()
        yield project


@pytest.fixture
def everywhere() -> Callable[[], list[str]]:
    """Give the command line of every process that there is."""

    def lines() -> list[str]:
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found.append(file.read_bytes().decode(errors="replace"))
            except OSError:
                continue  # it has ended
        return found

    return lines
