"""TestSync's WebSocket port for tests: the real server, small rooms behind it, a raw client."""

import asyncio
import base64
import json
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from syncsvc.adapters.testsync.credentials import Credentials
from syncsvc.adapters.testsync.ports import Rooms
from syncsvc.adapters.testsync.server import TestSyncSockets
from syncsvc.coordination.checkpoints.model import Arrival, Ending, Outcome
from syncsvc.coordination.checkpoints.ports import Waiter
from syncsvc.coordination.connections.memory import MemoryConnections
from syncsvc.coordination.connections.service import SILENT_AFTER, ConnectionCounts
from syncsvc.coordination.names import check_name
from syncsvc.coordination.operations.operation import Operations
from syncsvc.coordination.presence.model import Arriving
from syncsvc.coordination.testdata.memory import MemoryTestData
from syncsvc.errors import Rejected, SyncsvcError
from tests.support.builders import NOON

PATIENCE = 30  # seconds until something that must happen is missed
START_AT = 1795225768334
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@dataclass
class OneShot:
    """Checkpoints that count arrivals and open once, at once."""

    places: dict[tuple[str, str], list[tuple[Arrival, Waiter]]] = field(default_factory=dict)
    opened: set[tuple[str, str]] = field(default_factory=set)
    arrived: list[Arrival] = field(default_factory=list)
    lost: list[Arrival] = field(default_factory=list)
    refusing: SyncsvcError | None = None

    def arrive(self, arrival: Arrival, waiter: Waiter) -> None:
        try:
            _check(arrival)
        except Rejected as error:
            waiter.refuse(error)
            return
        if self.refusing is not None:
            waiter.refuse(self.refusing)
            return
        self.arrived.append(arrival)
        place = (arrival.run, arrival.name)
        if place in self.opened:
            waiter.tell(_outcome(arrival, Ending.LATE, 1))
            return
        waiting = self.places.setdefault(place, [])
        waiting.append((arrival, waiter))
        if len(waiting) >= waiting[0][0].terms.target:
            self.opened.add(place)
            self.end(*place, Ending.RELEASED)

    def end(self, run: str, name: str, ending: Ending, reason: str | None = None) -> None:
        """Tell everybody who waits, all the same."""
        waiting = self.places.pop((run, name))
        outcome = _outcome(waiting[0][0], ending, len(waiting), reason)
        for _, waiter in waiting:
            waiter.tell(outcome)

    def gone(self, arrival: Arrival) -> None:
        self.lost.append(arrival)


def _check(arrival: Arrival) -> None:
    check_name("worker", arrival.worker)
    if len(arrival.name) > 1000:
        raise Rejected(f"identifier: expected at most 1000 characters, found {len(arrival.name)}")


def _outcome(arrival: Arrival, ending: Ending, arrived: int, reason: str | None = None) -> Outcome:
    start_at = START_AT if ending is Ending.RELEASED else None
    return Outcome(
        arrival.run, arrival.name, ending, 1, arrival.terms.target, arrived, start_at, reason
    )


@dataclass
class Attendees:
    """Who joined, left and was beaten for."""

    said: list[tuple[str, str, str]] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    absent: Sequence[str] = ()

    async def join(self, run: str, arriving: Arriving) -> int:
        self._note("join", run, arriving.worker)
        return len(self.said)

    async def leave(self, run: str, worker: str) -> int:
        self._note("leave", run, worker)
        return len(self.said)

    async def beat_all(self, run: str, workers: Sequence[str]) -> Sequence[str]:
        self._note("beat", run, ",".join(sorted(workers)))
        return self.absent

    async def heard(self, *what: str) -> None:
        """Wait until something was said."""
        async with asyncio.timeout(PATIENCE):
            while what not in self.said:
                self.told.clear()
                await self.told.wait()

    def _note(self, what: str, run: str, worker: str) -> None:
        self.said.append((what, run, worker))
        self.told.set()


@dataclass
class Port:
    """A port that is served, and what is behind it."""

    number: int
    sockets: TestSyncSockets
    meetings: OneShot
    data: MemoryTestData
    presence: Attendees
    connections: ConnectionCounts
    clients: list["Raw"] = field(default_factory=list)

    def url(self, path: str = "/register/1") -> str:
        return f"ws://127.0.0.1:{self.number}{path}"


