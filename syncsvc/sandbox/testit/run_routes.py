"""Endpoints of test runs."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncsvc.sandbox.replies import json_reply
from syncsvc.sandbox.testit import model
from syncsvc.sandbox.testit.requests import CreateRun, EditResults, NewResult, UpdateRun
from syncsvc.sandbox.testit.search import chosen
from syncsvc.sandbox.testit.surface import Endpoints, body, id_in, nothing


@dataclass(frozen=True)
class RunEndpoints(Endpoints):
    def routes(self) -> list[Route]:
        runs = f"{self.surface.prefix}/testRuns"
        one = f"{runs}/{{id}}"
        both = [
            Route(runs, self.create, methods=["POST"]),
            Route(runs, self.update, methods=["PUT"]),
            Route(one, self.show, methods=["GET"]),
            Route(f"{one}/start", self.start, methods=["POST"]),
            Route(f"{one}/stop", self.stop, methods=["POST"]),
            Route(f"{one}/complete", self.complete, methods=["POST"]),
            Route(f"{one}/{self.surface.results}", self.send, methods=["POST"]),
        ]
        official = [
            Route(f"{one}/{self.surface.results}/bulk", self.edit, methods=["PUT"]),
            Route(f"{one}/testPoints/results", self.test_points, methods=["GET"]),
        ]
        return [*both, *official] if self.surface.full else both

    async def create(self, request: Request) -> Response:
        run = self.testit.runs.create(await body(request, CreateRun))
        return self.reply("Run", self.wire.run(run), 201)

    async def update(self, request: Request) -> Response:
        self.testit.runs.update(await body(request, UpdateRun))
        return nothing()

    async def show(self, request: Request) -> Response:
        return self.reply("Run", self.wire.run(self.testit.runs.run(id_in(request))))

    async def start(self, request: Request) -> Response:
        self.testit.runs.turn(id_in(request), model.started)
        return nothing()

    async def stop(self, request: Request) -> Response:
        self.testit.runs.turn(id_in(request), model.stopped)
        return nothing()

    async def complete(self, request: Request) -> Response:
        self.testit.runs.turn(id_in(request), model.completed)
        return nothing()

    async def send(self, request: Request) -> Response:
        reports = await body(request, list[NewResult])
        return json_reply(self.testit.runs.send(id_in(request), reports))

    async def edit(self, request: Request) -> Response:
        edit = await body(request, EditResults)
        results = self.testit.runs.results(id_in(request))
        self.testit.runs.edit(chosen(self.testit.library, results, edit.selector), edit)
        return nothing()

    async def test_points(self, request: Request) -> Response:
        results = self.testit.runs.results(id_in(request))
        return json_reply(self.wire.test_points(results))
