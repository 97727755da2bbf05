"""Says what a client says, byte for byte, and hears what it is answered.

A request is its lines as they stand on the wire, in their order and casing, and its body; the
head and the body are sent apart, as most clients do. Requests of one number share a connection.
In between stand the names that differ from run to run: <run>, <host>, <url>, <token>,
<worker-1>, <length>.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

LONGEST = 60  # seconds until an answer is given up
BREATH = 0.002  # seconds between head and body, so that they arrive apart


@dataclass(frozen=True)
class Request:
    connection: int
    head: tuple[str, ...]
    body: str = ""

    @property
    def path(self) -> str:
        return self.head[0].split()[1].partition("?")[0]

    def header(self, name: str) -> str:
        """Give a header's value, whatever the casing of its name; none is empty."""
        found = [line.partition(": ")[2] for line in self.head if _names(line, name)]
        return found[0] if found else ""


@dataclass(frozen=True)
class Session:
    """All that a client said, and whether its headers were recorded or inferred."""

    client: str
    headers: str  # "recorded", or "inferred" and why
    requests: tuple[Request, ...]

    def __str__(self) -> str:
        return self.client


@dataclass(frozen=True)
class Answer:
    request: Request
    status_line: str
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Wire:
    """A client's connections to Sync Storage, kept for as long as the client keeps them."""

    port: int
    run: str
    host: str = "127.0.0.1"
    url: str = "http://127.0.0.1:9"  # where nobody listens
    _open: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=dict
    )

    async def replay(self, session: Session) -> list[Answer]:
        return [await self.say(request) for request in session.requests]

    async def say(self, request: Request) -> Answer:
        """Send one request and read its answer; see that a connection ends only if asked to."""
        reader, writer = await self._connection(request.connection)
        head, body = self.raw(request)
        started = time.monotonic()
        writer.write(head)
        if body:
            await asyncio.sleep(BREATH)
            writer.write(body)
        answer = await asyncio.wait_for(hear(request, reader), LONGEST)
        seconds = time.monotonic() - started
        if request.header("connection").lower() == "close":
            assert await asyncio.wait_for(reader.read(), LONGEST) == b""
            writer.close()
            del self._open[request.connection]
        return Answer(request, *answer, seconds)

    def raw(self, request: Request) -> tuple[bytes, bytes]:
        """Give a request's head and body as they go over the wire."""
        body = self._named(request.body).encode()
        length = str(len(body))
        lines = [self._named(line).replace("<length>", length) for line in request.head]
        if "chunked" in request.header("transfer-encoding"):
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return "\r\n".join([*lines, "", ""]).encode(), body

    def still_open(self) -> list[int]:
        return [number for number, (reader, _) in self._open.items() if not reader.at_eof()]

    async def close(self) -> None:
        for _, writer in self._open.values():
            writer.close()

    async def _connection(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if number not in self._open:
            self._open[number] = await asyncio.open_connection(self.host, self.port)
        return self._open[number]

    def _named(self, said: str) -> str:
        names = {
            "<run>": self.run,
            "<host>": f"localhost:{self.port}",
            "<url>": self.url,
            "<token>": "tok123",
        }
        for name, value in names.items():
            said = said.replace(name, value)
        return re.sub(r"<worker-(\d)>", r"worker-140561896254336-179522514\1", said)


async def hear(request: Request, reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Read an answer: its status line, its headers in lower case, its body; 100 is passed over."""
    status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    if status_line.split()[1] == "100":
        return await hear(request, reader)
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return status_line, headers, await reader.readexactly(int(headers["content-length"]))


def _names(line: str, name: str) -> bool:
    return line.lower().startswith(f"{name}: ")