@asynccontextmanager
async def serving(
    credentials: Credentials = Credentials("", ""),  # noqa: B008 - it cannot change
    *,
    api_token: str | None = None,
    strict: bool = False,
    operations: Operations | None = None,
    data: MemoryTestData | None = None,
) -> AsyncIterator[Port]:
    """Serve on a free port of loopback until the end of the block.

    Time does nothing there: a test itself has peers swept and workers beaten for.
    """
    store = MemoryConnections(lambda: NOON, SILENT_AFTER, lambda *_: None)
    counts = ConnectionCounts(store, "gateway")
    meetings, kept, presence = OneShot(), data or MemoryTestData(), Attendees()
    rooms = Rooms(meetings, kept, operations or {}, presence, counts, lambda: NOON, "gateway")
    sockets = TestSyncSockets(rooms, credentials, api_tokens=_tokens(api_token), strict=strict)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)  # noqa: FBT003 - the standard library's signature
    port = Port(listening.getsockname()[1], sockets, meetings, kept, presence, counts)
    await sockets.open([listening])
    work = (sockets._hall.attendance._keep_telling(), counts.tell())
    tending = [asyncio.create_task(each) for each in work]
    try:
        yield port
    finally:
        for client in port.clients:
            client.close()
        await port.sockets.drain()
        for task in tending:
            task.cancel()
        await asyncio.wait(tending)


def _tokens(token: str | None) -> tuple[str, ...] | None:
    return None if token is None else (token,)


def frame(payload: bytes, opcode: int = TEXT, first: int = 0x80, *, masked: bool = True) -> bytes:
    """Give a frame as a client sends it; `first` has FIN and the reserved bits."""
    mask = b"\x37\xfa\x21\x3d"
    bit = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = bytes((first | opcode, bit | size))
    elif size < 65536:
        head = bytes((first | opcode, bit | 126)) + struct.pack("!H", size)
    else:
        head = bytes((first | opcode, bit | 127)) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    repeated = (mask * (size // 4 + 1))[:size]
    whole = int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")
    return head + mask + whole.to_bytes(size, "little")


class Raw:
    """A client that sends bytes as it is told, and shows the frames that come back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: Port) -> "Raw":
        client = cls(*await asyncio.open_connection("127.0.0.1", port.number))
        port.clients.append(client)
        return client

    @classmethod
    async def upgraded(cls, port: Port, path: str = "/register/1") -> "Raw":
        client = await cls.connect(port)
        status, _, _ = await client.ask(path)
        assert status == 101
        return client

    async def ask(
        self, path: str, *lines: str, method: str = "GET", upgrade: bool = True
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request, and give status, headers (names in lower case) and body."""
        wanted = (
            "Connection: keep-alive, Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {KEY}",
        )
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", *lines]
        self.writer.write("\r\n".join([*head, *(wanted if upgrade else ()), "", ""]).encode())
        answer = await self.reader.readuntil(b"\r\n\r\n")
        first, *rest = answer.decode().strip().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in rest)
        }
        status = int(first.split()[1])
        body = b"" if status == 101 else await self.reader.read()
        return status, headers, body

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    def say(self, message: str) -> None:
        self.send(frame(message.encode()))

    async def hear(self, *, pings: bool = False) -> tuple[int, bytes]:
        """Give the opcode and the payload of the next frame, leaving out the server's pings."""
        async with asyncio.timeout(PATIENCE):
            heard = await self._next()
            while heard == (PING, b"ping") and not pings:
                heard = await self._next()
            return heard

    async def told(self) -> Any:
        """Give the next message, read as JSON."""
        opcode, payload = await self.hear()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    async def _next(self) -> tuple[int, bytes]:
        first, size = await self.reader.readexactly(2)
        assert not size & 0x80, "a server masks nothing"
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 0x0F, await self.reader.readexactly(size)

    async def ended(self) -> bool:
        """Wait until the server has closed the TCP connection without another frame."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True

    async def is_usable(self) -> bool:
        """Tell whether the connection still answers."""
        self.say('{"command":"get_connection_count"}')
        return (await self.hear())[1].startswith(b'{"command":"get_connection_count"')

    def close(self) -> None:
        self.writer.close()


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
