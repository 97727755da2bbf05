"""`syncsvc results push` as somebody sees it who sits before it: its bar, and Ctrl-C."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID
from tests.support.stack import Stack, running_stack

TESTS = 600
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
UP_AND_CLEARED = "\x1b[2K"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(
        tmp_path_factory.mktemp("stack"),
        testit_project_id=str(PROJECT_ID),
        testit_configuration_id=str(CONFIGURATION_ID),
    ) as running:
        yield running


@pytest.fixture
def report(tmp_path):
    cases = "".join(f'<testcase classname="slow" name="t{n}"/>' for n in range(TESTS))
    file = tmp_path / "junit.xml"
    file.write_text(f"<testsuite>{cases}</testsuite>")
    return file


@contextmanager
def pushing(stack: Stack, report, **more) -> Iterator[subprocess.Popen[bytes]]:
    command = ["-m", "syncsvc", "results", "push", str(report), "--api", stack.api]
    environment = {**stack.environment, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(
        [sys.executable, *command], env=environment, start_new_session=True, **more
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_screen(terminal: int, within: float = 90) -> str:
    """Give all that is written to a terminal until nobody holds it open any more."""
    text, deadline = b"", monotonic() + within
    while monotonic() < deadline:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not piece:
            break
        text += piece
    return text.decode()


def test_a_bar_counts_and_leaves_only_the_last_line(stack, report):
    terminal, side = pty.openpty()
    with (
        stack.misbehaving(latency=0.3),
        pushing(stack, report, stdout=side, stderr=side, stdin=side) as process,
    ):
        os.close(side)
        screen = read_screen(terminal)
        code = process.wait(60)
    os.close(terminal)

    plain = ESCAPES.sub("", screen)
    assert code == 0, plain
    delivered = [int(each) for each in re.findall(rf"{TESTS} accepted, (\d+) delivered", plain)]
    assert any(0 < each < TESTS for each in delivered)
    assert delivered == sorted(delivered)
    last = screen.split(UP_AND_CLEARED)[-1]
    assert re.fullmatch(rf"\r?run \S+: {TESTS} accepted, {TESTS} delivered", last.strip())


def test_ctrl_c_says_what_was_accepted_and_the_same_command_sends_the_rest(stack, report):
    with (
        stack.misbehaving(latency=6.0),
        pushing(stack, report, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        assert process.stderr is not None
        first = process.stderr.readline().decode()
        assert re.match(rf"{TESTS} accepted, \d+ delivered", first)
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=20)

    assert process.returncode == 130
    said = re.search(r"interrupted: (\d+) results are accepted .* --run (\S+) sends", told.decode())
    assert said, told
    again = stack.cli("results", "push", str(report), "--api", stack.api, "--run", said[2])
    assert again.returncode == 0
    assert f"{TESTS} accepted, {TESTS} delivered" in again.stdout
    assert "Traceback" not in told.decode()
