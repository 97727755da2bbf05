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

from syncsvc.settings import PREFIX
from syncsvc.stores.sql.database import open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.telemetry import READY_FILE
from tests.support.ports import own_port
from tests.support.valkey import OwnValkey, own_valkey
from tests.support.waiting import apart, until

ROOT = Path(__file__).parents[2]
STARTING = 30.0  # seconds
STOPPING = 12.0
GATEWAY = (sys.executable, "-m", "syncsvc", "gateway")


@dataclass
class GatewayProcess:
    """One `syncsvc gateway`; its port of WebSockets is `ws`, that of the API is `api`."""

    folder: Path
    name: str
    environment: dict[str, str]
    command: Sequence[str] = GATEWAY
    api: int = field(default_factory=own_port)
    ws: int = field(default_factory=own_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return once it serves."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        self.ready.unlink(missing_ok=True)
        environment = {
            **self.environment,
            "SYNCSVC_API_PORT": str(self.api),
            "SYNCSVC_TESTSYNC_WS_PORT": str(self.ws),
            READY_FILE: str(self.ready),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=environment, stderr=log)

    def wait_until_ready(self) -> None:
        until(lambda: self.is_gone or self.ready.exists(), f"{self.name} serves", STARTING)
        assert not self.is_gone, self.log.read_text()[-3000:]

    @property
    def ready(self) -> Path:
        return self.folder / f"{self.name}.ready"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def is_gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None or self.is_gone:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@dataclass
class Fleet:
    """Gateways side by side, and the memory that they share."""

    memory: OwnValkey
    folder: Path
    environment: dict[str, str]
    gateways: list[GatewayProcess] = field(default_factory=list)

    @property
    def ports(self) -> list[int]:
        """The ports of WebSockets, one of each gateway."""
        return [gateway.ws for gateway in self.gateways]

    @contextmanager
    def another_gateway(self, command: Sequence[str] = GATEWAY) -> Iterator[GatewayProcess]:
        """Launch one more, and stop it at the end."""
        name = f"gateway-{len(self.gateways) + 1}"
        gateway = GatewayProcess(self.folder, name, self.environment, command)
        self.gateways.append(gateway)
        try:
            gateway.launch()
            yield gateway
        finally:
            gateway.stop()

    def wait_until_ready(self) -> None:
        for gateway in self.gateways:
            gateway.wait_until_ready()


@contextmanager
def running_fleet(
    folder: Path, *, gateways: int = 2, durable: bool = True, **settings: str
) -> Iterator[Fleet]:
    """Start a memory and gateways on it, and stop all of them at the end."""
    allow_many_files()
    with ExitStack() as started:
        memory = started.enter_context(own_valkey(folder, keeps=durable))
        apart(_new_database(folder / "syncsvc.db"))
        fleet = Fleet(memory, folder, _environment(memory, settings))
        for _ in range(gateways):
            started.enter_context(fleet.another_gateway())
        fleet.wait_until_ready()
        yield fleet


def allow_many_files() -> None:
    """Let this process and its children open as many files as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _environment(memory: OwnValkey, settings: dict[str, str]) -> dict[str, str]:
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
