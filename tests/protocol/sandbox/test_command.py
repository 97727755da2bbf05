"""`syncsvc sandbox` as a process: its first line, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID

TELLS_TO_HANG = json.dumps({"rules": [{"kind": "hang", "seconds": 600}]}).encode()


def command(host: str, port: int, *, as_json: bool) -> subprocess.Popen[str]:
    call = f"run({host!r}, {port}, 'word', {as_json})"
    code = f"from syncsvc.sandbox.cli import run; {call}"
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], stdout=pipe, stderr=pipe, text=True
    )


def hang(url: str) -> str:
    try:
        urllib.request.urlopen(f"{url}/adapters/projects/1", timeout=90)
    except OSError as error:
        return type(error).__name__
    return "answered"


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_within_two_seconds_though_calls_hang(number):
    with command("127.0.0.1", 0, as_json=True) as process, ThreadPoolExecutor() as threads:
        url = json.loads(process.stdout.readline())["url"]
        put = urllib.request.Request(f"{url}/__sandbox__/faults", TELLS_TO_HANG, method="PUT")
        urllib.request.urlopen(put, timeout=60).close()
        hanging = threads.submit(hang, url)
        while not _hits(url):
            assert not hanging.done()

        began = time.monotonic()
        process.send_signal(number)
        code = process.wait(60)

        assert time.monotonic() - began < 2
        assert (code, process.stderr.read()) == (0, "")
        assert hanging.result(60) != "answered"


def _hits(url: str) -> int:
    with urllib.request.urlopen(f"{url}/__sandbox__/faults", timeout=60) as reply:
        return json.load(reply)["rules"][0]["hits"]


def test_the_json_line_tells_what_a_client_needs():
    with command("localhost", 0, as_json=True) as process:
        told = json.loads(process.stdout.readline())
        process.terminate()

    assert told["url"].startswith("http://127.0.0.1:")
    assert told["page"] == told["url"] + "/"
    assert (told["token"], told["project_id"]) == ("word", str(PROJECT_ID))
    assert told["configuration_id"] == str(CONFIGURATION_ID)


def test_the_plain_line_tells_the_same_to_a_person():
    with command("127.0.0.1", 0, as_json=False) as process:
        told = process.stdout.readline()
        process.terminate()

    for each in ("http://127.0.0.1:", str(PROJECT_ID), str(CONFIGURATION_ID), "word"):
        assert each in told


def test_a_port_in_use_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with command("127.0.0.1", port, as_json=True) as process:
            out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
    assert str(port) in err


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", ""])
def test_only_loopback_is_served(host):
    with command(host, 0, as_json=True) as process:
        _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "expected 127.0.0.1 or ::1" in err
