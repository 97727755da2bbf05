"""Puts a gateway process together: its ports, what answers at each, and the services behind."""

import asyncio
import socket
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from syncsvc.adapters.testit.presence import Presence
from syncsvc.adapters.testit.routes import SyncStorage, build_sync_storage
from syncsvc.gateway.api import Api
from syncsvc.gateway.app import ByPort, build_api
from syncsvc.gateway.edge import Edge
from syncsvc.gateway.flower import FlowerProxy
from syncsvc.gateway.health import Health
from syncsvc.gateway.server import Listener, Server, bind
from syncsvc.settings import Settings
from syncsvc.stores.sql.database import ping
from syncsvc.wiring.services import Services, build, now

Sockets = list[socket.socket]
LONGEST_SILENCE = timedelta(seconds=2)


class Gateway:
    """Every port of one gateway process, opened and then served from one loop."""

    def __init__(self, settings: Settings, api: Sockets, storage: Sockets) -> None:
        self._sockets = api + storage
        self.services = build(settings)
        self._flower = FlowerProxy(settings.flower_socket)
        self.api_port: int = api[0].getsockname()[1]
        self.sync_storage_port: int = storage[0].getsockname()[1]
        self._presence = presence(settings, self.services)
        self._app = ByPort(
            {
                self.api_port: _api(settings, self.services, self._flower),
                self.sync_storage_port: sync_storage(self.services, self._presence),
            }
        )
        self._server: Server | None = None

    @classmethod
    def open(cls, settings: Settings) -> "Gateway":
        """Open the ports.

        Raises Rejected that names the port and its option when one cannot be had.
        """
        api = Listener("API", settings.api_host, settings.api_port, "SYNCSVC_API_PORT")
        storage = Listener(
            "Sync Storage",
            settings.sync_storage_host,
            settings.sync_storage_port,
            "SYNCSVC_SYNC_STORAGE_PORT",
        )
        return cls(settings, bind(api), bind(storage))

    async def serve(self, when_serving: Callable[[], None]) -> None:
        """Serve until a signal comes, or `stop` is called."""
        self._server = Server(self._app, when_serving)
        try:
            async with asyncio.TaskGroup() as tasks:
                speaking = tasks.create_task(self._presence.speak())
                await self._server.serve(sockets=self._sockets)
                speaking.cancel()
        finally:
            await self._flower.close()
            await self.services.close()

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True


def _api(settings: Settings, services: Services, flower: FlowerProxy) -> Edge:
    stores = services.stores
    health = Health({"database": partial(ping, stores.database), "redis": stores.scripts.ping})
    api = Api(stores.runs, stores.rosters, services.results)
    token = settings.api_token.get_secret_value() if settings.api_token else None
    return build_api([*health.routes(), *api.routes(), *flower.routes()], token)


def presence(settings: Settings, services: Services) -> Presence:
    every = min(settings.quiet_period / 4, LONGEST_SILENCE)
    return Presence(services.runs.report, now, every=every, limit=settings.idle_limit)


def sync_storage(services: Services, presence: Presence) -> Edge:
    storage = SyncStorage(services.runs, services.results, presence, now)
    return Edge(build_sync_storage(storage), "sync-storage")
