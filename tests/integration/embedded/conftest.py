"""A real `up` in a process of its own: real supervisor, real server, stub processes of ours."""

import fcntl
import json
import os
import select
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from tests.support.ports import own_port
from tests.support.waiting import until

PATIENCE = 60  # seconds for what has to happen, on a machine that is busy
STUB = Path(__file__).with_name("stub")
RUN_UP = Path(__file__).with_name("run_up.py")


@dataclass
class Heard:
    """The lines that a stream has given so far."""

    lines: list[str] = field(default_factory=list)

    def listen_to(self, stream: IO[str]) -> threading.Thread:
        thread = threading.Thread(target=self._listen, args=(stream,), daemon=True)
        thread.start()
        return thread

    def _listen(self, stream: IO[str]) -> None:
        for line in stream:
            self.lines.append(line)

    def wait_for(self, text: str, within: float = PATIENCE) -> str:
        """Give the first line that contains a text, as soon as it is there."""
        found = until(
            lambda: next((line for line in list(self.lines) if text in line), None),
            f"a line with {text!r} in {''.join(self.lines[-30:])}",
            within,
        )
        assert found is not None
        return found


class Up:
    """One running `up`; nobody reads what it says if `unread`."""

    def __init__(
        self, environ: dict[str, str], arguments: tuple[str, ...], *, unread: bool
    ) -> None:
        reading, writing = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, RUN_UP, *arguments],
            cwd=STUB,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=writing,
            text=True,
        )
        os.close(writing)
        self.out, self.err = Heard(), Heard()
        self._stderr = os.fdopen(reading, errors="replace")
        self._threads = [self.out.listen_to(self.process.stdout)]
        if not unread:
            self._threads.append(self.err.listen_to(self._stderr))

    def is_stuck(self) -> bool:
        """Tell whether the pipe of what it says is full."""
        waiting = fcntl.ioctl(self._stderr, termios.FIONREAD, b"\0" * 4)
        return int.from_bytes(waiting, sys.byteorder) >= select.PIPE_BUF * 15

    def ready(self) -> dict[str, object]:
        """Wait until it serves and give what it says about itself."""
        return json.loads(self.out.wait_for("{"))

    def pids(self) -> dict[str, int]:
        return self.ready()["pids"]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def code(self, within: float = 12) -> int:
        """Wait for its end and give its exit code."""
        code = self.process.wait(within)
        for thread in self._threads:
            thread.join(5)
        return code

    def said(self) -> str:
        return "".join(self.err.lines)

    def clean_up(self) -> None:
        self.process.kill()
        self.code()
        self.process.stdout.close()
        self._stderr.close()


StartUp = Callable[..., Up]


@contextmanager
def starting_in(folder: Path) -> Iterator[StartUp]:
    """Give what starts an `up` on one data folder; environment as keywords."""
    started: list[Up] = []
    outside = {name: value for name, value in os.environ.items() if "SYNCSVC_" not in name}
    ours = {
        "SYNCSVC_DATA_DIR": str(folder / "d"),
        "SYNCSVC_API_PORT": "0",
        "SYNCSVC_TESTSYNC_HTTP_PORT": "0",
        "SYNCSVC_TESTSYNC_WS_PORT": "0",
        "SYNCSVC_SYNC_STORAGE_PORT": "0",
        "SYNCSVC_CONFIG": os.devnull,
    }

    def start(*arguments: str, unread: bool = False, **environ: str) -> Up:
        environ = {**outside, **ours, **environ}
        started.append(Up(environ, arguments or ("--json",), unread=unread))
        return started[-1]

    yield start
    for up in started:
        up.clean_up()


@pytest.fixture
def start_up(tmp_path) -> Iterator[StartUp]:
    with starting_in(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Up]:
    """An `up` that the tests of a module share."""
    with starting_in(tmp_path_factory.mktemp("shared")) as start:
        up = start(STUB_SANDBOX=str(own_port()), STUB_HAS_OFFSPRING="gateway")
        up.ready()
        yield up


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Tell whether a process has ended, zombies included."""

    def is_gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    return is_gone


@pytest.fixture
def all_gone(gone) -> Callable[[dict[str, int]], None]:
    """Wait until none of these processes is left."""

    def wait(pids: dict[str, int]) -> None:
        until(lambda: all(gone(pid) for pid in pids.values()), f"no orphan of {pids}")

    return wait
