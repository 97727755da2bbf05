"""An operation is one command: its name, the shape of what it takes, and what carries it out.

Each is one question with one answer; those that may wait say so with `wait_seconds`, so a
long-poll over HTTP and a call over WebSocket are the same thing.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from syncsvc.coordination.names import check_name
from syncsvc.errors import Rejected

LONGEST_WAIT = 3600.0  # seconds; whoever wants more asks again


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a command takes; `worker` is who asks, when the connection does not say it."""


class Reply(msgspec.Struct, frozen=True, omit_defaults=False):
    """What a command answers."""


AnyRequest = TypeVar("AnyRequest", bound=Request)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a run, and the worker's name if the connection has one."""

    run: str
    worker: str | None = None

    def named(self, worker: str | None) -> str:
        """Give the worker's name. Raises Rejected when there is none."""
        name = worker or self.worker
        if name is None:
            raise Rejected("worker: expected the name of the worker that asks, found none")
        return check_name("worker", name)


@dataclass(frozen=True)
class Operation:
    """One command, such as `lock.acquire`."""

    name: str
    summary: str  # one sentence, for the reference and OpenAPI
    takes: type[Request]
    gives: type[Reply]
    carry_out: Callable[[Caller, Any], Awaitable[Reply]]

    async def perform(self, caller: Caller, content: bytes | msgspec.Raw) -> Reply:
        """Carry out the command on its JSON content.

        Raises Rejected that names the field, Conflict, Unknown or Unavailable.
        """
        return await self.carry_out(caller, decode(self.takes, content))


Operations = Mapping[str, Operation]


def table(*operations: Operation) -> dict[str, Operation]:
    return {operation.name: operation for operation in operations}


def decode(shape: type[AnyRequest], content: bytes | msgspec.Raw) -> AnyRequest:
    """Read JSON into a request.

    Raises Rejected that names the field, what was found and what was expected.
    """
    try:
        return msgspec.json.decode(content or b"{}", type=shape)
    except msgspec.ValidationError as error:
        raise Rejected(_explain(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"content: expected JSON, found something else: {error}") from error


def _explain(said: str) -> str:
    """Turn msgspec's words into ours: the field first."""
    what, _, path = said.partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    inside = f"{field}." if field else ""
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", what):
        return f"{inside}{missing[1]}: expected a value, found none"
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        return f"{inside}{unknown[1][:80]}: no such field"
    found = what[:1].lower() + what[1:]
    return f"{field or 'content'}: {found.replace('got', 'found')}"
