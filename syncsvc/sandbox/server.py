"""A sandbox as an application and as a server on loopback."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from uvicorn import Config, Server

from syncsvc.sandbox.calls import CallLog, Recorder
from syncsvc.sandbox.control import PREFIX, Control
from syncsvc.sandbox.faults import Switchboard
from syncsvc.sandbox.identities import TOKEN
from syncsvc.sandbox.interference import AbortableProtocol, Interference
from syncsvc.sandbox.kubernetes.clusters import Kubernetes
from syncsvc.sandbox.kubernetes.control import KubernetesControl
from syncsvc.sandbox.kubernetes.gate import Gate as KubernetesGate
from syncsvc.sandbox.kubernetes.gate import Tally
from syncsvc.sandbox.replies import Refusal, refusal
from syncsvc.sandbox.testio.control import TestIoControl
from syncsvc.sandbox.testio.gate import Gate as TestIoGate
from syncsvc.sandbox.testio.load import Counter
from syncsvc.sandbox.testio.routes import routes as testio_routes
from syncsvc.sandbox.testio.worlds import TestIo
from syncsvc.sandbox.testit.instance import TestIt
from syncsvc.sandbox.testit.page import Page
from syncsvc.sandbox.testit.routes import Gate, routes

IDLE_SECONDS = 600  # a kept-alive connection; closing it sooner races with a client's next call
BACKLOG = 2048
START_SECONDS = 10  # far more than it takes; a wait without an end would hide a failure
DRAIN_SECONDS = 1  # for calls that are under way when the server is told to stop


class NotLoopback(ValueError):
    """A sandbox knows no users, so nobody but this machine may reach it."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"a sandbox serves loopback only: found host {host}, expected 127.0.0.1 or ::1"
        )


@dataclass(frozen=True)
class Address:
    """Where a sandbox listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def build_app(
    token: str = TOKEN,
    testit: TestIt | None = None,
    released: asyncio.Event | None = None,
    testio: TestIo | None = None,
    kubernetes: Kubernetes | None = None,
) -> Starlette:
    """Put a sandbox together; setting `released` ends whatever it holds back."""
    testit, testio = testit or TestIt(), testio or TestIo()
    kubernetes = kubernetes or Kubernetes()
    kubernetes.listen_to(released := released or asyncio.Event())
    switchboard, log = Switchboard(), CallLog()
    return Starlette(
        routes=[
            Page(testit, switchboard, testio, kubernetes).route(),
            *Control(testit, switchboard, log, testio, kubernetes).routes(),
            *TestIoControl(testio).routes(),
            *KubernetesControl(kubernetes).routes(),
            *routes(testit),
            *testio_routes(),
        ],
        middleware=[
            Middleware(Tally, kubernetes=kubernetes),
            Middleware(Counter, load=testio.load, known=testio.customers),
            Middleware(Recorder, log=log, exempt=_is_ours),
            Middleware(
                Interference,
                switchboard=switchboard,
                exempt=_is_ours,
                released=released,
            ),
            Middleware(KubernetesGate),
            Middleware(Gate, testit=testit, token=token),
            Middleware(TestIoGate, testio=testio),
        ],
        exception_handlers={Refusal: _refuse, HTTPException: _refuse_route},
    )


def bind(host: str, port: int) -> socket.socket:
    """Take the port, or raise OSError if somebody has it; port 0 takes any free one."""
    address = _loopback(host)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # asyncio switches Nagle's delays off only where the protocol is named
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address), port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(
    listener: socket.socket,
    token: str = TOKEN,
    *,
    ready: Callable[[Address], None],
    stop: asyncio.Event,
) -> None:
    """Serve until told to stop; calls that hang then are ended."""
    async with running(listener, token) as address:
        ready(address)
        await stop.wait()


@asynccontextmanager
async def running(
    listener: socket.socket | None = None,
    token: str = TOKEN,
    testit: TestIt | None = None,
    testio: TestIo | None = None,
    kubernetes: Kubernetes | None = None,
) -> AsyncIterator[Address]:
    """Run a sandbox as long as the context lasts, on a free port unless one is given."""
    listener = listener or bind("127.0.0.1", 0)
    released = asyncio.Event()
    server = _QuietServer(_config(build_app(token, testit, released, testio, kubernetes)))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(START_SECONDS):
            await server.up.wait()
        host, port = listener.getsockname()[:2]
        yield Address(host, port)
    finally:
        released.set()
        server.stop()
        await serving


class _QuietServer(Server):
    """Leaves signals to whoever runs it, says when it is up and stops without delay."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # which renews the Date header
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._stopping.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: Starlette) -> Config:
    return Config(
        app,
        http=AbortableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise NotLoopback(host) from error
    if not address.is_loopback:
        raise NotLoopback(host)
    return address


def _is_ours(path: str) -> bool:
    return path == "/" or path.startswith(PREFIX)


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return refusal(request.url.path, error)


def _refuse_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = f"{request.method} {request.url.path}: {error.detail}"
    return refusal(request.url.path, Refusal(error.status_code, text), error.headers)
