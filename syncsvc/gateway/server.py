"""Serves every port of the gateway from one event loop."""

import gc
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncsvc.gateway.upgrades import DecliningParser

CONNECTION = "syncsvc.connection"  # its extension of a request's scope tells whether it stands
IDLE_SECONDS = 900  # adapters reuse one connection for a whole session, with long pauses
DRAIN_SECONDS = 5


class TellingProtocol(HttpToolsProtocol):
    """HTTP whose applications may ask whether a connection stands, which ASGI has no word for.

    It stays HTTP: a request that offers an upgrade is heard once it has been declined.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # the same methods under another name: httptools' class is final
        self.parser = DecliningParser(self)  # type: ignore[assignment]

    def on_headers_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"is_open": self._is_open}}

    def _is_open(self) -> bool:
        return not self.transport.is_closing()


class Server(uvicorn.Server):
    """Uvicorn, telling when it serves, and waiting for what must happen before it stops."""

    def __init__(
        self,
        app: ASGIApp,
        when_serving: Callable[[], None],
        before_stopping: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=TellingProtocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who asks is who connected; nothing that a client says changes it
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            ws="none",
        )
        super().__init__(config)
        self._when_serving = when_serving
        self._before_stopping = before_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_serving()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._before_stopping is not None:
            await self._before_stopping()
        await super().shutdown(sockets)


def settle_memory() -> None:
    """Keep the collector from walking every module again and again: it stalls answers by 80 ms.

    For a process that does nothing but serve, once everything is loaded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
