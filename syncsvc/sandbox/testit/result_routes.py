"""Endpoints of test results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncsvc.sandbox.bodies import convert
from syncsvc.sandbox.replies import Refusal, json_reply
from syncsvc.sandbox.testit import search
from syncsvc.sandbox.testit.requests import Operation, ResultFilter, UpdateResult
from syncsvc.sandbox.testit.surface import Endpoints, body, id_in, nothing, page_of


@dataclass(frozen=True)
class ResultEndpoints(Endpoints):
    def routes(self) -> list[Route]:
        one = f"{self.surface.prefix}/testResults/{{id}}"
        both = [
            Route(f"{self.surface.prefix}/testResults/search", self.search, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.update, methods=["PUT"]),
        ]
        official = [Route(one, self.patch, methods=["PATCH"])]
        return [*both, *official] if self.surface.full else both

    async def search(self, request: Request) -> Response:
        page = page_of(request)
        wanted = await body(request, ResultFilter)
        found = search.searched(self.testit.runs, wanted)
        shown = [
            self.surface.show("ShortResult", self.wire.short_result(each))
            for each in page.of(found)
        ]
        return json_reply(shown, headers=page.headers(len(found)))

    async def show(self, request: Request) -> Response:
        result = self.testit.runs.result(id_in(request))
        return self.reply("Result", self.wire.result(result))

    async def update(self, request: Request) -> Response:
        update = await body(request, UpdateResult)
        self.testit.runs.change(id_in(request), update, "PUT")
        return Response(status_code=200)

    async def patch(self, request: Request) -> Response:
        update = patched(await body(request, list[Operation]))
        self.testit.runs.change(id_in(request), update, "PATCH")
        return nothing()


def patched(operations: Sequence[Operation]) -> UpdateResult:
    """Read a JSON patch as an update: whole fields, added or replaced."""
    fields: dict[str, Any] = {}
    for operation in operations:
        if operation.op not in ("add", "replace"):
            raise Refusal(400, f"found op {operation.op}, expected add or replace", "op")
        name = operation.path.removeprefix("/")
        if "/" in name:
            raise Refusal(400, f"found path {operation.path}, expected a field", "path")
        fields[name] = operation.value
    return convert(fields, UpdateResult)
