"""The published testit-adapter-pytest starts our executable itself, offline, and is content."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncsvc.embedded.ports import free_port
from syncsvc.launcher.executable import install
from syncsvc.launcher.names import VERSIONS, this_platform
from tests.clients.outcome import (
    assert_closed_once_after_the_last_result,
    assert_content,
    assert_nothing_is_lost,
)

pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]  # the first one makes an environment

STATE = Path(".local") / "state" / "syncsvc"
SETTINGS = """\
quiet_period = "2s"
api_port = 0
testsync_http_port = 0
testsync_ws_port = 0
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder with the executable in it, which is HOME as well, so the data folder is below."""
    data_dir = tmp_path / STATE
    data_dir.mkdir(parents=True, mode=0o700)
    (data_dir / "syncsvc.toml").write_text(SETTINGS)
    install(tmp_path, VERSIONS, [this_platform()])
    yield tmp_path
    stop = [sys.executable, "-m", "syncsvc", "launcher", "stop"]
    environ = {**os.environ, "SYNCSVC_DATA_DIR": str(data_dir)}
    subprocess.run(stop, env=environ, check=True, timeout=30, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["single", "xdist"])
def test_the_adapter_starts_it_and_its_run_closes_once(adapter, stack, project, processes):
    run_id = stack.new_run()
    port = str(free_port())

    session = adapter.run(
        stack,
        project,
        *processes,
        adapter_mode="1",
        test_run_id=run_id,
        sync_storage_port=port,
    )

    run = stack.closed(run_id)
    assert f"asked for by run {run_id}" in log_of(project)
    assert_content(session)
    assert_nothing_is_lost(run)
    assert_closed_once_after_the_last_result(run)
    assert [each for each in run["results"] if each["history"][0]["to"] == "InProgress"]


def log_of(project: Path) -> str:
    return (project / STATE / "launcher.log").read_text()
