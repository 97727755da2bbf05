"""Many small reads of one server, each on a connection that is kept for the next.

A cycle reads thousands of logs: httpx and its pool would cost more time than all that is done with
them. What is here speaks just as much HTTP/1.1 as a GET needs, and raises what httpx raises.
Proxies are left to httpx.
"""

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies

import httpx
from httptools import HttpParserError, HttpResponseParser

from syncsvc.adapters.calling import CONNECT_SECONDS
from syncsvc.errors import Unavailable
from syncsvc.settings import is_loopback

KEPT = 64  # connections
PORTS = {"http": 80, "https": 443}
PLAIN = ("", "identity")  # codings of a body that needs no decoding

Headers = Sequence[tuple[str, str]]
_VALUE = re.compile(r"[\x20-\x7e]*")


def goes_through_proxy(server: str, proxy: str | None) -> bool:
    """Tell whether httpx would ask a proxy for this server, or might."""
    return proxy is not None or (bool(getproxies()) and not is_loopback(_host(server)))


@dataclass
class QuickReads:
    """Reads of one server; `largest` is the most bytes of an answer. Whoever asks sets a limit."""

    server: str
    trust: ssl.SSLContext | None
    server_name: str | None
    largest: int
    _free: list["_Connection"] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.server)
        self._port = parts.port or PORTS.get(parts.scheme, 0)
        self._prefix = parts.path.rstrip("/")
        self._authority = parts.netloc.rpartition("@")[2]
        self._trust = self.trust if parts.scheme == "https" else None

    async def get(
        self, path: str, params: Sequence[tuple[str, str | int]], headers: Headers
    ) -> tuple[httpx.Response, bytes]:
        """Give an answer and its body; raises what httpx raises when it fails.

        Raises Unavailable for a body that is too large.
        """
        target = f"{self._prefix}{path}?{urlencode(params)}"
        lines = [f"GET {target} HTTP/1.1", f"Host: {self._authority}"]
        lines += [f"{name}: {_checked(value)}" for name, value in headers]
        connection = await self._connection()
        try:
            answer, body = await connection.ask("\r\n".join([*lines, "", ""]).encode())
        except BaseException:
            connection.close()
            raise
        if connection.is_usable and len(self._free) < KEPT:
            self._free.append(connection)
        else:
            connection.close()
        return answer, body

    async def close(self) -> None:
        while self._free:
            self._free.pop().close()

    async def _connection(self) -> "_Connection":
        while self._free:
            connection = self._free.pop()
            if connection.is_usable:
                return connection
        loop = asyncio.get_running_loop()
        name = (self.server_name or _host(self.server)) if self._trust else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self.largest),
                    _host(self.server),
                    self._port,
                    ssl=self._trust,
                    server_hostname=name,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("connecting took too long") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection, on which one answer is waited for at a time."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = None
        self._answer: asyncio.Future[tuple[httpx.Response, bytes]] | None = None
        self._body = bytearray()
        self._headers: list[tuple[bytes, bytes]] = []
        self._may_stay = False

    @property
    def is_usable(self) -> bool:
        """Whether it may be asked again."""
        transport = self._transport
        return self._may_stay and transport is not None and not transport.is_closing()

    async def ask(self, request: bytes) -> tuple[httpx.Response, bytes]:
        if self._transport is None or self._transport.is_closing():
            raise httpx.WriteError("the connection was closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = HttpResponseParser(self)
        self._body, self._headers, self._may_stay = bytearray(), [], False
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            self._answer = None

    def close(self) -> None:
        self._may_stay = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._answer is None:
            self.close()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(httpx.RemoteProtocolError(f"no HTTP: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        why = f": {exc}" if exc else ""
        self._fail(httpx.RemoteProtocolError(f"the server closed the connection{why}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > self._largest:
            self._fail(Unavailable(f"an answer has more than {self._largest} bytes"))

    def on_message_complete(self) -> None:
        parser, answer = self._parser, self._answer
        if parser is None or answer is None or answer.done():
            return
        code, body = parser.get_status_code(), bytes(self._body)
        if 100 <= code < 200:
            return  # the answer itself follows
        self._may_stay = parser.should_keep_alive()
        answer.set_result(_answer(code, self._headers, body))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()


def _answer(
    code: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> tuple[httpx.Response, bytes]:
    """Leave to httpx what is not plain: a body that is coded, headers of a refusal."""
    coding = next((value for name, value in headers if name.lower() == b"content-encoding"), b"")
    if 200 <= code < 300 and coding.decode("latin-1").strip().lower() in PLAIN:
        return httpx.Response(code), body
    answer = httpx.Response(code, headers=headers, content=body)
    return answer, answer.content


def _checked(value: str) -> str:
    if _VALUE.fullmatch(value) is None:
        raise httpx.LocalProtocolError("a header has characters that HTTP does not allow")
    return value


def _host(server: str) -> str:
    return urlsplit(server).hostname or ""
