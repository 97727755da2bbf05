"""Gateways that share one embedded server and one database, each a process that may be killed."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis

from syncsvc.embedded.ports import free_port
from syncsvc.embedded.valkey import configuration, find_server
from syncsvc.settings import PREFIX, Settings
from syncsvc.stores.sql.database import open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.telemetry import READY_FILE
from tests.support.waiting import apart, until, until_connects

ROOT = Path(__file__).parents[2]
STARTING = 30.0  # seconds
STOPPING = 12.0


@dataclass
class Memory:
    """The server that keeps what is about now; `durable` says whether it has a file."""

    folder: Path
    durable: bool
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        conf = self.folder / "valkey.conf"
        conf.write_text(configuration(self.folder, self.socket))
        binary = apart(find_server(Settings()))
        keeps = ["--appendonly", "yes" if self.durable else "no"]
        with (self.folder / "valkey.log").open("ab") as log:
            self.process = subprocess.Popen([binary, conf, *keeps], stdout=log, stderr=log)
        until_connects(self.socket)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(STOPPING)
            self.socket.unlink(missing_ok=True)

    def restart(self, how: signal.Signals) -> None:
        self.stop(how)
        self.start()

    def forget(self) -> None:
        with self.connection() as redis:
            redis.flushall()

    def connection(self) -> Redis:
        return Redis.from_url(self.url)


@dataclass
class GatewayProcess:
    """One `syncsvc gateway`; its port of WebSockets is `ws`, that of the API is `api`."""

    folder: Path
    name: str
    environment: dict[str, str]
    command: Sequence[str] = (sys.executable, "-m", "syncsvc", "gateway")
    api: int = field(default_factory=free_port)
    ws: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ready = self.folder / f"{self.name}.ready"
        ready.unlink(missing_ok=True)
        environment = {
            **self.environment,
            "SYNCSVC_API_PORT": str(self.api),
            "SYNCSVC_TESTSYNC_WS_PORT": str(self.ws),
            READY_FILE: str(ready),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=environment, stderr=log)
        until(lambda: self.is_gone or ready.exists(), f"{self.name} serves", STARTING)
        assert not self.is_gone, self.log.read_text()[-3000:]

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def is_gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self) -> None:
        self.stop(signal.SIGKILL)


@dataclass
class Fleet:
    """Gateways side by side, and the memory that they share."""

    memory: Memory
    gateways: list[GatewayProcess]

    @property
    def ports(self) -> list[int]:
        """The ports of WebSockets, one of each gateway."""
        return [gateway.ws for gateway in self.gateways]


@contextmanager
def running_fleet(
    folder: Path, *, gateways: int = 2, durable: bool = True, **settings: str
) -> Iterator[Fleet]:
    """Start a memory and gateways on it, and stop all of them at the end."""
    allow_many_files()
    memory = Memory(folder, durable)
    with ExitStack() as started:
        memory.start()
        started.callback(memory.stop)
        apart(_new_database(folder / "syncsvc.db"))
        fleet = Fleet(memory, [])
        for number in range(1, gateways + 1):
            gateway = GatewayProcess(folder, f"gateway-{number}", _environment(memory, settings))
            started.callback(gateway.stop)
            gateway.start()
            fleet.gateways.append(gateway)
        yield fleet


def allow_many_files() -> None:
    """Let this process and its children open as many files as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _environment(memory: Memory, settings: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {
        **inherited,
        "SYNCSVC_CONFIG": os.devnull,
        "SYNCSVC_DATA_DIR": str(memory.folder),
        "SYNCSVC_REDIS_URL": memory.url,
        "SYNCSVC_SYNC_STORAGE_PORT": "0",
        "SYNCSVC_TESTSYNC_HTTP_PORT": "0",
        **{f"{PREFIX}{name.upper()}": value for name, value in settings.items()},
    }


async def _new_database(file: Path) -> None:
    database = open_database(f"sqlite:///{file}")
    await migrate(database)
    await database.close()
