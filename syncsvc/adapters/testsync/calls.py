"""The calls of one connection, side by side, each answered under its own id."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from syncsvc.adapters.testsync import replies, wire
from syncsvc.coordination.operations.operation import Caller, Operation, Operations
from syncsvc.errors import Rejected, SyncsvcError, Unavailable, Unknown
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

MOST = 1000  # at once

Begin = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Begins a story and owns its task."""


class Asker(Protocol):
    """A connection, as far as its calls know it."""

    def send(self, payload: bytes) -> None: ...

    def complain(self, command: str | None, identity: wire.Id, error: SyncsvcError) -> None:
        """Say what is wrong, if whoever asked can bear it."""
        ...


class Calls:
    """What a connection has asked for and has no answer to yet."""

    def __init__(self, asker: Asker, caller: Caller, operations: Operations, begin: Begin) -> None:
        self._asker = asker
        self._caller = caller
        self._operations = operations
        self._begin = begin
        self._running: dict[object, asyncio.Task[None]] = {}

    def start(self, call: wire.Call) -> None:
        """Carry out a call; its answer comes when it comes."""
        operation = self._operations.get(call.command)
        error = self._objection(operation, call)
        if operation is None or error is not None:
            self._asker.complain(call.command, call.id, error or _unknown(call))
            return
        key = object() if call.id is None else call.id
        task = self._begin(self._carry_out(operation, call))
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))

    def cancel(self, identity: wire.Id) -> None:
        """Give up a call, if it is still under way; it gets no answer."""
        task = self._running.get(identity)
        if task is not None:
            task.cancel()

    def end(self) -> None:
        """Give up all calls."""
        for task in self._running.values():
            task.cancel()

    def _objection(self, operation: Operation | None, call: wire.Call) -> SyncsvcError | None:
        if operation is None:
            return _unknown(call)
        if call.id in self._running:
            return Rejected("id: expected one that no call under way has, found one that has")
        if len(self._running) >= MOST:
            return Unavailable(f"expected at most {MOST} calls at once, found one more")
        return None

    async def _carry_out(self, operation: Operation, call: wire.Call) -> None:
        try:
            reply = await operation.perform(self._caller, call.content)
        except SyncsvcError as error:
            self._asker.send(replies.error(call.command, call.id, error))
        except Exception:  # the outermost frame of a call; whoever asked must not hang
            log.exception("call failed unexpectedly", command=call.command)
            failed = Unavailable("we failed unexpectedly; our log says how")
            self._asker.send(replies.error(call.command, call.id, failed))
        else:
            self._asker.send(replies.result(call.command, call.id, reply))


def _unknown(call: wire.Call) -> Unknown:
    return Unknown(f"command: expected one that exists, found {call.command[:80]!r}")
