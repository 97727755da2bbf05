"""The supervisor and the ties of its children, with small programs as children."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from syncsvc.embedded import tether
from syncsvc.embedded.child import Accepts, AnswersPing, Child, Listens, TouchesFile
from syncsvc.embedded.console import Console
from syncsvc.embedded.supervisor import Supervisor
from syncsvc.errors import Unavailable
from tests.support.ports import own_port
from tests.support.waiting import until

SLEEP = "import signal; signal.pause()"
TOUCH = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch(); "


@pytest.fixture
def said(tmp_path):
    return tmp_path / "said"


@pytest.fixture
async def supervisor(said):
    with said.open("w") as stream, Console.on(stream) as console:
        supervisor = Supervisor(console, patience=timedelta(seconds=0.2))
        yield supervisor
        supervisor.kill()
        await supervisor.stop()


@pytest.fixture
def child(tmp_path):
    def build(code: str) -> Child:
        ready = tmp_path / "ready"
        return Child(
            name="bud",
            argv=(sys.executable, "-I", "-S", "-c", code, str(ready)),
            env=os.environ,
            ready=TouchesFile(ready),
            stop_order=0,
        )

    return build


async def test_a_child_that_never_serves_is_named_with_its_last_lines(supervisor, child):
    mute = child("print('waiting for spring', flush=True); " + SLEEP)

    with pytest.raises(Unavailable) as failed:
        await supervisor.start([mute], within=timedelta(seconds=4))

    assert "bud was not ready within 4 s: it runs, but does not serve" in str(failed.value)
    assert "waiting for spring" in str(failed.value)


async def test_a_long_wait_is_explained(supervisor, child, said):
    with pytest.raises(Unavailable):
        await supervisor.start([child(SLEEP)], within=timedelta(seconds=3))

    await asyncio.to_thread(until, lambda: "still waiting for bud" in said.read_text(), "a word")


async def test_a_program_that_is_missing_is_named(supervisor, child):
    missing = replace(child(SLEEP), argv=("/no/such/program",))

    with pytest.raises(Unavailable, match="/no/such/program: No such file or directory"):
        await supervisor.run(missing)


async def test_a_job_that_takes_too_long_is_ended(supervisor, child):
    with pytest.raises(Unavailable, match=r"bud was not done within 0\.3 s"):
        await supervisor.run(child(SLEEP), within=timedelta(seconds=0.3))


async def test_a_child_that_closes_its_output_is_still_waited_for(supervisor, child):
    await supervisor.start([child("import os; os.closerange(1, 3); " + TOUCH + SLEEP)])

    assert set(supervisor.pids) == {"bud"}


async def test_what_escapes_from_its_session_cannot_hold_up_the_end(supervisor, child):
    escape = "import subprocess as s; s.Popen(['sleep', '60'], start_new_session=True); "

    await supervisor.run(child(escape), within=timedelta(seconds=30))


async def test_a_child_reads_nothing_from_the_terminal(supervisor, child, said):
    await supervisor.run(child("import sys; print('read', repr(sys.stdin.read()), flush=True)"))

    await asyncio.to_thread(until, lambda: "read ''" in said.read_text(), "end of input")


@pytest.mark.parametrize("way", ["kernel", "pipe"])
def test_a_tied_program_goes_when_its_parent_does(way, gone):
    middle = subprocess.Popen(
        [sys.executable, "-c", _parent_of(way)], stdout=subprocess.PIPE, text=True
    )
    with middle:
        tied = int(middle.stdout.readline())
        middle.kill()

    until(lambda: gone(tied), "the tied program is gone")


def test_a_program_whose_parent_is_gone_already_does_not_start():
    somebody_else = "1"

    ended = subprocess.run(
        [sys.executable, tether.__file__, "kernel", "9", somebody_else, "echo", "alive"],
        capture_output=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stdout == b""


async def test_a_socket_that_nobody_serves_is_not_ready(tmp_path):
    assert not await Accepts(tmp_path / "none").met()
    assert not await AnswersPing(tmp_path / "none").met()
    assert not await Listens(own_port()).met()


async def test_a_server_that_is_loading_is_not_ready(tmp_path):
    answered = asyncio.Event()

    async def loading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"-LOADING the dataset is in memory soon\r\n")
        writer.close()
        await writer.wait_closed()
        answered.set()

    async with await asyncio.start_unix_server(loading, tmp_path / "s"):
        assert not await AnswersPing(tmp_path / "s").met()
        await answered.wait()


def _parent_of(way: str) -> str:
    """A program that ties `sleep` to itself, tells its pid, and waits to be killed."""
    parent = "str(os.getpid()), " if way == "kernel" else ""
    return (
        "import os, signal, subprocess, sys\n"
        f"argv = [sys.executable, {tether.__file__!r}, {way!r}, '9', {parent}'sleep', '60']\n"
        "print(subprocess.Popen(argv, stdin=subprocess.PIPE).pid, flush=True)\n"
        "signal.pause()\n"
    )
