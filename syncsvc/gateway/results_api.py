"""The results' part of the API: what is held and what is pushed, and repairing it."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.gateway.reading import json_reply, kind, which
from syncsvc.gateway.views import Dropped, ResultPage, ResultView, Retried
from syncsvc.results.ledger import Ledger


@dataclass(frozen=True)
class ResultsApi:
    """Answers about results of both kinds."""

    ledger: Ledger

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/v1/results", self.list, methods=["GET"]),
            Route("/api/v1/results/retry", self.retry_all, methods=["POST"]),
            Route("/api/v1/results/drop", self.drop_all, methods=["POST"]),
            Route("/api/v1/results/{result}", self.show, methods=["GET"]),
            Route("/api/v1/results/{result}", self.drop, methods=["DELETE"]),
            Route("/api/v1/results/{result}/retry", self.retry, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        wanted = which(request)
        entries = await self.ledger.entries(wanted, kind(request))
        more = entries[-1].id if len(entries) == wanted.limit else None
        return json_reply(ResultPage([ResultView.of(entry) for entry in entries], more))

    async def show(self, request: Request) -> Response:
        entry = await self.ledger.entry(request.path_params["result"])
        return json_reply(ResultView.of(entry))

    async def retry(self, request: Request) -> Response:
        return json_reply(Retried(await self.ledger.retry(request.path_params["result"])))

    async def retry_all(self, request: Request) -> Response:
        return json_reply(Retried(await self.ledger.retry(None, request.query_params.get("run"))))

    async def drop(self, request: Request) -> Response:
        return json_reply(Dropped(await self.ledger.drop(request.path_params["result"])))

    async def drop_all(self, request: Request) -> Response:
        return json_reply(Dropped(await self.ledger.drop(None, request.query_params.get("run"))))
