"""The runs' part of the API: create one, look at it, and say that it is complete."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from structlog.contextvars import bind_contextvars

from syncsvc.errors import Unknown
from syncsvc.gateway.reading import json_reply, limit, read_json
from syncsvc.gateway.views import PushedView, RunPage, RunView, workers
from syncsvc.results.held.ports import Outbox
from syncsvc.results.pushed.model import RunLink, canonical
from syncsvc.results.pushed.ports import NewRun
from syncsvc.results.pushed.service import PushService
from syncsvc.runs.model import Run
from syncsvc.runs.ports import Rosters, Runs

LARGEST_BODY = 1024 * 1024
Short = Annotated[str, Meta(min_length=1, max_length=255)]


class NewRunBody(msgspec.Struct, forbid_unknown_fields=True):
    """A run to create; without a project the configured one. A link may be just its URL.

    `base_url` and `token` go together: the configured token is never sent to another server.
    """

    project_id: str | None = None
    name: Short | None = None
    description: str | None = None
    tags: list[Short] = []
    links: list[Annotated[str, Meta(min_length=1, max_length=2000)] | RunLink] = []
    base_url: str | None = None
    token: str | None = None

    def to_model(self) -> NewRun:
        links = [RunLink(url=each) if isinstance(each, str) else each for each in self.links]
        return NewRun(self.project_id or "", self.name, self.description, self.tags, links)


class Created(msgspec.Struct):
    id: str


@dataclass(frozen=True)
class RunsApi:
    """Answers about runs."""

    runs: Runs
    rosters: Rosters
    held: Outbox
    pushes: PushService

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/v1/runs", self.list, methods=["GET"]),
            Route("/api/v1/runs", self.create, methods=["POST"]),
            Route("/api/v1/runs/{run}", self.show, methods=["GET"]),
            Route("/api/v1/runs/{run}/complete", self.complete, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        runs = await self.runs.newest(limit(request))
        return json_reply(RunPage([await self._view(run) for run in runs]))

    async def show(self, request: Request) -> Response:
        run_id = request.path_params["run"]
        run = await self.runs.get(run_id) or await self.runs.get(canonical(run_id))
        if run is None:
            raise Unknown(f"run: expected the id of a run, found {run_id[:80]!r}")
        return json_reply(await self._view(run))

    async def create(self, request: Request) -> Response:
        body = await read_json(request, NewRunBody, LARGEST_BODY)
        run_id = await self.pushes.create_run(body.to_model(), body.base_url, body.token)
        return json_reply(Created(run_id))

    async def complete(self, request: Request) -> Response:
        bind_contextvars(run=request.path_params["run"])
        return json_reply(PushedView.of(await self.pushes.complete(request.path_params["run"])))

    async def _view(self, run: Run) -> RunView:
        counts = await self.held.counts(run.id)
        roster = await self.rosters.get(run.id)
        pushed = await self.pushes.progress_if_any(run.id)
        return RunView(
            id=run.id,
            base_url=run.destination.base_url,
            created_at=run.created_at,
            closed_early_at=run.closed_early_at,
            results={str(state): count for state, count in counts.items()},
            workers=None if roster is None else workers(roster),
            master_token=None if roster is None else roster.token,
            pushed=None if pushed is None else PushedView.of(pushed),
        )
