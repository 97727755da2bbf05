"""`up` starts everything, says where it is, and keeps it running."""

import os
import signal
import socket
from pathlib import Path

import redis

from syncsvc.settings import Settings
from tests.integration.embedded.conftest import PATIENCE
from tests.support.waiting import until


def test_up_tells_machines_where_everything_is(running):
    told = running.ready()

    ports = {"api", "sync_storage", "testsync_http", "testsync_ws"}
    assert set(told["addresses"]) == {*ports, "flower", "sandbox"}
    assert told["addresses"]["flower"] == told["addresses"]["api"] + "/flower/"
    assert Path(told["data_dir"]).is_dir()
    expected = {"up", "valkey", "gateway", "beat", "worker", "flower", "sandbox"}
    assert set(told["pids"]) == expected
    assert told["pids"]["up"] == running.process.pid


def test_each_line_of_a_process_carries_its_name(running):
    line = running.err.wait_for("offspring")

    assert line.startswith("gateway   | offspring ")


def test_a_crashed_process_is_restarted_and_said_so(running):
    os.kill(running.pids()["worker"], signal.SIGKILL)

    running.err.wait_for("worker was killed by SIGKILL and is restarted in 1 s")
    running.err.wait_for("worker is back after")


def test_a_crashed_process_leaves_nothing_of_its_own_behind(running, gone):
    offspring = int(running.err.wait_for("offspring").split()[-1])

    os.kill(running.pids()["gateway"], signal.SIGKILL)

    until(lambda: gone(offspring), "the offspring goes with its parent")


def test_what_the_server_acknowledged_survives_its_kill_9(running):
    settings = Settings(data_dir=running.ready()["data_dir"])
    with redis.Redis.from_url(settings.redis) as client:
        client.set("snowdrops", 7)

        os.kill(running.pids()["valkey"], signal.SIGKILL)
        running.err.wait_for("valkey is back after")

        assert client.get("snowdrops") == b"7"


def test_a_second_up_on_the_same_data_folder_is_refused(running, start_up):
    folder, pid = running.ready()["data_dir"], running.process.pid

    second = start_up(SYNCSVC_DATA_DIR=folder)

    assert second.code(PATIENCE) == 1
    assert f"{folder} is in use by `syncsvc up` (pid {pid}): stop it" in second.said()
    assert second.said().count("\n") == 1


def test_up_tells_people_where_everything_is(start_up):
    up = start_up("--for-people")

    line = up.out.wait_for("ready: ")

    assert "API http://127.0.0.1:" in line
    assert "Sync Storage http://127.0.0.1:" in line
    assert "/flower/" in line


def test_a_port_in_use_is_told_in_one_line_with_nothing_started(start_up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        up = start_up(SYNCSVC_SYNC_STORAGE_PORT=str(port))

        assert up.code(PATIENCE) == 1
    assert f"port {port} (Sync Storage) is in use by pid {os.getpid()} (" in up.said()
    assert "--sync-storage-port / SYNCSVC_SYNC_STORAGE_PORT" in up.said()
    assert up.said().count("\n") == 1


def test_a_process_that_cannot_start_ends_up_with_its_last_lines(start_up):
    up = start_up(STUB_FAILS="beat")

    code = up.code(PATIENCE)

    assert code == 1
    assert "beat was not ready: it exited with code 1, 3 times" in up.said()
    assert "  beat finds no snowdrops" in up.said()


def test_a_migration_that_fails_ends_up_with_its_last_lines(start_up):
    up = start_up(STUB_FAILS="migrate")

    code = up.code(PATIENCE)

    assert code == 1
    assert "migrate exited with code 1. Its last lines:" in up.said()
    assert "gateway" not in up.said()


def test_the_exit_code_of_a_story_is_that_of_up(start_up, all_gone):
    up = start_up(STUB_STORY_ENDS_WITH="7")

    pids = up.pids()

    assert up.code() == 7
    all_gone(pids)


def test_a_long_data_folder_is_no_obstacle(start_up, tmp_path):
    up = start_up(SYNCSVC_DATA_DIR=str(tmp_path / ("long" * 30)), TMPDIR=str(tmp_path))

    assert up.pids()["valkey"]


def test_an_odd_data_folder_is_no_obstacle(start_up, tmp_path):
    up = start_up(SYNCSVC_DATA_DIR=str(tmp_path / 'my "snow" \\drops'))

    assert up.pids()["valkey"]


def test_files_that_an_earlier_life_left_behind_are_no_obstacle(start_up, tmp_path):
    run = Settings(data_dir=tmp_path / "d").run_dir
    run.mkdir(parents=True, mode=0o700)
    (tmp_path / "d" / "up.lock").write_text("1\n")
    for name in ("valkey.sock", "flower.sock"):
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(run / name))

    up = start_up()

    assert up.pids()["valkey"]
