"""A lean WebSocket client: enough of it to play thousands of agents from one process.

It speaks to the engine as any client does and leaves out what a test does not need: it masks
with zeros, reads whole text frames only, and never reconnects by itself.
"""

import asyncio
import json
import struct
from collections.abc import Mapping
from itertools import count
from typing import Any, ClassVar, Self
from urllib.parse import quote

CONNECTING = 30.0  # seconds
ANSWERING = 30.0
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Refused(Exception):
    """The gateway answered with an error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


class Agent(asyncio.Protocol):
    """One connection to a run, as a worker; its calls go side by side."""

    living: ClassVar[set["Agent"]] = set()  # those whose connections stand

    def __init__(self, run: str, worker: str | None) -> None:
        loop = asyncio.get_running_loop()
        self.worker = worker
        self.open: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.unasked: list[Any] = []  # messages that answer no call
        self._path = f"/runs/{quote(run, safe='')}" + (f"?worker={quote(worker)}" if worker else "")
        self._buffer = bytearray()
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._numbers = count(1)
        self._transport: asyncio.Transport

    @classmethod
    async def connect(cls, port: int, run: str, worker: str | None = None) -> Self:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECTING):
            _, agent = await loop.create_connection(lambda: cls(run, worker), "127.0.0.1", port)
            await agent.open
        return agent

    async def call(self, command: str, *, within: float = ANSWERING, **content: Any) -> Any:
        """Give the answer. Raises Refused, or ConnectionError when the connection is lost."""
        async with asyncio.timeout(within):
            return await self.begin(command, **content)

    def begin(self, command: str, **content: Any) -> asyncio.Future[Any]:
        """Send a call and give its answer to come."""
        number = next(self._numbers)
        answer = self._calls[number] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_seen)
        answer.add_done_callback(lambda _: self._calls.pop(number, None))
        if self.closed.done():
            answer.set_exception(ConnectionResetError("the connection is closed"))
            return answer
        self.send(json.dumps({"command": command, "id": number, "content": content}).encode())
        return answer

    def send(self, payload: bytes, opcode: int = TEXT) -> None:
        self._transport.write(frame(payload, opcode))

    def cut(self) -> None:
        """Drop the connection as a killed process does: without a word."""
        self._transport.abort()

    def stop_reading(self) -> None:
        self._transport.pause_reading()

    def read_on(self) -> None:
        self._transport.resume_reading()

    async def close(self) -> None:
        self._transport.abort()
        await self.closed

    @classmethod
    async def close_all(cls) -> None:
        """Close what a test has left open."""
        for agent in list(cls.living):
            await agent.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.living.add(self)
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {KEY}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.open.done():
            self._upgrade()
        while (message := self._next_frame()) is not None:
            opcode, payload = message
            self._receive(opcode, payload)

    def connection_lost(self, exc: Exception | None) -> None:
        self.living.discard(self)
        lost = ConnectionResetError(f"the connection was lost: {exc}")
        if not self.open.done():
            self.open.set_exception(lost)
        for answer in list(self._calls.values()):
            if not answer.done():
                answer.set_exception(lost)
        self.closed.set_result(None)

    def _upgrade(self) -> None:
        head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 101"):
            self.open.set_exception(ConnectionError(f"no upgrade: {bytes(self._buffer)!r}"))
            self._transport.abort()
            return
        self._buffer[:] = rest
        self.open.set_result(None)

    def _next_frame(self) -> tuple[int, bytes] | None:
        if not self.open.done() or len(self._buffer) < 2:
            return None
        size, start = self._buffer[1], 2
        if size >= 126:
            width, shape = (2, ">H") if size == 126 else (8, ">Q")
            if len(self._buffer) < start + width:
                return None
            (size,) = struct.unpack_from(shape, self._buffer, start)
            start += width
        if len(self._buffer) < start + size:
            return None
        opcode, payload = self._buffer[0] & 0xF, bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return opcode, payload

    def _receive(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self._take(json.loads(payload))
        elif opcode == PING:
            self.send(payload, PONG)
        elif opcode == CLOSE:
            self.send(payload, CLOSE)
            self._transport.close()

    def _take(self, message: Mapping[str, Any]) -> None:
        answer = self._calls.get(message.get("id") or 0)
        if answer is None or answer.done():
            self.unasked.append(message)
        elif message["command"] == "error":
            content = message["content"]
            answer.set_exception(Refused(content["kind"], content["message"]))
        else:
            answer.set_result(message["content"])


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Give a client's frame, masked with zeros."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def _seen(answer: asyncio.Future[Any]) -> None:
    """A test need not look at every answer that did not come."""
    if not answer.cancelled():
        answer.exception()
