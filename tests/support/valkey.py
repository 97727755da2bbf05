"""A Valkey of a test's own, that it may stop, kill, and start again."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from syncsvc.embedded.valkey import configuration, find_server
from syncsvc.settings import Settings
from tests.support.waiting import apart, until_connects


@dataclass
class OwnValkey:
    """A server in a folder; without `keeps` it forgets everything when it stops."""

    folder: Path
    keeps: bool = True
    more: str = ""  # lines of its configuration
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def socket(self) -> Path:
        return self.folder / "own.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        conf = self.folder / "own.conf"
        text = configuration(self.folder, self.socket)
        text = text if self.keeps else text.replace("appendonly yes", "appendonly no")
        conf.write_text(text + self.more)
        binary = apart(find_server(Settings()))
        self.process = subprocess.Popen([binary, conf], stdout=subprocess.DEVNULL)
        until_connects(self.socket)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None
        self.socket.unlink(missing_ok=True)

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()


@contextmanager
def own_valkey(folder: Path, *, keeps: bool = True, more: str = "") -> Iterator[OwnValkey]:
    server = OwnValkey(folder, keeps, more)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)
