"""Links over WebSocket; the one module that knows the network library."""

import os
import socket as sockets
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.http11 import Response

from syncsvc.client.address import Address
from syncsvc.client.failures import Refused
from syncsvc.client.link import LinkLost
from syncsvc.errors import SyncsvcError, Unavailable

OPEN_TIMEOUT = 10.0  # seconds for one attempt
CLOSE_TIMEOUT = 1.0  # what is lost by an impatient goodbye is sent again anyway
LARGEST = 64 * 2**20  # bytes of one message; a page of a topic may be large
COME_BACK = 1012  # the server restarts


class _OpenHere(open_socket):
    """Goes where it was sent and nowhere else: a redirect may lead credentials astray."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class SocketLink:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: bytes) -> None:
        try:
            await self._connection.send(message, text=True)
        except ConnectionClosed as error:
            raise _lost(error) from error

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise _lost(error) from error

    async def close(self) -> None:
        await self._connection.close()

    def abandon(self) -> None:
        """Put nothing in the place of the socket: closing it would disturb the parent's loop."""
        inherited: sockets.socket = self._connection.transport.get_extra_info("socket")
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, inherited.fileno())
        os.close(nothing)


async def open_link(address: Address, worker: str) -> SocketLink:
    """Connect once.

    Raises Refused when trying again is of no use, Unavailable when it is.
    """
    options: dict[str, Any] = {"proxy": None} if address.is_near else {}
    opening = _OpenHere(
        address.uri(worker),
        additional_headers=address.credentials.headers,
        compression=None,
        open_timeout=OPEN_TIMEOUT,
        close_timeout=CLOSE_TIMEOUT,
        max_size=LARGEST,
        **options,
    )
    try:
        return SocketLink(await opening)
    except InvalidStatus as error:
        raise _turned_away(address, error.response) from error
    except (OSError, InvalidHandshake) as error:
        raise Unavailable(str(error) or type(error).__name__) from error
    except (WebSocketException, UnicodeError, ImportError) as error:  # of the address, or a proxy
        raise Refused(f"{address.server}: {error}") from error


def _turned_away(address: Address, response: Response) -> SyncsvcError:
    status = response.status_code
    if status >= 500 or status == 429:
        return Unavailable(f"{address.server} answered {status}")
    said = bytes(response.body or b"")[:500].decode(errors="replace").strip()
    return address.refusal(status, response.headers.get("Location"), said)


def _lost(error: ConnectionClosed) -> LinkLost:
    at_once = error.rcvd is not None and error.rcvd.code == COME_BACK
    return LinkLost(str(error), at_once=at_once)
