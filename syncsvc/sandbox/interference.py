"""Carries out what the switchboard decides: an ASGI layer around any sandbox."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncsvc.sandbox.faults import AnyRule, Hang, Reset, Status, Switchboard
from syncsvc.sandbox.kubernetes.status import told_to_refuse
from syncsvc.sandbox.replies import K8S, Refusal, refusal

STRUCK = "sandbox.fault"  # where the scope tells which kind of fault the call met
_ABORT = "sandbox.abort"
_NO_LINGER = struct.pack("ii", 1, 0)  # closing discards what is unsent: the peer gets a reset


class AbortableProtocol(HttpToolsProtocol):
    """HTTP whose applications may tear the connection down, which ASGI has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_ABORT: {"abort": self._abort}}

    def _abort(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):  # the client has closed it already
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


@dataclass
class Interference:
    """Delays calls and lets them go wrong; `exempt` paths are left in peace."""

    app: ASGIApp
    switchboard: Switchboard
    exempt: Callable[[str], bool]
    released: asyncio.Event = field(default_factory=asyncio.Event)  # ends every wait at once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.exempt(scope["path"]):
            await self.app(scope, receive, send)
            return
        if self.switchboard.plan.latency:
            await self._wait(self.switchboard.plan.latency)
        query = scope.get("query_string", b"").decode("latin-1")
        rule = self.switchboard.strike(scope["method"], scope["path"], query)
        if rule is None:
            await self.app(scope, receive, send)
            return
        scope[STRUCK] = type(rule).__struct_config__.tag
        await self._misbehave(rule, scope, receive, send)

    async def _misbehave(self, rule: AnyRule, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(rule, Status):
            await _refusal(rule, scope["path"])(scope, receive, send)
            return
        if not isinstance(rule, Hang | Reset):
            await self.app(scope, receive, _swallow)
        if not isinstance(rule, Reset):
            await self._hold(rule.seconds, receive)
        await abort(scope, receive)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.released.wait()

    async def _hold(self, seconds: float, receive: Receive) -> None:
        """Hold a call for its time, until its client has gone or until all are released."""
        waits = {asyncio.ensure_future(self._wait(seconds)), asyncio.ensure_future(_gone(receive))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    """Read on until the client is no longer there."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _swallow(message: Message) -> None:
    """Take a part of an answer and send nothing."""


async def abort(scope: Scope, receive: Receive) -> None:
    """Tear the connection of a call down."""
    extension = scope.get("extensions", {}).get(_ABORT)
    if extension is None:
        raise ConnectionResetError("this server cannot tear a connection down")
    extension["abort"]()
    await _gone(receive)


def _refusal(rule: Status, path: str) -> Response:
    headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    if path.startswith(K8S):
        return told_to_refuse(path, rule.code, headers)
    error = Refusal(rule.code, "the sandbox was told to refuse this call")
    return refusal(path, error, headers)
