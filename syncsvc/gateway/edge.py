"""What happens to every request, whatever it asks for.

It gets an id, which its answer and every log line about it carry; it is timed, counted and
logged in one line; and if we fail unexpectedly, the log says how.
"""

import os
import re
import time
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncsvc.telemetry import get_logger

log = get_logger(__name__)

REQUESTS = Counter("syncsvc_requests_total", "Requests answered.", ["surface", "method", "status"])
SECONDS = Histogram("syncsvc_request_seconds", "Time to the answer.", ["surface"])
SANE_ID = re.compile(rb"[A-Za-z0-9._:/-]{1,100}")
CALLER_LEFT = 499  # nginx's word for it; never sent, only counted


@dataclass
class _Exchange:
    """One request while it is answered."""

    request_id: bytes
    status: int = 0


class Edge:
    """Wraps an application; `surface` names it in logs and metrics."""

    def __init__(self, app: ASGIApp, surface: str) -> None:
        self._app = app
        self._surface = surface
        self._seconds = SECONDS.labels(surface)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(_request_id(scope))
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()  # a connection may carry many requests
        structlog.contextvars.bind_contextvars(request=exchange.request_id.decode())
        try:
            await self._answer(exchange, scope, receive, send)
        finally:
            self._tell(exchange, scope, time.perf_counter() - started)

    async def _answer(
        self, exchange: _Exchange, scope: Scope, receive: Receive, send: Send
    ) -> None:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", exchange.request_id),
                ]
            await send(message)

        try:
            await self._app(scope, receive, stamped)
        except ClientDisconnect:
            exchange.status = CALLER_LEFT
        except Exception:  # the outermost frame of a request; its caller has an answer already
            log.exception("request failed unexpectedly")

    def _tell(self, exchange: _Exchange, scope: Scope, seconds: float) -> None:
        REQUESTS.labels(self._surface, scope["method"], exchange.status).inc()
        self._seconds.observe(seconds)
        log.info(
            "request",
            surface=self._surface,
            method=scope["method"],
            path=scope["path"],
            status=exchange.status,
            ms=round(seconds * 1000, 2),
        )


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_ID.fullmatch(value):
            return bytes(value)
    return os.urandom(12).hex().encode()
