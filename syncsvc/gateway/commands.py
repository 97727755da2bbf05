"""Every command of a run over HTTP: one POST is one question and gets one answer.

A command that waits is a long-poll: it ends with its `wait_seconds`, or at once when the client
hangs up, which takes back what was queued for it, and when this process stops.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from structlog.contextvars import bind_contextvars

from syncsvc.bodies import read_body
from syncsvc.coordination.names import check_name
from syncsvc.coordination.operations.operation import Caller, Operation, Operations, Reply
from syncsvc.errors import Rejected, Unavailable, Unknown

LARGEST_BODY = 2 * 1024 * 1024
JSON = "application/json"
SHORT = 0.2  # seconds that a stopping process gives to what is nearly done

Answer = TypeVar("Answer")


class CommandView(msgspec.Struct):
    command: str
    summary: str


class CommandList(msgspec.Struct):
    commands: list[CommandView]


class Commands:
    """Answers commands from the operations that carry them out."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self._under_way: set[asyncio.Future[Reply]] = set()

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/v1/commands", self.list, methods=["GET"]),
            Route("/api/v1/runs/{run:path}/{command}", self.carry_out, methods=["POST"]),
        ]

    async def list(self, _request: Request) -> Response:
        views = [CommandView(name, each.summary) for name, each in sorted(self.operations.items())]
        return Response(msgspec.json.encode(CommandList(views)), media_type=JSON)

    async def carry_out(self, request: Request) -> Response:
        operation = self._operation(request.path_params["command"])
        caller = Caller(check_name("run", request.path_params["run"]), _worker(request))
        bind_contextvars(run=caller.run, command=operation.name)
        body = await read_body(request, LARGEST_BODY)
        reply = await self._answer(request, operation.perform(caller, body))
        return Response(msgspec.json.encode(reply), media_type=JSON)

    async def drain(self) -> None:
        """The process stops: whoever waits long is told to ask again, at another gateway."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=SHORT)
        for answer in self._under_way:
            answer.cancel()

    async def _answer(self, request: Request, performing: Coroutine[Any, Any, Reply]) -> Reply:
        answer = asyncio.ensure_future(performing)
        self._under_way.add(answer)
        try:
            return await while_connected(request, answer)
        finally:
            self._under_way.discard(answer)

    def _operation(self, command: str) -> Operation:
        operation = self.operations.get(command)
        if operation is None:
            near = get_close_matches(command[:80], self.operations, n=3, cutoff=0.5)
            such = f", such as {' or '.join(near)}" if near else ""
            raise Unknown(
                f"command: expected one of GET /api/v1/commands{such}, found {command[:80]!r}"
            )
        return operation


async def while_connected(request: Request, answer: asyncio.Future[Answer]) -> Answer:
    """Wait for an answer; give up when the client, whose body was read, hangs up.

    Raises ClientDisconnect then, and Unavailable when the answer is given up here.
    """
    leaving = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait((answer, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ClientDisconnect
        if answer.cancelled():
            raise Unavailable("this gateway stops: ask again", retry_after=timedelta(seconds=1))
        return answer.result()
    finally:
        answer.cancel()
        leaving.cancel()
        await asyncio.gather(answer, leaving, return_exceptions=True)


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _worker(request: Request) -> str | None:
    """Give who asks, by the header `worker`, in UTF-8. Raises Rejected when it is no name."""
    header = request.headers.get("worker")
    if header is None:
        return None
    try:
        return check_name("worker", header.encode("latin-1").decode())
    except UnicodeDecodeError as error:
        raise Rejected(f"worker: expected a name in UTF-8, found {header[:40]!r}") from error
