"""The two faces of one Test IT, and what every endpoint of both needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from syncsvc.sandbox.bodies import JSON_LIMIT, decode, read
from syncsvc.sandbox.replies import Refusal, json_reply
from syncsvc.sandbox.testit.instance import TestIt
from syncsvc.sandbox.testit.parts import Json
from syncsvc.sandbox.testit.reduced import reduced
from syncsvc.sandbox.testit.statuses import Outcome, StatusType
from syncsvc.sandbox.testit.values import LinkType
from syncsvc.sandbox.testit.wire import Wire

MOST_TAKEN = 1000  # items of one page

WORDS = {
    "statusType": ", ".join(StatusType),
    "statusTypes": ", ".join(StatusType),
    "outcome": ", ".join(Outcome),
    "type": ", ".join(LinkType),
}

_T = TypeVar("_T")


@dataclass(frozen=True)
class Surface:
    """A prefix, the spelling of its paths and how much its replies tell."""

    prefix: str
    results: str
    work_items: str
    full: bool

    def show(self, shape: str, content: Json) -> Json:
        return content if self.full else reduced(shape, content)


OFFICIAL = Surface("/api/v2", results="testResults", work_items="workItems", full=True)
ADAPTERS = Surface("/adapters", results="test-results", work_items="work-items", full=False)


@dataclass(frozen=True)
class Endpoints:
    """A group of endpoints; it is mounted once for each surface."""

    testit: TestIt
    surface: Surface

    @property
    def wire(self) -> Wire:
        return Wire(self.testit.library)

    def reply(self, shape: str, content: Json, status: int = 200) -> Response:
        return json_reply(self.surface.show(shape, content), status)

    def replies(self, shape: str, contents: Sequence[Json], status: int = 200) -> Response:
        return json_reply([self.surface.show(shape, each) for each in contents], status)


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted."""

    skip: int
    take: int

    def of(self, items: Sequence[_T]) -> Sequence[_T]:
        return items[self.skip : self.skip + self.take]

    def headers(self, total: int) -> dict[str, str]:
        return {
            "Pagination-Skip": str(self.skip),
            "Pagination-Take": str(self.take),
            "Pagination-Pages": str(-(-total // self.take)),
            "Pagination-Total-Items": str(total),
        }


def page_of(request: Request) -> Page:
    skip = _number(request, "Skip", 0, least=0)
    return Page(skip, min(_number(request, "Take", 50, least=1), MOST_TAKEN))


async def body(request: Request, kind: type[_T]) -> _T:
    return decode(await read(request, JSON_LIMIT), kind, WORDS)


def id_in(request: Request) -> UUID:
    found = request.path_params["id"]
    try:
        return UUID(found)
    except ValueError as error:
        raise Refusal(400, f"found id {found}, expected a UUID", "id") from error


def nothing() -> Response:
    return Response(status_code=204)


def _number(request: Request, name: str, otherwise: int, *, least: int) -> int:
    """Read a number of the query, whose names are written with and without a capital."""
    found = request.query_params.get(name, request.query_params.get(name.lower()))
    if found is None:
        return otherwise
    if not found.isdecimal() or len(found) > 9 or int(found) < least:
        raise Refusal(400, f"found {name} {found}, expected a number from {least} on", name)
    return int(found)
