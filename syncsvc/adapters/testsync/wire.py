"""What TestSync's WebSocket messages say: bytes into commands.

A message is read strictly first and, where that fails, as Go reads it, if it is not large.
Agents of one run send the same bytes, so what short messages say is remembered.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from syncsvc.adapters.testsync import golang
from syncsvc.coordination.operations.operation import Request, decode
from syncsvc.errors import Rejected

LONGEST_REMEMBERED = 512  # bytes
MOST_REMEMBERED = 4096  # messages
EXTRAS = frozenset({"worker", "timeout_seconds", "policy", "cyclic", "generation"})

Id = int | str | None


@dataclass(frozen=True, slots=True)
class ReadData:
    """Asks for the run's data."""


@dataclass(frozen=True, slots=True)
class UpdateData:
    """Replaces the run's data by these very bytes."""

    content: bytes
    id: Id = None


@dataclass(frozen=True, slots=True)
class CountConnections:
    """Asks how many connections the run has."""


@dataclass(frozen=True, slots=True)
class Close:
    """Asks for the connection to be dropped."""


class Extras(Request, frozen=True):
    """A wait as our own clients may ask for it."""

    identifier: str = ""
    target_count: int = 0
    worker: str | None = None
    timeout_seconds: float | None = None
    policy: Literal["ignore", "fail", "shrink"] = "ignore"
    cyclic: bool = False
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class WaitCheckpoint:
    """Arrives at a checkpoint; `extras` when it says more than TestSync knows."""

    identifier: str
    target: int
    extras: Extras | None = None
    id: Id = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Gives up the call with this id."""

    id: Id


@dataclass(frozen=True, slots=True)
class Call:
    """Any other command, with its content as it came."""

    command: str
    content: bytes
    id: Id


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be carried out, and why."""

    command: str | None
    id: Id
    error: Rejected


Command = (
    ReadData | UpdateData | CountConnections | Close | WaitCheckpoint | Cancel | Call | Refused
)


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    command: str
    content: msgspec.Raw = msgspec.Raw(b"")
    id: Id = None


class _Spelled(msgspec.Struct, rename={"pascal_command": "Command", "pascal_content": "Content"}):
    """A large message with keys as most libraries write them, and more that nobody reads."""

    command: str | None = None
    content: msgspec.Raw = msgspec.Raw(b"")
    id: msgspec.Raw = msgspec.Raw(b"null")
    pascal_command: str | None = None
    pascal_content: msgspec.Raw = msgspec.Raw(b"")


class _Wait(msgspec.Struct, forbid_unknown_fields=True):
    identifier: str
    target_count: int


ENVELOPE = msgspec.json.Decoder(_Envelope)
SPELLED = msgspec.json.Decoder(_Spelled)
WAIT = msgspec.json.Decoder(_Wait)
SIMPLE: dict[str, Command] = {
    "read_data": ReadData(),
    "get_connection_count": CountConnections(),
    "close": Close(),
}
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Decoder:
    """Reads messages, and remembers the short ones."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[bytes, Command] = {}  # looked up by whoever is in a hurry

    def read(self, payload: bytes) -> Command:
        """Say what a message asks for."""
        command = read(payload)
        if len(payload) <= LONGEST_REMEMBERED and not isinstance(command, Call | Cancel):
            if len(self.known) >= MOST_REMEMBERED:
                self.known.clear()
            self.known[payload] = command
        return command


def read(payload: bytes) -> Command:
    """Say what a message asks for."""
    try:
        strict = ENVELOPE.decode(payload)
    except UNREADABLE:
        return (_read_as_go if len(payload) <= golang.WALKED else _read_spelled)(payload)
    return _command(strict.command, bytes(strict.content), strict.id)


def _read_spelled(payload: bytes) -> Command:
    try:
        spelled = SPELLED.decode(payload)
    except UNREADABLE as error:
        return Refused(
            None, None, Rejected(f"message: expected one, found something else: {error}")
        )
    name = spelled.command or spelled.pascal_command or ""
    content = spelled.content or spelled.pascal_content
    return _command(name, bytes(content), _identity(bytes(spelled.id)))


def _read_as_go(payload: bytes) -> Command:
    name, content, identity = "", b"", None
    try:
        for key, raw in golang.members(payload, "message"):
            if key == "content":
                content = raw
            elif key == "command" and raw != b"null":
                name = golang.text(raw, "command")
            elif key == "id":
                identity = _identity(raw)
    except Rejected as error:
        return Refused(name or None, identity, error)
    return _command(name, content, identity)


def _identity(raw: bytes) -> Id:
    """Read an id; TestSync knows none, so what cannot be one counts as none."""
    try:
        return msgspec.json.decode(raw, type=int | str | None)
    except UNREADABLE:
        return None


def _command(name: str, content: bytes, identity: Id) -> Command:
    if name in SIMPLE:
        return SIMPLE[name]
    if name == "update_data":
        return UpdateData(content, identity)
    if name == "wait_checkpoint":
        return _wait(content, identity)
    if name == "cancel":
        return Cancel(identity)
    return Call(name, content, identity)


def _wait(content: bytes, identity: Id) -> Command:
    try:
        strict = WAIT.decode(content)
        if golang.SMALLEST <= strict.target_count <= golang.LARGEST:
            return WaitCheckpoint(strict.identifier, strict.target_count, id=identity)
    except UNREADABLE:
        pass  # it may be ours, or Go's
    try:
        return _wait_as_ours_or_go(content, identity)
    except Rejected as error:
        return Refused("wait_checkpoint", identity, error)


def _wait_as_ours_or_go(content: bytes, identity: Id) -> WaitCheckpoint:
    found = list(golang.members(content, "content"))
    if any(key in EXTRAS for key, _ in found):
        extras = decode(Extras, content)
        return WaitCheckpoint(extras.identifier, extras.target_count, extras, identity)
    identifier, target = "", 0
    for key, raw in found:
        if raw == b"null":
            continue
        if key == "identifier":
            identifier = golang.text(raw, key)
        elif key == "target_count":
            target = golang.whole(raw, key)
    return WaitCheckpoint(identifier, target, id=identity)
