"""Listens on every port of the gateway, on both loopback addresses, from one event loop."""

import gc
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncsvc.errors import Rejected
from syncsvc.gateway.upgrades import DecliningParser
from syncsvc.settings import LOOPBACK, is_loopback

CONNECTION = "syncsvc.connection"  # its extension of a request's scope tells whether it stands
BACKLOG = 2048
IDLE_SECONDS = 900  # adapters reuse one connection for a whole session, with long pauses
DRAIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Listener:
    """A port to listen on; `option` names how to change it."""

    name: str
    host: str
    port: int
    option: str
    shared: bool = False  # with other processes of this host


def bind(listener: Listener) -> list[socket.socket]:
    """Open the sockets of a port: both loopback addresses, or the one host that was asked for.

    Raises Rejected that names the port and the option when it cannot be had.
    """
    hosts: Sequence[str] = LOOPBACK if is_loopback(listener.host) else (listener.host,)
    sockets: list[socket.socket] = []
    port = listener.port
    for host in hosts:
        opened = _open(listener, host, port)
        if opened is not None:
            sockets.append(opened)
            port = opened.getsockname()[1]  # port 0: the second address takes the same one
    return sockets


def _open(listener: Listener, host: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else Nagle stays
    except OSError:
        if host == LOOPBACK[1]:
            return None  # a host without IPv6
        raise
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(listener.shared))
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((host, port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        if family == socket.AF_INET6 and error.errno == 99:  # no such address: IPv6 is off
            return None
        raise Rejected(
            f"cannot listen on {host}:{port} ({listener.name}): {error.strerror}; "
            f"stop whoever has it, or choose another with {listener.option}"
        ) from error
    opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return opened


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
