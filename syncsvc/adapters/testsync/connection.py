"""One agent's connection to a run: its commands are carried out in the order they came in.

What is asked for most is answered at once, without a task. A command that must wait for the
run's data begins a backlog, in which whatever the agent says next queues behind it.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from picows import WSTransport

from syncsvc.adapters.testsync import replies, wire
from syncsvc.adapters.testsync.backlog import Backlog
from syncsvc.adapters.testsync.calls import Calls
from syncsvc.adapters.testsync.hall import Hall
from syncsvc.adapters.testsync.handshake import Admission
from syncsvc.adapters.testsync.replies import connection_count
from syncsvc.adapters.testsync.socket import BINARY, Socket
from syncsvc.adapters.testsync.waits import (
    COMMAND,
    NamedWait,
    PlainWait,
    Releases,
    named_arrival,
    plain_arrival,
)
from syncsvc.coordination.connections.service import Tally
from syncsvc.coordination.operations.operation import Caller
from syncsvc.errors import SyncsvcError


class Connection(Socket):
    """An agent's connection."""

    __slots__ = (
        "_arrivals",
        "_backlog",
        "_calls",
        "_hall",
        "_known",
        "errors",
        "extended",
        "run",
        "session",
        "tally",
        "waits",
        "worker",
    )

    def __init__(self, hall: Hall, admission: Admission, run: str) -> None:
        super().__init__()
        self._hall = hall
        self._known = hall.decoder.known  # at hand: it is asked for each message
        self._arrivals = 0
        self._backlog: Backlog | None = None
        self._calls: Calls | None = None
        self.run = run
        self.worker = admission.worker
        wanted = admission.errors
        self.errors = (admission.ours or not hall.strict) if wanted is None else wanted
        self.extended = admission.ours or admission.worker is not None
        self.waits: set[PlainWait | NamedWait] = set()
        self.session: str
        self.tally: Tally

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self._hall.enter(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        super().on_ws_disconnected(transport)
        if self._calls is not None:
            self._calls.end()
        self._hall.leave(self)

    def receive(self, payload: bytes) -> None:
        """Carry out a message, after those before it."""
        command = self._known.get(payload) or self._hall.decoder.read(payload)
        if self._backlog is None:
            ACTIONS[type(command)](self, command)
        else:
            self._backlog.add(command, len(payload))

    def complain(self, command: str | None, identity: wire.Id, error: SyncsvcError) -> None:
        """Say what is wrong, to whoever asked with an id or can bear what TestSync never says."""
        if self.errors or identity is not None:
            self.send(replies.error(command, identity, error))

    @property
    def releases(self) -> Releases:
        return self._hall.releases

    # What can be done at once.

    def count(self, command: wire.CountConnections) -> None:
        tally = self.tally
        if tally.known:
            self._tell_count(tally)
        else:
            self.begin(command)

    def wait(self, command: wire.WaitCheckpoint) -> None:
        self._arrivals += 1
        session = f"{self.session}-{self._arrivals}"
        if command.extras is None and self.worker is None:
            arrival = plain_arrival(self.run, session, command)
            self._arrive(PlainWait(self, arrival, command.id))
        else:
            self._arrive_named(session, command)

    def call(self, command: wire.Call) -> None:
        self.extended = self.extended or command.id is not None
        if self._calls is None:
            hall, caller = self._hall, Caller(self.run, self.worker)
            self._calls = Calls(self, caller, hall.rooms.operations, hall.own)
        self._calls.start(command)

    def cancel(self, command: wire.Cancel) -> None:
        if self._calls is not None:
            self._calls.cancel(command.id)

    def refuse(self, command: wire.Refused) -> None:
        self.complain(command.command, command.id, command.error)

    def drop_when_asked(self, _: wire.Close) -> None:
        self.open = False
        self.transport.disconnect()

    def _tell_count(self, tally: Tally) -> None:
        total = tally.total
        self.send(connection_count(total.ever if self._hall.strict else total.live))

    def _arrive_named(self, session: str, command: wire.WaitCheckpoint) -> None:
        self.extended = True
        try:
            arrival = named_arrival(self.run, session, self.worker, command)
        except SyncsvcError as error:
            self.send(replies.error(COMMAND, command.id, error))
            return
        self._arrive(NamedWait(self, arrival, command.id))

    def _arrive(self, wait: PlainWait | NamedWait) -> None:
        meetings = self._hall.rooms.meetings
        self.waits.add(wait)
        meetings.arrive(wait.arrival, wait)
        if not self.open and wait in self.waits:  # it queued, and its agent left meanwhile
            self.waits.discard(wait)
            meetings.gone(wait.arrival)

    # What may have to wait.

    def begin(self, command: wire.Command) -> None:
        """Begin a backlog with this command."""
        self._backlog = Backlog(self, command)
        self._hall.own(self._backlog.work_off())

    async def carry_out(self, command: wire.Command) -> None:
        """Carry out a command of the backlog; of an agent that left, what others rely on."""
        if not self.open and not isinstance(command, wire.UpdateData | wire.WaitCheckpoint):
            return
        slow = SLOW.get(type(command))
        if slow is None:
            ACTIONS[type(command)](self, command)
        else:
            await slow(self, command)

    async def read_data(self, _: wire.ReadData) -> None:
        try:
            content = await self._hall.rooms.data.read(self.run)
        except SyncsvcError as error:
            self.complain("read_data", None, error)
            return
        self.send(content or b"", BINARY)

    async def update_data(self, command: wire.UpdateData) -> None:
        rooms = self._hall.rooms
        try:
            await rooms.data.replace(self.run, command.content, rooms.clock())
        except SyncsvcError as error:
            self.complain("update_data", command.id, error)

    async def count_when_known(self, _: wire.CountConnections) -> None:
        await self.tally.wait_until_known()
        self._tell_count(self.tally)

    def is_alive(self) -> bool:
        if self._backlog is not None and self.open:  # it may be unread because we are slow
            self._silent = 0
        return super().is_alive()

    def backlog_ended(self) -> None:
        self._backlog = None

    def pause_reading(self) -> None:
        if self.open:
            self.transport.underlying_transport.pause_reading()

    def resume_reading(self) -> None:
        if self.open:
            self.transport.underlying_transport.resume_reading()


ACTIONS: dict[type, Callable[[Connection, Any], None]] = {
    wire.ReadData: Connection.begin,
    wire.UpdateData: Connection.begin,
    wire.CountConnections: Connection.count,
    wire.WaitCheckpoint: Connection.wait,
    wire.Close: Connection.drop_when_asked,
    wire.Call: Connection.call,
    wire.Cancel: Connection.cancel,
    wire.Refused: Connection.refuse,
}
SLOW: dict[type, Callable[[Connection, Any], Coroutine[Any, Any, None]]] = {
    wire.ReadData: Connection.read_data,
    wire.UpdateData: Connection.update_data,
    wire.CountConnections: Connection.count_when_known,
}
