"""Sync Storage: the nine endpoints that Test IT's adapters call.

A success is always 200, because some clients take nothing else; errors are plain text. An
answer 500 to a cut tells the client that the result is still its own.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.contextvars import bind_contextvars

from syncsvc.adapters.testit.callers import caller_of, is_local
from syncsvc.adapters.testit.presence import CONNECTION, Presence
from syncsvc.adapters.testit.processes import Processes
from syncsvc.adapters.testit.wire import (
    CutBody,
    Register,
    Report,
    SignOfLife,
    decode,
    moment,
)
from syncsvc.bodies import read_body
from syncsvc.errors import Rejected, SyncsvcError, TooLarge, Unavailable, Unknown
from syncsvc.results.held.service import Completion, Patience, ResultService
from syncsvc.runs.model import WorkerStatus
from syncsvc.runs.service import RunService
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

LARGEST_BODY = 1024 * 1024
SHORT = timedelta(seconds=12)  # JS adapters hang up after 15 s
LONG = timedelta(seconds=90)  # CI jobs wait with `curl --max-time 100`
JSON = "application/json"

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class SyncStorage:
    """Answers the adapters from the rooms."""

    runs: RunService
    results: ResultService
    presence: Presence
    clock: Callable[[], datetime]
    processes: Processes | None = None  # None: nobody watches them

    async def health(self, _request: Request) -> Response:
        return _json({"status": "running", "last_update": moment(self.clock())})

    async def register(self, request: Request) -> Response:
        body = decode(await read_body(request, LARGEST_BODY), Register)
        bind_contextvars(run=body.testRunId, worker=body.pid)
        told = await self.runs.register(
            body.testRunId,
            body.pid,
            body.baseUrl or None,
            body.privateToken or None,
            caller_of(request),
        )
        await self._watch(request, body, None)
        return _json(
            {
                "status": "ok",
                "message": told.message,
                "pid": body.pid,
                "testRunId": body.testRunId,
                "is_master": told.is_master,
            }
        )

    async def set_worker_status(self, request: Request) -> Response:
        body = decode(await read_body(request, LARGEST_BODY), Report)
        bind_contextvars(run=body.testRunId, worker=body.pid)
        status = body.worker_status()
        caller = caller_of(request)
        if _uploads_late(request):
            connection = request.scope.get("extensions", {}).get(CONNECTION, {})
            is_open = connection.get("is_open")
            self.presence.note(body.testRunId, body.pid, status, is_open, caller)
        await self.runs.report(body.testRunId, body.pid, status, caller)
        await self._watch(request, body, status)
        return _ok(f"worker is {body.status}")

    async def _watch(
        self, request: Request, body: Register | Report, status: WorkerStatus | None
    ) -> None:
        if self.processes is not None:
            port = request.client.port if request.client and is_local(request) else None
            await self.processes.note(body.testRunId, body.pid, status, port)

    async def keep_alive(self, request: Request) -> Response:
        body = decode(await read_body(request, LARGEST_BODY), SignOfLife)
        bind_contextvars(run=body.testRunId, worker=body.pid)
        await self.runs.report(body.testRunId, body.pid, None, caller_of(request))
        return _ok("worker is alive")

    async def in_progress_test_result(self, request: Request) -> Response:
        run_id = _run_id(request)
        body = decode(await read_body(request, LARGEST_BODY), CutBody)
        await self.results.hold(body.to_model(run_id))
        return _ok("result is held")

    async def in_progress_published(self, request: Request) -> Response:
        return _json({"published": await self.results.is_published(_run_id(request))})

    async def wait_completion(self, request: Request) -> Response:
        waits_short = "OpenAPI-Generator" in request.headers.get("user-agent", "")
        patience = Patience(at_work=SHORT, done=SHORT if waits_short else LONG)
        run_id = request.query_params.get("testRunId") or None
        if run_id:
            bind_contextvars(run=run_id)
        return _completion(await self.results.wait(run_id, patience))

    async def force_completion(self, request: Request) -> Response:
        return _completion(await self.results.force(_run_id(request)))

    async def shutdown(self, _request: Request) -> Response:
        return _ok("syncsvc stays up: it serves other runs too")


def build_sync_storage(storage: SyncStorage) -> Starlette:
    """Give the application that serves port 49152."""
    routes = [
        Route("/health", storage.health, methods=["GET"]),
        Route("/register", storage.register, methods=["POST"]),
        Route("/set_worker_status", storage.set_worker_status, methods=["POST"]),
        Route("/keep_alive", storage.keep_alive, methods=["POST"]),
        Route("/in_progress_test_result", storage.in_progress_test_result, methods=["POST"]),
        Route("/in_progress_published", storage.in_progress_published, methods=["GET"]),
        Route("/wait-completion", storage.wait_completion, methods=["GET"]),
        Route("/force-completion", storage.force_completion, methods=["GET"]),
        Route("/shutdown", storage.shutdown, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={SyncsvcError: _refusal, Exception: _mishap})


async def _refusal(_request: Request, error: Exception) -> Response:
    if isinstance(error, Unavailable):
        log.warning("not served", reason=str(error))
    return Response(str(error), status_code=_status(error), media_type="text/plain")


async def _mishap(_request: Request, _error: Exception) -> Response:
    said = "something unexpected happened here; the log has it under this x-request-id"
    return Response(said, status_code=500, media_type="text/plain")


def _status(error: Exception) -> int:
    if isinstance(error, TooLarge):
        return 413
    if isinstance(error, Unknown):
        return 404
    return 400 if isinstance(error, Rejected) else 500


def _uploads_late(request: Request) -> bool:
    """Tell whether the client uploads after it has completed; its connection ends with it."""
    agent = request.headers.get("user-agent", "")
    return agent.startswith("OpenAPI-Generator/") and agent.endswith("/python")


def _run_id(request: Request) -> str:
    run_id = request.query_params.get("testRunId")
    if not run_id:
        raise Rejected("testRunId: expected the id of a run in the query, found none")
    bind_contextvars(run=run_id)
    return run_id


def _json(body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), media_type=JSON)


def _ok(message: str) -> Response:
    return _json({"status": "ok", "message": message})


def _completion(completion: Completion) -> Response:
    return _json({"completed": completion.completed, "message": completion.message})
