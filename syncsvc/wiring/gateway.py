"""Puts a gateway process together: its ports, what answers at each, and the services behind."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from prometheus_client import Gauge

from syncsvc.adapters.tasks import Bell
from syncsvc.adapters.testit.presence import Presence
from syncsvc.adapters.testit.processes import Processes
from syncsvc.adapters.testit.routes import SyncStorage, build_sync_storage
from syncsvc.adapters.testsync.credentials import Credentials
from syncsvc.adapters.testsync.http import TestSyncHttp
from syncsvc.adapters.testsync.ports import Rooms
from syncsvc.adapters.testsync.server import TestSyncSockets
from syncsvc.doors import Doors, Listener, bind
from syncsvc.errors import SyncsvcError
from syncsvc.gateway.app import ByPort, build_api
from syncsvc.gateway.commands import Commands
from syncsvc.gateway.edge import Edge
from syncsvc.gateway.flower import FlowerProxy
from syncsvc.gateway.health import Health
from syncsvc.gateway.pushes_api import PushesApi
from syncsvc.gateway.results_api import ResultsApi
from syncsvc.gateway.runs_api import RunsApi
from syncsvc.gateway.server import Server
from syncsvc.gateway.sync_api import SyncApi
from syncsvc.settings import Settings
from syncsvc.stores.sql.database import ping
from syncsvc.wiring.admitting import credentials_of, workers_tokens
from syncsvc.wiring.coordination import Coordination
from syncsvc.wiring.loadtest_answers import dashboard, load_tests
from syncsvc.wiring.loadtest_figures import figures_of
from syncsvc.wiring.moments import now
from syncsvc.wiring.services import Services, build
from syncsvc.wiring.sync_figures import count_syncs

Sockets = list[socket.socket]
AGENTS = Gauge("syncsvc_agents", "Connections of agents that stand.")
WAITING = Gauge("syncsvc_agents_waiting", "Arrivals that wait at checkpoints.")
CLOSED_EARLY = Gauge("syncsvc_runs_closed_early", "Runs that closed before all was in.")
COUNTED_EVERY = 10.0  # seconds
LONGEST_SILENCE = timedelta(seconds=2)
AT_DOORS = 1  # the place of Sync Storage among the ports


@dataclass(frozen=True)
class Ports:
    """The open sockets of a gateway, by what they are for."""

    api: Sockets
    sync_storage: Sockets
    testsync_http: Sockets
    testsync_ws: Sockets

    @classmethod
    def open(cls, settings: Settings, doors: Doors | None = None) -> "Ports":
        """Open them all, or none; `doors` are those of Sync Storage where they are open already.

        Raises Rejected that names the port and its option when one cannot be had.
        """
        with ExitStack() as undo:
            opened = [
                _kept(doors.sockets() if doors and number == AT_DOORS else bind(listener), undo)
                for number, listener in enumerate(_listeners(settings))
            ]
            undo.pop_all()
        return cls(*opened)


class Gateway:
    """Every port of one gateway process, opened and then served from one loop."""

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self._ports = ports
        self.services = build(settings)
        self._coordination = Coordination.open(settings, self.services.stores.scripts)
        self._commands = Commands(self._coordination.operations)
        self._flower = FlowerProxy(settings.flower_socket)
        self._load_tests = load_tests(settings, self.services)
        self._bell = Bell(self.services.nudge)
        self.api_port = _number(ports.api)
        self.sync_storage_port = _number(ports.sync_storage)
        self.testsync_http_port = _number(ports.testsync_http)
        self.testsync_ws_port = _number(ports.testsync_ws)
        self._presence = presence(settings, self.services)
        self._processes = processes(settings, self.services)
        self._app = ByPort(
            {
                self.api_port: self._api(settings),
                self.sync_storage_port: sync_storage(
                    self.services, self._presence, self._processes
                ),
                self.testsync_http_port: _testsync(settings, self.services, self._coordination),
            }
        )
        self._agents = _agents(settings, self.services, self._coordination)
        AGENTS.set_function(lambda: self._agents.connected)
        WAITING.set_function(lambda: self._coordination.meetings.waiting)
        self._server: Server | None = None

    @classmethod
    def open(cls, settings: Settings, doors: Doors | None = None) -> "Gateway":
        """Open the ports that are not open yet; call it on a running event loop.

        Raises Rejected that names the port and its option when one cannot be had.
        """
        return cls(settings, Ports.open(settings, doors))

    async def serve(self, when_serving: Callable[[], None]) -> None:
        """Serve until a signal comes, or `stop` is called."""
        self._server = Server(self._app, when_serving, self._send_agents_away)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(task) for task in self._tasks()]
                await self._agents.open(self._ports.testsync_ws)
                await self._server.serve(
                    self._ports.api + self._ports.sync_storage + self._ports.testsync_http
                )
                for task in running:
                    task.cancel()
        finally:
            await self._flower.close()
            await self.services.close()

    def _tasks(self) -> list[Coroutine[None, None, None]]:
        tasks = [self._presence.speak(), self._agents.tend(), self._coordination.run()]
        tasks.append(self._bell.pass_on())
        if self._processes is not None:
            tasks.append(self._processes.watch())
        tasks.append(count_syncs(self.services.catalogue.syncs))
        tasks.append(figures_of(self.services.watch).count())
        return [*tasks, count_closed_early(self.services)]

    def _api(self, settings: Settings) -> Edge:
        stores, pushes = self.services.stores, replace(self.services.pushes, nudge=self._bell)
        health = Health({"database": partial(ping, stores.database), "redis": stores.scripts.ping})
        routes = [
            *health.routes(),
            *RunsApi(stores.runs, stores.rosters, stores.outbox, pushes).routes(),
            *PushesApi(pushes).routes(),
            *ResultsApi(self.services.ledger).routes(),
            *SyncApi(self.services.catalogue.syncs, now).routes(),
            *self._load_tests.routes(),
            *dashboard(settings, self.services).routes(),
            *self._flower.routes(),
        ]
        return build_api(routes, self._commands, credentials_of(settings))

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True

    async def _send_agents_away(self) -> None:
        self._coordination.meetings.drain()
        self._load_tests.lines.stop()
        await self._commands.drain()
        await self._agents.drain()


def _listeners(settings: Settings) -> list[Listener]:
    ports = (
        ("API", settings.api_host, settings.api_port, "API"),
        ("Sync Storage", settings.sync_storage_host, settings.sync_storage_port, "SYNC_STORAGE"),
        ("TestSync HTTP", settings.testsync_host, settings.testsync_http_port, "TESTSYNC_HTTP"),
        ("TestSync WebSocket", settings.testsync_host, settings.testsync_ws_port, "TESTSYNC_WS"),
    )
    return [
        Listener(name, host, port, f"SYNCSVC_{option}_PORT", settings.share_ports)
        for name, host, port, option in ports
    ]


def _kept(sockets: Sockets, undo: ExitStack) -> Sockets:
    for opened in sockets:
        undo.callback(opened.close)
    return sockets


def _number(sockets: Sockets) -> int:
    port: int = sockets[0].getsockname()[1]
    return port


def _credentials(settings: Settings) -> Credentials:
    password = settings.testsync_password
    return Credentials(settings.testsync_username, password.get_secret_value() if password else "")


def _testsync(settings: Settings, services: Services, coordination: Coordination) -> TestSyncHttp:
    registered = coordination.connections if settings.testsync_strict else None
    data = services.stores.test_data
    return TestSyncHttp(data, _credentials(settings), now, registered=registered)


def _agents(settings: Settings, services: Services, coordination: Coordination) -> TestSyncSockets:
    rooms = Rooms(
        coordination.meetings,
        services.stores.test_data,
        coordination.operations,
        coordination.presence,
        coordination.connections,
        now,
        coordination.gateway_id,
    )
    return TestSyncSockets(
        rooms,
        _credentials(settings),
        api_tokens=workers_tokens(settings),
        strict=settings.testsync_strict,
    )


def presence(settings: Settings, services: Services) -> Presence:
    every = min(settings.quiet_period / 4, LONGEST_SILENCE)
    return Presence(services.runs.report, now, every=every, limit=settings.idle_limit)


def processes(settings: Settings, services: Services) -> Processes | None:
    return Processes(services.runs.report, now) if settings.watch_processes else None


async def count_closed_early(services: Services) -> None:
    """Keep the figure of runs that closed early, until cancelled."""
    while True:
        with suppress(SyncsvcError):  # the next count tells
            CLOSED_EARLY.set(await services.stores.runs.count_closed_early())
        await asyncio.sleep(COUNTED_EVERY)


def sync_storage(
    services: Services, presence: Presence, processes: Processes | None = None
) -> Edge:
    storage = SyncStorage(services.runs, services.results, presence, now, processes)
    return Edge(build_sync_storage(storage), "sync-storage")
