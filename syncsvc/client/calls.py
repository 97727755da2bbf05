"""One question to the server, with its one answer; it may be asked again over another link."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from syncsvc.client.failures import error_of
from syncsvc.errors import SyncsvcError, Unavailable

BINARY = "binary"  # what is no text


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the server may take, the field by which it is told, and the least of it."""

    field: str
    seconds: float
    least: float = 0.0

    def left(self, passed: float) -> float:
        return round(max(self.seconds - passed, self.least), 3)


@dataclass(frozen=True, slots=True)
class Question:
    """A command with its content; asking it twice does no more than asking it once.

    TestSync's own commands are answered without an id, in their order: `answer` is how one
    of them is known, and `first` what is to be done before it, which has no answer at all.
    """

    command: str
    content: Mapping[str, Any] = field(default_factory=dict)
    wait: Wait | None = None
    answer: str | None = None
    first: tuple[str, msgspec.Raw] | None = None


@dataclass(eq=False, slots=True)
class Call:
    """A question under way."""

    id: int
    question: Question
    since: float
    answer: asyncio.Future[bytes]

    def frames(self, now: float) -> Iterator[bytes]:
        """Say it, with what is left of its wait."""
        asked = self.question
        if asked.first is not None:
            yield frame(asked.first[0], self.id, asked.first[1])
        if asked.answer is not None:
            yield frame(asked.command, self.id)
            return
        content = dict(asked.content)
        if asked.wait is not None:
            content[asked.wait.field] = asked.wait.left(now - self.since)
        yield frame(asked.command, self.id, content)

    def settle(self, said: "bytes | Refusal") -> None:
        """Answer it, unless it is answered or given up."""
        if isinstance(said, Refusal):
            self.fail(said.error)
        elif not self.answer.done():
            self.answer.set_result(said)

    def fail(self, error: SyncsvcError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def abandon(self) -> None:
        """Nobody waits for the answer any more."""
        if not self.answer.cancel() and not self.answer.cancelled():
            self.answer.exception()  # it came just now; asyncio need not warn of it


class Message(msgspec.Struct, frozen=True):
    """What the server says: an answer has the id of its question."""

    command: str
    id: int | None = None
    content: msgspec.Raw = msgspec.Raw(b"{}")


class Refusal(msgspec.Struct, frozen=True):
    message: str
    kind: str = "rejected"
    command: str | None = None

    @property
    def error(self) -> SyncsvcError:
        return error_of(self.kind, self.message)


_messages = msgspec.json.Decoder(Message)
_refusals = msgspec.json.Decoder(Refusal)


def read(text: str) -> Message:
    """Raises Unavailable for what is no message: then it is not a server of ours."""
    try:
        return _messages.decode(text)
    except msgspec.DecodeError as error:
        raise _strange(text) from error


def refusal(message: Message) -> Refusal | None:
    """Give why a question was refused; None for an answer. Raises Unavailable as `read` does."""
    if message.command != "error":
        return None
    try:
        return _refusals.decode(message.content)
    except msgspec.DecodeError as error:
        raise _strange(bytes(message.content).decode(errors="replace")) from error


def frame(command: str, call: int, content: object = None) -> bytes:
    said: dict[str, Any] = {"command": command, "id": call}
    if content is not None:
        said["content"] = content
    return msgspec.json.encode(said)


def _strange(said: str) -> Unavailable:
    return Unavailable(f"the server said what we do not understand: {said[:80]!r}")
