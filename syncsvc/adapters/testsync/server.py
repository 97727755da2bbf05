"""TestSync's WebSocket port: sockets in, connections kept, everybody sent away at the end."""

import asyncio
import logging
import socket
import sys
from collections.abc import Collection
from typing import Any

from picows import (
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from syncsvc.adapters.testsync import replies
from syncsvc.adapters.testsync.connection import Connection
from syncsvc.adapters.testsync.credentials import Credentials
from syncsvc.adapters.testsync.hall import SLICES, Hall
from syncsvc.adapters.testsync.handshake import Admission, Door, NotAdmitted
from syncsvc.adapters.testsync.ports import Rooms
from syncsvc.adapters.testsync.socket import LARGEST_MESSAGE
from syncsvc.errors import Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

PING_EVERY = 10.0  # seconds, as TestSync does
HANDSHAKE_WITHIN = 30.0  # seconds, as TestSync allows
READ_BUFFER = 2048  # bytes; it grows with the messages of a connection
BACKLOG = 4096
DRAIN_WITHIN = 2.0  # seconds
LEAVING = "this gateway is going away"


class TestSyncSockets:
    """Serves the WebSocket side of TestSync on sockets it is given."""

    __test__ = False  # pytest takes it for tests by its name

    def __init__(
        self,
        rooms: Rooms,
        credentials: Credentials,
        *,
        api_tokens: Collection[str] | None,
        strict: bool,
    ) -> None:
        self._door = Door(credentials, api_tokens)
        self._hall = Hall(rooms, strict=strict)
        self._servers: list[asyncio.Server] = []

    async def open(self, sockets: list[socket.socket]) -> None:
        """Serve on sockets that are bound and listen."""
        for opened in sockets:
            server = await ws_create_server(
                self._admit,
                sock=opened,
                backlog=BACKLOG,
                websocket_handshake_timeout=HANDSHAKE_WITHIN,
                logger_name=QUIET,
                enable_auto_pong=False,
                max_frame_size=LARGEST_MESSAGE,
                read_buffer_init_size=READ_BUFFER,
            )
            self._servers.append(server)

    async def tend(self) -> None:
        """Ping peers, drop those that are gone, say who is present, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_sweeping())
            tasks.create_task(self._hall.attendance.keep())

    @property
    def connected(self) -> int:
        """How many connections stand."""
        return len(self._hall.members())

    async def drain(self) -> None:
        """Send everybody away, and return once they are gone."""
        for server in self._servers:
            server.close()
        self._hall.closing = True
        message = replies.reconnect(LEAVING)
        for member in self._hall.members():
            if member.extended:
                member.send(message)
            member.close(1012, LEAVING)
        await self._all_gone()
        await self._hall.stories_told(DRAIN_WITHIN)
        await self._tell_counts()

    def sweep(self) -> None:
        """Ping the next part of all connections, and drop those whose peers are gone."""
        self._hall.sweep()

    async def beat(self) -> None:
        """Say that the workers whose connections stand are here."""
        await self._hall.attendance.beat_now()

    async def _all_gone(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_WITHIN):
                await self._hall.empty.wait()
        except TimeoutError:
            for member in self._hall.members():
                member.drop()
            await self._hall.empty.wait()

    async def _tell_counts(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_WITHIN):
                await self._hall.rooms.connections.tell_now()
        except (Unavailable, TimeoutError) as error:  # the others find out by our silence
            log.warning("connection counts not told", reason=str(error))

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY / SLICES)
            self.sweep()

    def _admit(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        try:
            admission = self._door.admit(request)
        except NotAdmitted as no:
            return WSUpgradeResponseWithListener(no.response, None)
        return self._seat(admission)

    def _seat(self, admission: Admission) -> WSListener:
        if self._hall.closing:
            return _TurnedAway(1012, LEAVING)
        if admission.run is None:
            return _TurnedAway(1008, "testID: expected an integer of 64 bits, found a larger one")
        return Connection(self._hall, admission, admission.run)


class _TurnedAway(WSListener):
    """A connection that ends as soon as it stands."""

    def __init__(self, code: int, reason: str) -> None:
        self._goodbye = code.to_bytes(2) + reason.encode()

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.CLOSE, self._goodbye)
        transport.disconnect()


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """picows' log without a line, or a logger, for each connection; its failures are logged."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the standard library's name
        return level > logging.ERROR and super().isEnabledFor(level)

    def exception(self, msg: object, *args: Any, **_: Any) -> None:
        self.logger.error(msg, *args, exc_info=sys.exc_info())


QUIET = _Quiet(logging.getLogger("picows"))
