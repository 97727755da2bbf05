"""A coordination server in this process: our protocol over the real operations and memory twins.

It speaks over links in memory, and over real sockets with `serve`. A test may cut its links, ask
clients to come back, keep it from being reached, and read what it was asked.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_sockets
from websockets.exceptions import ConnectionClosed

from syncsvc.client.link import LinkLost
from syncsvc.coordination.board.memory import MemoryBoard
from syncsvc.coordination.board.service import BoardService
from syncsvc.coordination.checkpoints.memory import MemoryCheckpoints
from syncsvc.coordination.checkpoints.service import Meetings
from syncsvc.coordination.counters.memory import MemoryCounters
from syncsvc.coordination.counters.service import CounterService
from syncsvc.coordination.leases.memory import MemoryLeases
from syncsvc.coordination.leases.model import Lease, LeaseKind
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.operations.board import board_operations
from syncsvc.coordination.operations.checkpoints import checkpoint_operations
from syncsvc.coordination.operations.counters import counter_operations
from syncsvc.coordination.operations.leases import lease_operations
from syncsvc.coordination.operations.operation import Caller, Operation
from syncsvc.coordination.operations.presence import presence_operations
from syncsvc.coordination.operations.topics import topic_operations
from syncsvc.coordination.presence.memory import MemoryAttendances
from syncsvc.coordination.presence.service import PresenceService
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.topics.memory import MemoryTopics
from syncsvc.coordination.topics.service import TopicService
from syncsvc.errors import Conflict, SyncsvcError, Unavailable, Unknown

LIFE = timedelta(hours=1)
RUN = "r1"


def now() -> datetime:
    return datetime.now(UTC)


class Asked(msgspec.Struct):
    """One message of a client."""

    command: str
    id: int | None = None
    content: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def fields(self) -> dict[str, Any]:
        return msgspec.json.decode(self.content)


@dataclass
class Coordination:
    """The rooms, and what was asked of them."""

    signals: Signals = field(default_factory=Signals)
    leases: MemoryLeases = field(init=False)
    operations: dict[str, Operation] = field(init=False)
    scripted: dict[str, object] = field(default_factory=dict)  # answers; None: no answer
    test_data: bytes = b""
    asked: list[Asked] = field(default_factory=list)
    lines: "list[Line]" = field(default_factory=list)
    open: bool = True
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    noted: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        announce = self.signals.announced
        presence = PresenceService(MemoryAttendances(now, announce), self.signals)
        meetings = Meetings(MemoryCheckpoints(announce, now), present=presence.names)
        self.signals.handle("checkpoint", meetings.announced)
        self.leases = MemoryLeases(now, announce)
        tickets = count()
        board = MemoryBoard(now, announce, self._newest_token, LIFE)
        self.operations = {
            **lease_operations(LeaseService(self.leases, self.signals, lambda: str(next(tickets)))),
            **counter_operations(CounterService(MemoryCounters(announce), self.signals)),
            **topic_operations(TopicService(MemoryTopics(now, announce), self.signals)),
            **presence_operations(presence),
            **checkpoint_operations(meetings),
            **board_operations(BoardService(board, self.signals)),
        }

    async def open_link(self, worker: str) -> "Line":
        """Open a link in memory, as a client does."""
        if not self.open:
            raise Unavailable("nobody listens")
        line = Line(self, Caller(RUN, worker))
        self.lines.append(line)
        return line

    def cut(self, *, at_once: bool = False) -> None:
        """Cut every link; what is under way gets no answer."""
        lines, self.lines = self.lines, []
        for line in lines:
            line.cut(at_once=at_once)

    def commands(self, command: str) -> list[dict[str, Any]]:
        """Give the contents with which a command was asked."""
        return [asked.fields for asked in self.asked if asked.command == command]

    async def until_asked(self, command: str, times: int = 1) -> None:
        while len([asked for asked in self.asked if asked.command == command]) < times:
            self.noted.clear()
            async with asyncio.timeout(30):
                await self.noted.wait()

    def note(self, asked: Asked) -> None:
        self.asked.append(asked)
        self.noted.set()

    def _newest_token(self, run: str, kind: str, name: str) -> int:
        permits = self.leases.leases.get(Lease(run, LeaseKind(kind), name))
        return permits.token if permits else 0


class Line:
    """One connection, as both ends see it."""

    def __init__(self, server: Coordination, caller: Caller) -> None:
        self._server = server
        self._caller = caller
        self._to_client: asyncio.Queue[str | bytes | LinkLost] = asyncio.Queue()
        self._lost: LinkLost | None = None
        self._calls: dict[int | None, asyncio.Task[None]] = {}
        self.abandoned = False

    async def send(self, message: bytes) -> None:
        if self._lost is not None:
            raise self._lost
        self.take(msgspec.json.decode(message, type=Asked))

    async def receive(self) -> str | bytes:
        said = await self._to_client.get()
        if isinstance(said, LinkLost):
            raise said
        return said

    async def close(self) -> None:
        self.cut()

    def abandon(self) -> None:
        self.abandoned = True

    def cut(self, *, at_once: bool = False) -> None:
        self._lost = LinkLost("cut", at_once=at_once)
        for call in self._calls.values():
            call.cancel()
        self._to_client.put_nowait(self._lost)

    def say(self, command: str, content: object = None, call: int | None = None) -> None:
        said = {"command": command, "content": content, **({} if call is None else {"id": call})}
        self._to_client.put_nowait(msgspec.json.encode(said).decode())

    def take(self, asked: Asked) -> None:
        self._server.note(asked)
        if asked.command in self._server.scripted:
            answer = self._server.scripted[asked.command]
            if answer is not None:
                self.say(asked.command, answer, asked.id)
        elif asked.command in PLAIN:
            PLAIN[asked.command](self, asked)
        else:
            task = asyncio.create_task(self._carry_out(asked))
            self._calls[asked.id] = task
            task.add_done_callback(lambda _: self._calls.pop(asked.id, None))

    def cancel(self, asked: Asked) -> None:
        if (call := self._calls.get(asked.id)) is not None:
            call.cancel()

    def update_data(self, asked: Asked) -> None:
        self._server.test_data = bytes(asked.content)

    def read_data(self, _asked: Asked) -> None:
        self._to_client.put_nowait(self._server.test_data)

    def count_connections(self, asked: Asked) -> None:
        self.say(asked.command, {"count": len(self._server.lines)})

    async def _carry_out(self, asked: Asked) -> None:
        try:
            operation = self._server.operations.get(asked.command)
            if operation is None:
                raise Unknown(f"command: expected one that exists, found {asked.command!r}")
            reply = await operation.perform(self._caller, asked.content)
        except SyncsvcError as error:
            kinds = {Unknown: "unknown", Conflict: "conflict", Unavailable: "unavailable"}
            kind = kinds.get(type(error), "rejected")
            refusal = {"command": asked.command, "kind": kind, "message": str(error)}
            self.say("error", refusal, asked.id)
        else:
            self.say(asked.command, reply, asked.id)


PLAIN: dict[str, Callable[[Line, Asked], None]] = {
    "cancel": Line.cancel,
    "update_data": Line.update_data,
    "read_data": Line.read_data,
    "get_connection_count": Line.count_connections,
}


@asynccontextmanager
async def serve(server: Coordination) -> AsyncIterator[str]:
    """Serve over real sockets, and give the address."""

    async def converse(connection: ServerConnection) -> None:
        line = _line(server, connection)
        server.lines.append(line)
        speaking = asyncio.create_task(_speak(line, connection))
        try:
            await _listen(line, connection)
        finally:
            line.cut()
            await speaking
            if line in server.lines:
                server.lines.remove(line)

    async with serve_sockets(converse, "127.0.0.1", 0, compression=None) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


def _line(server: Coordination, connection: ServerConnection) -> Line:
    assert connection.request is not None
    parts = urlsplit(connection.request.path)
    (worker,) = parse_qs(parts.query).get("worker", [None])
    return Line(server, Caller(unquote(parts.path.removeprefix("/runs/")), worker))


async def _listen(line: Line, connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        async for message in connection:
            said = message.encode() if isinstance(message, str) else message
            line.take(msgspec.json.decode(said, type=Asked))


async def _speak(line: Line, connection: ServerConnection) -> None:
    try:
        while True:
            await connection.send(await line.receive())
    except LinkLost as lost:
        await connection.close(1012 if lost.at_once else 1011)
    except ConnectionClosed:
        return
