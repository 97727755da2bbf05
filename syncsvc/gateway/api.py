"""The HTTP API under /api/v1: what is held back, for machines."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.model import Entry, EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.held.service import ResultService
from syncsvc.runs.model import Roster, Run
from syncsvc.runs.ports import Rosters, Runs

PAGE = 100


class ResultView(msgspec.Struct):
    """A held result as the API shows it; moments are ISO 8601 in UTC."""

    id: str
    run: str
    external_id: str
    status_type: str
    status_code: str
    state: str
    attempt: int
    reason: str | None
    held_at: datetime
    due_at: datetime | None
    settled_at: datetime | None

    @classmethod
    def of(cls, entry: Entry) -> "ResultView":
        return cls(
            id=entry.id,
            run=entry.cut.run_id,
            external_id=entry.cut.external_id,
            status_type=entry.cut.status_type,
            status_code=entry.cut.status_code,
            state=entry.state,
            attempt=entry.attempt,
            reason=entry.reason,
            held_at=entry.held_at,
            due_at=entry.due_at,
            settled_at=entry.settled_at,
        )


class WorkerView(msgspec.Struct):
    name: str
    status: str
    seen_at: datetime
    is_master: bool


class RunView(msgspec.Struct):
    """A run as the API shows it; `workers` is null when nobody knows them any more.

    `master_token` is the fencing token of the last mastership: it grows with each new one.
    """

    id: str
    base_url: str
    created_at: datetime
    results: dict[str, int]
    workers: list[WorkerView] | None
    master_token: int | None


class ResultPage(msgspec.Struct):
    results: list[ResultView]
    next: str | None  # give it as `before` to get the page after this one


class RunPage(msgspec.Struct):
    runs: list[RunView]


class Retried(msgspec.Struct):
    retried: int


@dataclass(frozen=True)
class Api:
    """Answers from the rooms."""

    runs: Runs
    rosters: Rosters
    results: ResultService

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/v1/runs", self.list_runs, methods=["GET"]),
            Route("/api/v1/runs/{run}", self.show_run, methods=["GET"]),
            Route("/api/v1/results", self.list_results, methods=["GET"]),
            Route("/api/v1/results/retry", self.retry_all, methods=["POST"]),
            Route("/api/v1/results/{result}", self.show_result, methods=["GET"]),
            Route("/api/v1/results/{result}/retry", self.retry, methods=["POST"]),
        ]

    async def list_runs(self, request: Request) -> Response:
        runs = await self.runs.newest(_limit(request))
        return _json(RunPage([await self._run_view(run) for run in runs]))

    async def show_run(self, request: Request) -> Response:
        run_id = request.path_params["run"]
        run = await self.runs.get(run_id)
        if run is None:
            raise Unknown(f"run: expected the id of a run, found {run_id[:80]!r}")
        return _json(await self._run_view(run))

    async def list_results(self, request: Request) -> Response:
        which = Filter(
            state=_state(request),
            run_id=request.query_params.get("run"),
            limit=_limit(request),
            before=request.query_params.get("before"),
        )
        entries = await self.results.entries(which)
        more = entries[-1].id if len(entries) == which.limit else None
        return _json(ResultPage([ResultView.of(entry) for entry in entries], more))

    async def show_result(self, request: Request) -> Response:
        entry = await self.results.entry(request.path_params["result"])
        return _json(ResultView.of(entry))

    async def retry(self, request: Request) -> Response:
        return _json(Retried(await self.results.retry(request.path_params["result"])))

    async def retry_all(self, _request: Request) -> Response:
        return _json(Retried(await self.results.retry(None)))

    async def _run_view(self, run: Run) -> RunView:
        counts = await self.results.outbox.counts(run.id)
        roster = await self.rosters.get(run.id)
        return RunView(
            id=run.id,
            base_url=run.destination.base_url,
            created_at=run.created_at,
            results={str(state): count for state, count in counts.items()},
            workers=None if roster is None else _workers(roster),
            master_token=None if roster is None else roster.token,
        )


def _workers(roster: Roster) -> list[WorkerView]:
    return [
        WorkerView(worker.name, worker.status, worker.seen_at, worker.name == roster.master)
        for worker in roster.workers
    ]


def _state(request: Request) -> EntryState | None:
    word = request.query_params.get("state")
    if word is None:
        return None
    try:
        return EntryState(word)
    except ValueError:
        raise Rejected(
            f"state: expected one of {', '.join(EntryState)}, found {word[:40]!r}"
        ) from None


def _limit(request: Request) -> int:
    word = request.query_params.get("limit", str(PAGE))
    if not word.isascii() or not word.isdigit() or not 1 <= int(word[:9]) <= 1000:
        raise Rejected(f"limit: expected 1 to 1000, found {word[:40]!r}")
    return int(word)


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
