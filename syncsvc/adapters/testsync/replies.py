"""What we say over TestSync's WebSocket, byte for byte as the Go server writes it."""

from functools import lru_cache
from typing import Any

import msgspec

from syncsvc.adapters.testsync.wire import Id
from syncsvc.coordination.checkpoints.model import Ending, Outcome
from syncsvc.errors import Conflict, SyncsvcError, Unavailable, Unknown

ENCODE = msgspec.json.Encoder().encode
OPENED = frozenset({Ending.RELEASED, Ending.LATE})
ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


class _Error(msgspec.Struct):
    command: str | None
    kind: str
    message: str


class _Message(msgspec.Struct, omit_defaults=True):
    command: str
    id: Id = None
    content: Any = msgspec.UNSET


class _Extended(msgspec.Struct):
    outcome: str
    generation: int
    arrived: int
    target: int
    reason: str | None
    broken_by: list[str]
    start_in_ms: int | None


@lru_cache(maxsize=4096)
def connection_count(count: int) -> bytes:
    """Answer get_connection_count."""
    return b'{"command":"get_connection_count","content":{"count":%d}}' % count


def outcome(ended: Outcome) -> bytes:
    """Tell the end of a wait as TestSync does; it knows releases only."""
    return b'{"command":"wait_checkpoint","content":{%b}}' % _plain(ended)


def extended(ended: Outcome) -> bytes:
    """Tell the end of a wait, and all that we know of it."""
    more = ENCODE(
        _Extended(
            ended.ending,
            ended.generation,
            ended.arrived,
            ended.target,
            ended.reason,
            list(ended.broken_by),
            ended.start_in_ms,
        )
    )
    return b'{"command":"wait_checkpoint","content":{%b,%b}' % (_plain(ended), more[1:])


def result(command: str, identity: Id, content: Any) -> bytes:
    """Answer a call."""
    return ENCODE(_Message(command, identity, content))


def error(command: str | None, identity: Id, cause: SyncsvcError) -> bytes:
    """Say why something was not done."""
    shown = command if command is None else command[:80]
    return ENCODE(_Message("error", identity, _Error(shown, _kind(cause), str(cause))))


def reconnect(reason: str) -> bytes:
    """Ask an agent to come back."""
    return ENCODE(_Message("reconnect", None, {"reason": reason}))


def _plain(ended: Outcome) -> bytes:
    if ended.ending is Ending.LATE:
        late = b'"command":"wait_checkpoint","identifier":%b,"finished":true'
        return late % _text(ended.name)
    start_at = b"" if ended.start_at is None else b',"start_at":%d' % ended.start_at
    finished = b"true" if ended.ending is Ending.RELEASED else b"false"
    return b'"identifier":%b,"finished":%b%b' % (_text(ended.name), finished, start_at)


def _text(said: str) -> bytes:
    written = ENCODE(said)
    for plain, escaped in ESCAPES:
        written = written.replace(plain, escaped)
    return written


def _kind(cause: SyncsvcError) -> str:
    if isinstance(cause, Unknown):
        return "unknown"
    if isinstance(cause, Conflict):
        return "conflict"
    return "unavailable" if isinstance(cause, Unavailable) else "rejected"
