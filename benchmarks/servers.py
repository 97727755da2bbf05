"""The processes under load: an embedded Valkey, gateways on it, the ceiling; none outlives us."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.crowd import Address
from syncsvc.embedded.ports import free_ports
from syncsvc.embedded.valkey import configuration, find_server, version_of
from syncsvc.settings import PREFIX, load
from syncsvc.stores.sql.database import open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.telemetry import READY_FILE
from tests.support.waiting import until, until_connects

STOPPING = 12  # seconds
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """A server process by its pid and its two addresses."""

    pid: int
    web_socket: Address
    http: Address
    api: Address = (HOST, 0)  # of a gateway


@dataclass(frozen=True)
class State:
    """Where gateways keep their state: a Valkey of our own, and a folder with SQLite."""

    folder: Path
    pid: int
    version: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return {
            **own,
            "SYNCSVC_CONFIG": os.devnull,
            "SYNCSVC_DATA_DIR": str(self.folder),
            "SYNCSVC_REDIS_URL": f"unix://{self.folder / 's'}?db=0",
            "SYNCSVC_LOG_FORMAT": "json",
            **self.settings,
        }


@contextmanager
def state(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[State]:
    """Run a Valkey as `up` does, with its append-only file, beside a fresh database."""
    settings = settings or {}
    url = settings.get("SYNCSVC_DATABASE_URL", load(data_dir=folder).database)
    binary, numbers = asyncio.run(_prepare(url))
    conf = folder / "valkey.conf"
    conf.write_text(configuration(folder, folder / "s"))
    version = f"{binary.name} {'.'.join(map(str, numbers or ()))}, appendfsync everysec, SQLite"
    with _process([str(binary), str(conf)], folder / "valkey.log", dict(os.environ)) as process:
        until_connects(folder / "s")
        yield State(folder, process.pid, version, settings)


async def _prepare(database_url: str) -> tuple[Path, tuple[int, int] | None]:
    database = open_database(database_url)
    await migrate(database)
    await database.close()
    binary = await find_server(load())
    return binary, await version_of(binary)


@contextmanager
def gateway(state: State, name: str) -> Iterator[Served]:
    """Run `syncsvc gateway` on this state."""
    ready = state.folder / f"{name}.ready"
    ports = free_ports([""] * 4)
    variables = ("API_PORT", "SYNC_STORAGE_PORT", "TESTSYNC_HTTP_PORT", "TESTSYNC_WS_PORT")
    chosen = {PREFIX + key: str(port) for key, port in zip(variables, ports, strict=True)}
    environment = {**state.environment, **chosen, READY_FILE: str(ready)}
    command = [sys.executable, "-m", "syncsvc", "gateway"]
    log = state.folder / f"{name}.log"
    with _process(command, log, environment) as process:
        until(lambda: ready.exists() or _gone(process, log), f"{name} serves")
        ready.unlink()
        yield Served(
            process.pid, web_socket=(HOST, ports[3]), http=(HOST, ports[2]), api=(HOST, ports[0])
        )


@contextmanager
def ceiling(folder: Path) -> Iterator[Served]:
    """Run the bare server."""
    command = [sys.executable, "-m", "benchmarks.ceiling"]
    with _process(command, folder / "ceiling.log", dict(os.environ)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "ceiling.log").read_text()[-3000:]
        web_socket, http = map(int, line.split())
        yield Served(process.pid, web_socket=(HOST, web_socket), http=(HOST, http))


def _gone(process: subprocess.Popen[str], log: Path) -> bool:
    assert process.poll() is None, f"it ended: {log.read_text()[-3000:]}"
    return False


@contextmanager
def _process(
    command: list[str], log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOPPING)
            except subprocess.TimeoutExpired:
                process.kill()
