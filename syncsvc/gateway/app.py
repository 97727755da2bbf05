"""One application for all ports: the port a request came in by says which surface it meets."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from syncsvc import __version__
from syncsvc.errors import SyncsvcError
from syncsvc.gateway import openapi
from syncsvc.gateway.commands import Commands
from syncsvc.gateway.edge import Edge
from syncsvc.gateway.guard import Guard
from syncsvc.gateway.refusals import refuse, refuse_http, refuse_unexpected
from syncsvc.gateway.scopes import Credentials

NONE = Credentials()


@dataclass(frozen=True)
class ByPort:
    """Sends a request to the application of the port it came in by."""

    apps: Mapping[int, ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.apps[scope["server"][1]](scope, receive, send)


def build_api(routes: list[BaseRoute], commands: Commands, credentials: Credentials = NONE) -> Edge:
    """Give the application that serves the API, its commands and document, metrics and Flower."""
    own: list[BaseRoute] = [
        Route("/", _welcome, methods=["GET"]),
        Route("/metrics", _metrics, methods=["GET"]),
        *commands.routes(),
        *openapi.routes(commands.operations),
    ]
    every = [*routes, *own]  # whose paths say more come first: a command may have any name
    handlers = {SyncsvcError: refuse, HTTPException: refuse_http, Exception: refuse_unexpected}
    return Edge(Guard(Starlette(routes=every, exception_handlers=handlers), credentials), "api")


async def _welcome(_request: Request) -> Response:
    lines = [
        f"syncsvc {__version__}",
        "",
        "/api/v1/runs      runs, their workers, and pushing results to them",
        "/api/v1/results   held and pushed results",
        "/api/v1/sync/runs syncs of the catalogue; /status and /quarantine beside it",
        "/api/v1/loadtests load tests: their steps, logs and summaries, and two compared",
        "/api/v1/commands  what a run's workers keep in step with",
        "/api/dashboard/load-testing/sync-job  how often load tests are looked at",
        "/openapi.json     the whole API",
        "/flower/          task workers",
        "/health  /ready  /metrics",
    ]
    return Response("\n".join(lines) + "\n", media_type="text/plain")


async def _metrics(_request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
