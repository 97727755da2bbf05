"""The processes of `syncsvc up`: which there are, how they are told what to do, who stops when.

Settings travel by environment variables: nothing secret is ever on a command line, which
every user of the machine can read.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from os import devnull
from pathlib import Path
from signal import Signals
from typing import Any

from pydantic import SecretStr

from syncsvc.doors import DOORS, Doors
from syncsvc.embedded.child import Accepts, Child, Listens, Readiness, TouchesFile
from syncsvc.embedded.ports import PortUse, free_ports
from syncsvc.settings import DASHBOARD, LOOPBACK, PREFIX, ApiToken, Settings, TestIoCustomer
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
        """Say which ports are to be opened: not Sync Storage's if it is given."""
        gateway = gateway_ports(self.settings)
        if self.doors is not None:
            del gateway["sync_storage"]
        return (*gateway.values(), *((self.sandbox.use,) if self.sandbox else ()))

    @property
    def doors(self) -> Doors | None:
        """What of Sync Storage's port is open already. Raises Rejected."""
        return Doors.given(self.environ)

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
            if not name.upper().startswith((PREFIX, *DASHBOARD))
        }

    @property
    def our_environ(self) -> dict[str, str]:
        """The environment for our own: the settings of the plan, and no others."""
        settings = {*DASHBOARD, *(PREFIX + name.upper() for name in Settings.model_fields)}
        shared = self.settings.model_copy(update={"share_ports": True})
        others = {
            name: value
            for name, value in self.environ.items()
            if name.upper() not in settings and name != DOORS
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
        name = "gateway" if self.crew.gateways == 1 else f"gateway-{number}"
        gateway = self._ours("gateway", name=name, order=ENTRANCE, grace=2)
        if self.doors is None:
            return gateway
        env = {**gateway.env, **self.doors.environ}
        return replace(gateway, env=env, pass_fds=self.doors.numbers)

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


SPELLING: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (SecretStr, lambda value: value.get_secret_value()),
    (timedelta, lambda value: f"{value.total_seconds():.6f}s"),
    (datetime, lambda value: value.isoformat()),
    (Enum, lambda value: str(value.value)),
    (Path, lambda value: str(value.absolute())),
    (bool, lambda value: str(value).lower()),
    (tuple, lambda value: json.dumps([_plain(each) for each in value])),
)


def _spelled(value: object) -> str:
    return next((spell(value) for kind, spell in SPELLING if isinstance(value, kind)), str(value))


def _plain(value: object) -> object:
    """Give what JSON has for an item of a list, and its secrets as they are."""
    if isinstance(value, TestIoCustomer | ApiToken):
        found = value.model_dump(mode="json", exclude_none=True)
        return {**found, "token": value.token.get_secret_value()}
    return value
