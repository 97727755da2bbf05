"""TestSync over HTTP: a test's data is set once with POST and read with GET."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from prometheus_client import Counter
from starlette.types import Receive, Scope, Send

from syncsvc.adapters.testsync import answers, paths
from syncsvc.adapters.testsync.answers import Answer
from syncsvc.adapters.testsync.credentials import Credentials
from syncsvc.adapters.testsync.request import Left, header, read_body
from syncsvc.coordination.testdata.ports import TestData
from syncsvc.errors import SyncsvcError
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

PATIENCE = timedelta(seconds=10)
REQUESTS = Counter(
    "syncsvc_testsync_requests_total", "Requests to TestSync over HTTP.", ["method", "status"]
)
_FIXED = {"/": answers.PROVERB, "/health": answers.HEALTH}


class Registered(Protocol):
    """Knows which runs a socket ever registered for."""

    async def ever(self, run: str) -> bool:
        """Tell whether one did. Raises Unavailable."""
        ...


class TestSyncHttp:
    """An ASGI application.

    With `registered`, an id that a socket ever registered takes no data, as in TestSync.
    """

    __test__ = False  # a name that pytest would take for a test

    def __init__(
        self,
        data: TestData,
        credentials: Credentials,
        clock: Callable[[], datetime],
        *,
        registered: Registered | None = None,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._data = data
        self._credentials = credentials
        self._clock = clock
        self._registered = registered
        self._patience = patience.total_seconds()
        self._counted: dict[tuple[str, int], Callable[[], None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer_in_time(scope, receive)
        except Left:
            return
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": _headers(answer, scope),
            }
        )
        await send({"type": "http.response.body", "body": answer.body})
        self._count(scope["method"], answer.status)

    async def _answer_in_time(self, scope: Scope, receive: Receive) -> Answer:
        try:
            async with asyncio.timeout(self._patience):
                return await self._answer(scope, receive)
        except TimeoutError:
            return answers.TIMED_OUT
        except Left:
            raise
        except Exception:  # the outermost frame of a request: its caller gets an answer
            log.exception("request failed unexpectedly")
            return answers.NOT_READ if scope["method"] == "GET" else answers.NOT_STORED

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path = scope["path"]
        tidier = paths.tidier(path, scope["raw_path"], scope["query_string"])
        if tidier is not None:
            return answers.moved(tidier)
        digits = paths.digits_of(path)
        if digits is None:
            return _FIXED.get(path, answers.NO_PAGE)
        return await self._answer_about(digits, scope, receive)

    async def _answer_about(self, digits: str, scope: Scope, receive: Receive) -> Answer:
        method = scope["method"]
        if method not in ("GET", "POST"):
            return answers.WRONG_METHOD
        if not self._credentials.admits_header(header(scope, b"authorization")):
            return answers.UNAUTHORISED
        run = paths.canonical(digits)
        if run is None:
            return answers.no_number(digits)
        if method == "GET":
            return await self._read(run)
        body = await read_body(scope, receive)
        return answers.TOO_LARGE if body is None else await self._create(run, body)

    async def _read(self, run: str) -> Answer:
        try:
            found = await self._data.read(run)
        except SyncsvcError as error:
            log.warning("test data was not read", run=run, reason=str(error))
            return answers.NOT_READ
        return answers.NO_TEST if found is None else answers.content(found)

    async def _create(self, run: str, body: bytes) -> Answer:
        try:
            created = await self._is_free(run) and await self._data.create(run, body, self._clock())
        except SyncsvcError as error:
            log.warning("test data was not stored", run=run, reason=str(error))
            return answers.NOT_STORED
        return answers.content(body) if created else answers.HAS_DATA

    async def _is_free(self, run: str) -> bool:
        return self._registered is None or not await self._registered.ever(run)

    def _count(self, method: str, status: int) -> None:
        log.debug("request", method=method, status=status)
        count = self._counted.get((method, status))
        if count is None:
            count = self._counted[method, status] = REQUESTS.labels(method, status).inc
        count()


def _headers(answer: Answer, scope: Scope) -> list[tuple[bytes, bytes]]:
    """Close after a refusal that a client with `Expect: 100-continue` was waiting for.

    It may send its body next, or its next request: nobody could tell which.
    """
    headers = answer.all_headers()
    if answer.status >= 400 and header(scope, b"expect") is not None:
        headers.append((b"Connection", b"close"))
    return headers
