"""The processes of `syncsvc up`: which there are, how they are told what to do, who stops when.

Settings travel by environment variables: nothing secret is ever on a command line, which
every user of the machine can read.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from os import devnull
from pathlib import Path
from signal import Signals

from pydantic import SecretStr

from syncsvc.embedded.child import Accepts, Child, Listens, Readiness, TouchesFile
from syncsvc.embedded.ports import PortUse, free_ports
from syncsvc.settings import LOOPBACK, PREFIX, Settings
from syncsvc.telemetry import READY_FILE

ENTRANCE, WORKERS, FLOWER, SANDBOX, SERVER = range(5)  # the order of stopping
_WORKER_SIGNALS = (Signals.SIGTERM, Signals.SIGQUIT, Signals.SIGKILL)  # warm, cold, dead


@dataclass(frozen=True)
class SandboxOptions:
    """How the sandbox runs beside us; port 0 means any free one."""

    port: int = 8090
    arguments: tuple[str, ...] = ()  # for `syncsvc sandbox`, after its address

    @property
    def use(self) -> PortUse:
        return PortUse(self.port, "sandbox", "sandbox-port")


@dataclass(frozen=True, slots=True)
class Crew:
    """How many of each process there may be several of."""

    gateways: int = 1  # they share all ports
    workers: int = 1


ONE_OF_EACH = Crew()


@dataclass(frozen=True)
class Plan:
    """What one `up` runs, every port in it chosen."""

    settings: Settings
    sandbox: SandboxOptions | None
    crew: Crew
    environ: Mapping[str, str]

    @property
    def port_uses(self) -> tuple[PortUse, ...]:
        gateway = gateway_ports(self.settings).values()
        return (*gateway, self.sandbox.use) if self.sandbox else (*gateway,)

    @property
    def addresses(self) -> dict[str, str]:
        found = {name: use.url for name, use in gateway_ports(self.settings).items()}
        found["testsync_ws"] = found["testsync_ws"].replace("http", "ws", 1)
        found["flower"] = f"{found['api']}/flower/"
        return found | ({"sandbox": self.sandbox.use.url} if self.sandbox else {})

    @property
    def foreign_environ(self) -> dict[str, str]:
        """The environment for a program that is not ours: none of our settings or secrets."""
        return {
            name: value
            for name, value in self.environ.items()
            if not name.upper().startswith(PREFIX)
        }

    @property
    def our_environ(self) -> dict[str, str]:
        """The environment for our own: the settings of the plan, and no others."""
        settings = {PREFIX + name.upper() for name in Settings.model_fields}
        shared = self.settings.model_copy(update={"share_ports": True})
        others = {
            name: value for name, value in self.environ.items() if name.upper() not in settings
        }
        return others | as_environment(shared if self.crew.gateways > 1 else self.settings)

    def migrate(self) -> Child:
        return self._ours("migrate", order=ENTRANCE)

    def children(self) -> list[Child]:
        """Describe all of our processes; the embedded server is not among them."""
        return [*self.gateways(), *self.others()]

    def gateways(self) -> list[Child]:
        """Describe what everybody waits for; it starts before the rest has a share of the CPU."""
        return [self._gateway(number) for number in range(1, self.crew.gateways + 1)]

    def others(self) -> list[Child]:
        """Describe the rest of our processes, side by side."""
        found = [
            self._ours("beat", order=ENTRANCE, grace=2),
            *(self._worker(number) for number in range(1, self.crew.workers + 1)),
            self._ours("flower", order=FLOWER, ready=Accepts(self.settings.flower_socket)),
        ]
        if self.sandbox:
            address = ("--host", LOOPBACK[0], "--port", str(self.sandbox.port))
            arguments = (*address, *self.sandbox.arguments)
            ready = Listens(self.sandbox.port)
            found.append(self._ours("sandbox", *arguments, order=SANDBOX, ready=ready))
        return found

    def _gateway(self, number: int) -> Child:
        if self.crew.gateways == 1:
            return self._ours("gateway", order=ENTRANCE, grace=2)
        return self._ours("gateway", name=f"gateway-{number}", order=ENTRANCE, grace=2)

    def _worker(self, number: int) -> Child:
        if self.crew.workers == 1:
            return self._ours("worker", order=WORKERS, grace=3)
        name = f"worker-{number}"
        return self._ours("worker", "--name", name, name=name, order=WORKERS, grace=3)

    def _ours(
        self,
        command: str,
        *arguments: str,
        order: int,
        name: str = "",
        grace: float = 1.0,
        ready: Readiness | None = None,
    ) -> Child:
        name = name or command
        ready_file = self.settings.run_dir / f"{name}.ready"
        own = {READY_FILE: str(ready_file), "PYTHONUNBUFFERED": "1"}
        return Child(
            name=name,
            argv=(sys.executable, "-m", "syncsvc", command, *arguments),
            env=self.our_environ | own,
            ready=ready or TouchesFile(ready_file),
            stop_order=order,
            grace=timedelta(seconds=grace),
            stop_signals=_WORKER_SIGNALS if order == WORKERS else Child.stop_signals,
        )


def gateway_ports(settings: Settings) -> dict[str, PortUse]:
    """Give the ports of the gateway, by the setting that chooses each, without `_port`."""
    return {
        name: PortUse(getattr(settings, f"{name}_port"), purpose, f"{option}-port", host)
        for name, purpose, option, host in (
            ("api", "API", "api", settings.api_host),
            ("sync_storage", "Sync Storage", "sync-storage", settings.sync_storage_host),
            ("testsync_http", "TestSync HTTP", "testsync-http", settings.testsync_host),
            ("testsync_ws", "TestSync WebSocket", "testsync-ws", settings.testsync_host),
        )
    }


def with_ports(settings: Settings) -> Settings:
    """Choose a free port wherever the settings say 0, so that a restart keeps it."""
    open_to_choice = {n: use.host for n, use in gateway_ports(settings).items() if not use.port}
    free = free_ports(open_to_choice.values())
    ports = {f"{name}_port": port for name, port in zip(open_to_choice, free, strict=True)}
    return settings.model_copy(update={"data_dir": settings.data_dir.absolute(), **ports})


def as_environment(settings: Settings) -> dict[str, str]:
    """Spell settings as the variables that give the same settings in a child.

    No configuration file may add to them: they are already in.
    """
    found = {
        PREFIX + name.upper(): _spelled(getattr(settings, name))
        for name in type(settings).model_fields
        if getattr(settings, name) is not None
    }
    return {**found, PREFIX + "CONFIG": devnull}


def _spelled(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case timedelta():
            return f"{value.total_seconds():.6f}s"
        case Enum():
            return str(value.value)
        case Path():
            return str(value.absolute())
        case bool():
            return str(value).lower()
    return str(value)
