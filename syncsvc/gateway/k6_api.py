"""The load tests' part of the API: watch them, and read their state, logs and summaries."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from structlog.contextvars import bind_contextvars

from syncsvc.errors import Denied
from syncsvc.gateway.k6_bodies import DiscoverBody, LoadTestBody
from syncsvc.gateway.k6_lines import Lines
from syncsvc.gateway.k6_reading import (
    LINES,
    in_path,
    required,
    which_tests,
    which_text,
)
from syncsvc.gateway.k6_summary_views import (
    ComparedView,
    ComparisonView,
    LogsView,
    SummaryView,
)
from syncsvc.gateway.k6_views import (
    CyclesView,
    CycleView,
    DiscoveredView,
    ListedView,
    LoadTestDetails,
    LoadTestPage,
    RegisteredView,
    StepView,
)
from syncsvc.gateway.reading import json_reply, limit, read_json
from syncsvc.gateway.refusals import OursRefused
from syncsvc.gateway.scopes import LOAD_TESTS
from syncsvc.loadtests.clusters import Forbidden
from syncsvc.loadtests.registering import Registering
from syncsvc.loadtests.selecting import selector
from syncsvc.loadtests.showing import Showing, WhichLogs

LARGEST_BODY = 1024 * 1024
TEXT = "text/plain"


class WatchNudge(Protocol):
    async def poll(self) -> None:
        """Ask for a cycle if one is due; one that is lost costs a tick, and raises nothing."""
        ...


@dataclass(frozen=True)
class K6Api:
    """Answers about load tests."""

    registering: Registering
    showing: Showing
    lines: Lines
    nudge: WatchNudge
    clock: Callable[[], datetime]

    def routes(self) -> list[BaseRoute]:
        step = LOAD_TESTS + "/steps/{step}"
        return [
            Route(LOAD_TESTS, self.watch, methods=["POST"]),
            Route(LOAD_TESTS, self.list, methods=["GET"]),
            Route(LOAD_TESTS + "/discover", self.discover, methods=["POST"]),
            Route(LOAD_TESTS + "/compare", self.compare, methods=["GET"]),
            Route(LOAD_TESTS + "/cycles", self.cycles, methods=["GET"]),
            Route(step, self.show_step, methods=["GET"]),
            Route(step + "/logs", self.logs, methods=["GET"]),
            Route(step + "/log", self.log, methods=["GET"]),
            Route(step + "/summary", self.summary, methods=["GET"]),
            Route(LOAD_TESTS + "/{test}", self.show, methods=["GET"]),
        ]

    async def watch(self, request: Request) -> Response:
        body = await read_json(request, LoadTestBody, LARGEST_BODY)
        async with _our_rights():
            registered = await self.registering.watch(body.name, body.wished(), body.labels)
        bind_contextvars(load_test=registered.test.id)
        return self._begun(RegisteredView.of(registered, self.clock()))

    async def discover(self, request: Request) -> Response:
        body = await read_json(request, DiscoverBody, LARGEST_BODY)
        wanted = selector("selector", body.selector)
        async with _our_rights():
            found = await self.registering.discover(wanted, body.cluster, body.namespace)
        return self._begun(
            DiscoveredView([RegisteredView.of(each, self.clock()) for each in found])
        )

    async def list(self, request: Request) -> Response:
        which, now = which_tests(request), self.clock()
        views = [ListedView.of(shown, now) for shown in await self.showing.listed(which)]
        more = views[-1].test.id if len(views) == which.limit else None
        return json_reply(LoadTestPage(views, more))

    async def show(self, request: Request) -> Response:
        shown = await self.showing.test(in_path(request, "test"))
        return json_reply(LoadTestDetails.of(shown, self.clock()))

    async def show_step(self, request: Request) -> Response:
        step = await self.showing.step(in_path(request, "step"))
        return json_reply(StepView.of(step, self.clock()))

    async def logs(self, request: Request) -> Response:
        step = await self.showing.step(in_path(request, "step"))
        return json_reply(LogsView.of(step, await self.showing.kept(step, WhichLogs())))

    async def log(self, request: Request) -> Response:
        which = which_text(request, self.clock())
        step = await self.showing.step(in_path(request, "step"))
        kept = [] if which.follow else await self.showing.kept(step, which.logs)
        media_type = LINES if which.as_json else TEXT
        if request.method == "HEAD":
            return Response(media_type=media_type)
        return StreamingResponse(self.lines.pieces(step, kept, which), media_type=media_type)

    async def summary(self, request: Request) -> Response:
        step = await self.showing.step(in_path(request, "step"))
        return json_reply(SummaryView.of(step, await self.showing.summary(step)))

    async def compare(self, request: Request) -> Response:
        query = request.query_params
        found = await self.showing.compared(required(query, "before"), required(query, "after"))
        return json_reply(ComparisonView([ComparedView.of(each) for each in found]))

    async def cycles(self, request: Request) -> Response:
        found = await self.showing.latest_cycles(limit(request))
        return json_reply(CyclesView([CycleView.of(each) for each in found]))

    def _begun(self, view: object) -> Response:
        """Answer, and then ask for a cycle."""
        answer = json_reply(view)
        answer.background = BackgroundTask(self.nudge.poll)
        return answer


@asynccontextmanager
async def _our_rights() -> AsyncIterator[None]:
    """Part what a cluster refuses us from what we refuse a caller. Raises OursRefused."""
    try:
        yield
    except (Denied, Forbidden) as error:
        raise OursRefused(str(error)) from error
