"""An adapter starts the executable: Sync Storage runs, and nothing keeps the adapter waiting."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from syncsvc.launcher.daemon import LARGEST_LOG
from tests.conftest import absent
from tests.integration.launcher.conftest import PATIENCE
from tests.support.waiting import until

VARIABLES = ("SYNCSVC_TESTIT_URL", "SYNCSVC_TESTIT_TOKEN")


def tree(project) -> list[psutil.Process]:
    (daemon,) = project.daemons()
    return [daemon, *daemon.children(recursive=True)]


def folder_of(process: psutil.Process) -> str | None:
    """Give where it works; one that has ended meanwhile works nowhere."""
    try:
        return process.cwd()
    except psutil.NoSuchProcess:
        return None


class TestARunningOne:
    def test_is_not_the_adapters_child(self, started):
        (daemon,) = started.daemons()

        assert os.getsid(daemon.pid) == daemon.pid
        assert os.getpid() not in [parent.pid for parent in daemon.parents()]

    def test_works_outside_of_the_tested_project(self, started):
        caches = str(started.executable.parent)

        assert caches not in [folder_of(process) for process in tree(started)]

    def test_has_its_output_in_the_data_folder(self, started):
        (daemon,) = started.daemons()
        streams = [Path(f"/proc/{daemon.pid}/fd/{number}").readlink() for number in range(3)]

        log = started.data_dir / "launcher.log"
        assert streams == [Path("/dev/null"), log, log]
        assert "asked for by run r1" in started.log

    def test_shows_its_token_to_nobody(self, started, everywhere):
        assert [line for line in everywhere() if "s3cret" in line] == []
        assert "s3cret" not in started.log

    def test_knows_server_and_token(self, started):
        (daemon,) = started.daemons()
        environ = daemon.environ()

        assert [environ[name] for name in VARIABLES] == ["http://127.0.0.1:1", "s3cret"]
        assert "SYNCSVC_LAUNCHER_TOKEN" not in environ

    def test_is_enough(self, started):
        (before,) = started.daemons()

        said = started.start("--privateToken=another")

        assert said == (0, b"")
        assert started.daemons() == [before]

    def test_is_told_from_one_that_another_port_needs(self, started):
        (before,) = started.daemons()

        said = started.start("--port", "1")  # the last one counts

        assert said == (0, b"")
        assert started.daemons() == [before]
        remark = f"port 1 was asked for, but the daemon of this folder (pid {before.pid}) has port"
        assert remark in started.log


def test_launchers_at_the_same_moment_start_one_daemon(project):
    flags = ("--port", str(project.port))

    both = [project.popen(*flags) for _ in range(4)]
    said = [(each.communicate(timeout=PATIENCE)[0], each.returncode) for each in both]
    project.until_healthy()

    assert said == [(b"", 0)] * 4
    assert len(project.daemons()) == 1
    assert "is in use" not in project.log


def test_ports_beside_sync_storages_may_be_taken(project):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        project.start(SYNCSVC_API_PORT=str(port))
        project.until_healthy()

    assert f"port {port} (API) is in use by pid {os.getpid()}" in project.log
    assert "any free one is used" in project.log


def test_a_port_that_somebody_else_has_is_told_in_the_log(project):
    with socket.create_server(("127.0.0.1", project.port)):
        said = project.start()
        until(lambda: "(Sync Storage) is in use" in project.log, "it is told")

    assert said == (0, b"")
    until(lambda: project.daemons() == [], "it ends")


def test_settings_are_found_in_the_data_folder_and_not_in_the_tested_project(project):
    caches = project.executable.parent
    caches.joinpath(".env").write_text("SYNCSVC_API_PORT=nonsense\nSYNCSVC_LOG_LEVEL=none\n")
    project.data_dir.mkdir(mode=0o700)
    project.data_dir.joinpath("syncsvc.toml").write_text('testit_url = "http://127.0.0.1:2"\n')

    project.start("--baseURL", "http://127.0.0.1:1", "--privateToken", "s3cret")
    project.until_healthy()

    (daemon,) = project.daemons()
    assert set(VARIABLES).isdisjoint(daemon.environ())  # a token goes to its own server only


def test_what_the_tested_project_says_to_its_python_is_not_for_ours(project, tmp_path):
    tmp_path.joinpath("syncsvc.py").write_text("raise SystemExit('not this one')\n")

    said = project.start(PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere", PYTHONWARNINGS="error")
    project.until_healthy()

    assert said == (0, b"")


def test_settings_that_are_wrong_are_one_line(project):
    code, said = project.start(SYNCSVC_API_PORT="many")

    assert code == 1
    assert said.startswith(b"syncsvc: SYNCSVC_API_PORT: ")
    assert said.count(b"\n") == 1


def test_flags_of_later_releases_are_left_out_by_name(project):
    said = project.start("--newFlag=s3cret", "--another", "s3cret")
    project.until_healthy()

    assert said == (0, b"")
    assert "left out: --newFlag, --another" in project.log
    assert "s3cret" not in project.log


@pytest.mark.parametrize("flag", [("--privateToken", "s3cret"), ("--privateToken=s3cret",)])
def test_the_command_behind_it_hides_a_token_too(project, everywhere, flag):
    command = [sys.executable, "-m", "syncsvc", "launcher", "run", "--port", str(project.port)]

    done = subprocess.run(
        [*command, *flag], env=project.environ, capture_output=True, timeout=PATIENCE, check=False
    )
    project.until_healthy()

    (daemon,) = project.daemons()
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert daemon.environ()["SYNCSVC_TESTIT_TOKEN"] == "s3cret"
    assert [line for line in everywhere() if "s3cret" in line] == []


class TestStopping:
    def test_ends_every_process(self, project):
        project.start()
        project.until_healthy()
        processes = tree(project)

        answer = project.launcher("stop", "--json")

        told = {"data_dir": str(project.data_dir), "stopped": processes[0].pid}
        assert json.loads(answer.stdout) == told
        until(lambda: not any(each.is_running() for each in processes), "init has reaped all")

    def test_what_has_only_begun_to_start_is_stopped_too(self, project):
        project.start()

        answer = project.launcher("stop")

        assert answer.stdout.startswith("stopped pid ")
        assert project.daemons() == []

    def test_nothing_is_fine(self, project):
        answer = project.launcher("stop")

        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout == f"no daemon of the launcher runs in {project.data_dir}\n"


def test_a_program_that_waits_for_its_children_can_end(project):
    """Node ends only when its children have; its adapter leaves them no pipes."""
    node = shutil.which("node")
    if node is None:
        absent("node")
    spawn = "spawn(process.argv[1], process.argv.slice(2), {stdio: 'ignore'})"

    done = subprocess.run(
        [
            node,
            "-e",
            f"require('child_process').{spawn}",
            project.executable,
            "--port",
            str(project.port),
        ],
        env=project.environ,
        cwd=project.executable.parent,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    project.until_healthy()

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_one_that_was_killed_is_no_obstacle(project):
    project.start()
    project.until_healthy()
    processes = tree(project)
    os.kill(processes[0].pid, signal.SIGKILL)
    until(lambda: not any(each.is_running() for each in processes), "all are gone")

    project.start()
    project.until_healthy()

    assert len(project.daemons()) == 1


def test_a_log_that_has_become_large_is_turned_over(project):
    project.data_dir.mkdir(mode=0o700)
    log = Path(project.data_dir / "launcher.log")
    with log.open("wb") as large:
        large.truncate(LARGEST_LOG + 1)

    project.start()

    assert log.stat().st_size < LARGEST_LOG
    assert log.with_suffix(".log.1").stat().st_size == LARGEST_LOG + 1


def test_it_answers_from_the_moment_that_the_executable_has_ended(project):
    assert project.start("--testRunId", "r1") == (0, b"")

    assert project.is_healthy()
    body = {"pid": "worker-1", "testRunId": "r1"}
    told = httpx.post(f"http://127.0.0.1:{project.port}/register", json=body, timeout=60)
    assert told.json()["status"] == "ok"


def test_who_asks_while_its_gateway_is_restarted_waits_and_is_answered(project):
    project.start("--testRunId", "r1")
    (gateway,) = until(lambda: gateways(project), "the gateway runs")
    until(lambda: "Started server process" in project.log, "the gateway serves")

    gateway.kill()
    gateway.wait(30)

    assert httpx.get(f"http://127.0.0.1:{project.port}/health", timeout=60).is_success


def gateways(project) -> list[psutil.Process]:
    return [each for each in tree(project) if "gateway" in words_of(each)]


def words_of(process: psutil.Process) -> list[str]:
    """Give its command line; one that has ended meanwhile, as the migration does, has none."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
