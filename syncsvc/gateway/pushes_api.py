"""The pushes' part of the API: whole results for a run, and the files that go with them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from structlog.contextvars import bind_contextvars

from syncsvc.errors import Unavailable
from syncsvc.gateway.reading import json_reply, read_json
from syncsvc.results.pushed.model import AttachmentRef, Result
from syncsvc.results.pushed.ports import RunFile, Upload
from syncsvc.results.pushed.service import PushService

LARGEST_BODY = 32 * 1024 * 1024
LONGEST_SILENCE = timedelta(seconds=60)  # of a client in the middle of a file


class PushBody(msgspec.Struct, forbid_unknown_fields=True):
    """1 to 1000 results; a project or configuration that is not named is the run's, or the set one.

    A result with a `key` that the run has already is known and not stored again, so a request
    that got no answer may be sent again as it is.
    """

    results: list[Result]
    project_id: str | None = None
    configuration_id: str | None = None


class AcceptedView(msgspec.Struct):
    new: int
    known: int


class FileView(msgspec.Struct):
    """A file of a run; `size` is in bytes."""

    digest: str
    size: int

    @classmethod
    def of(cls, upload: Upload) -> "FileView":
        return cls(upload.digest, upload.size)


class AttachBody(msgspec.Struct, forbid_unknown_fields=True):
    """1 to 1000 files that the run has, to be attached to the run itself when it ends."""

    files: list[AttachmentRef]


class RunFileView(msgspec.Struct):
    """A file of the run itself: waiting, attached, or refused for a reason."""

    digest: str
    name: str
    state: str
    reason: str | None

    @classmethod
    def of(cls, file: RunFile) -> "RunFileView":
        return cls(file.digest, file.name, file.state, file.reason)


class RunFilesView(msgspec.Struct):
    files: list[RunFileView]


@dataclass(frozen=True)
class PushesApi:
    """Takes what is pushed."""

    pushes: PushService

    def routes(self) -> list[BaseRoute]:
        files = "/api/v1/runs/{run}/attachments"
        file = files + "/{digest}"
        return [
            Route("/api/v1/runs/{run}/results", self.accept, methods=["POST"]),
            Route(files, self.attach, methods=["POST"]),
            Route(files, self.show_files, methods=["GET"]),
            Route(file, self.keep_file, methods=["PUT"]),
            Route(file, self.show_file, methods=["GET"]),
        ]

    async def accept(self, request: Request) -> Response:
        run_id = request.path_params["run"]
        bind_contextvars(run=run_id)
        body = await read_json(request, PushBody, LARGEST_BODY)
        accepted = await self.pushes.accept(
            run_id, body.results, body.project_id, body.configuration_id
        )
        return json_reply(AcceptedView(accepted.new, accepted.known))

    async def attach(self, request: Request) -> Response:
        run_id = request.path_params["run"]
        bind_contextvars(run=run_id)
        body = await read_json(request, AttachBody, LARGEST_BODY)
        return _run_files(await self.pushes.attach(run_id, body.files))

    async def show_files(self, request: Request) -> Response:
        return _run_files(await self.pushes.run_files(request.path_params["run"]))

    async def keep_file(self, request: Request) -> Response:
        run_id, digest = request.path_params["run"], request.path_params["digest"]
        bind_contextvars(run=run_id)
        kept = await self.pushes.keep_file(
            run_id, digest, _pieces(request), request.query_params.get("project_id")
        )
        return json_reply(FileView.of(kept))

    async def show_file(self, request: Request) -> Response:
        found = await self.pushes.file(request.path_params["run"], request.path_params["digest"])
        return json_reply(FileView.of(found))


def _run_files(files: Sequence[RunFile]) -> Response:
    return json_reply(RunFilesView([RunFileView.of(file) for file in files]))


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """Give the body as it comes. Raises Unavailable when nothing comes for too long."""
    coming = request.stream()
    while True:
        try:
            async with asyncio.timeout(LONGEST_SILENCE.total_seconds()):
                piece = await anext(coming, None)
        except TimeoutError as error:
            raise Unavailable(
                f"body: expected more within {LONGEST_SILENCE.total_seconds():g} s, found nothing"
            ) from error
        if piece is None:
            return
        if piece:
            yield piece
