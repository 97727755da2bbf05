"""Talks to Test IT's API, on whichever of its two surfaces the server has.

New servers answer the adapters on `/adapters`, all of them on `/api/v2`; bodies are the same,
replies differ in fields that we do not read. Errors are classed by status code.
A call that met a hiccup is repeated at once, a few times: finalising one result takes many calls,
and if each hiccup ended the attempt, a server that fails every second call would never get it.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.adapters.testit.wire import result_from
from syncsvc.errors import Conflict, Rejected, SyncsvcError, Unavailable, Unknown
from syncsvc.results.held.model import FinalStatus, TestResult
from syncsvc.runs.model import Destination, Run

Read = TypeVar("Read")

SURFACES = ("/adapters", "/api/v2")
PAGE = 100
MOST_PAGES = 1000
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 520, 521, 522, 523, 524})
FINISHED = ["Succeeded", "Failed", "Incomplete"]
DROPPED = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
PAUSES = (0.1, 0.5)  # seconds at most before a call is repeated; every call of ours may be


def new_http(timeout: timedelta) -> httpx.AsyncClient:
    """Give a client that goes through the environment's proxy, but never to reach this host."""
    direct = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))
    return httpx.AsyncClient(
        timeout=httpx.Timeout(timeout.total_seconds(), connect=5),
        limits=httpx.Limits(max_connections=16, keepalive_expiry=30),
        mounts=direct,
    )


class Hiccup(Unavailable):
    """A quick failure that may be over already: a server error, or a connection that broke."""


@dataclass
class TestItBoard:
    """Test IT as the place where results are shown."""

    __test__ = False  # not one of pytest's classes

    http: httpx.AsyncClient
    destinations: TestItDestinations
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    _surfaces: dict[str, str] = field(default_factory=dict, init=False)
    _codes: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict, init=False)

    async def count_results(self, run: Run) -> int | None:
        answer = await self._search_page(run, {"testRunIds": [run.id]}, skip=0, take=1)
        total = answer.headers.get("Pagination-Total-Items", "")
        return int(total) if total.isdigit() else None

    async def in_progress(self, run: Run, external_ids: Collection[str]) -> Sequence[TestResult]:
        found = [
            r async for r in self._search(run, ["InProgress"]) if r.external_id in external_ids
        ]
        tests = [result.external_id for result in found]
        return [
            await self.read(run, result.id) if tests.count(result.external_id) > 1 else result
            for result in found
        ]

    async def finished(self, run: Run, external_ids: Collection[str]) -> set[str]:
        missing = set(external_ids)
        async for result in self._search(run, FINISHED):
            missing.discard(result.external_id)
            if not missing:
                break
        return set(external_ids) - missing

    async def read(self, run: Run, result_id: str) -> TestResult:
        answer = await self._call(run, "GET", f"/testResults/{result_id}")
        return _read(answer, result_from)

    async def status_codes(self, run: Run, project_id: str | None) -> Sequence[str]:
        if project_id is None:
            return ()
        known = (run.destination.base_url, project_id)
        if known not in self._codes:
            try:
                self._codes[known] = await self._workflow(run, project_id)
            except Unknown:
                return ()
        return self._codes[known]

    async def finalise(self, run: Run, result_id: str, status: FinalStatus) -> None:
        body = {"statusType": str(status.type)}
        if status.code is not None:
            body["statusCode"] = status.code
        await self._call(run, "PUT", f"/testResults/{result_id}", json=body)
        shown = await self.read(run, result_id)
        if shown.status_type != status.type:
            raise Conflict(f"Test IT shows {shown.status_type} after {status.type} was written")

    async def ping(self, destination: Destination) -> None:
        """See that the server answers and takes the token.

        Raises Rejected or Unavailable.
        """
        token = self.destinations.token_for(destination)
        url = f"{destination.base_url}/api/v2/testResults/search?Skip=0&Take=1"
        await self._send("POST", url, token, json={})

    async def _workflow(self, run: Run, project_id: str) -> Sequence[str]:
        project = await self._call(run, "GET", f"/projects/{project_id}")
        workflow_id = _read(project, lambda body: body["workflowId"])
        workflow = await self._call(run, "GET", f"/workflows/{workflow_id}")
        return _read(workflow, lambda body: [str(s["code"]) for s in body["statuses"]])

    async def _search(self, run: Run, status_types: list[str]) -> AsyncIterator[TestResult]:
        wanted = {"testRunIds": [run.id], "statusTypes": status_types}
        for page in range(MOST_PAGES):
            answer = await self._search_page(run, wanted, skip=page * PAGE, take=PAGE)
            found = _read(answer, lambda body: [result_from(item) for item in body])
            for result in found:
                yield result
            if len(found) < PAGE:
                return

    async def _search_page(
        self, run: Run, wanted: dict[str, Any], *, skip: int, take: int
    ) -> httpx.Response:
        path = f"/testResults/search?Skip={skip}&Take={take}"
        return await self._call(run, "POST", path, json=wanted)

    async def _call(self, run: Run, method: str, path: str, json: object = None) -> httpx.Response:
        base_url = run.destination.base_url
        token = self.destinations.token_for(run.destination)
        known = self._surfaces.get(base_url)
        for surface in (known,) if known else SURFACES:
            try:
                answer = await self._send(method, f"{base_url}{surface}{path}", token, json=json)
            except Unknown:
                if surface == (known or SURFACES[-1]):
                    raise
            else:
                self._surfaces[base_url] = surface
                return answer
        raise AssertionError("the last surface either answers or raises")

    async def _send(self, method: str, url: str, token: str, json: object = None) -> httpx.Response:
        for longest in PAUSES:
            try:
                return await self._ask(method, url, token, json)
            except Hiccup:
                await self.pause(longest * self.chance())
        return await self._ask(method, url, token, json)

    async def _ask(self, method: str, url: str, token: str, json: object) -> httpx.Response:
        headers = {"Authorization": f"PrivateToken {token}", "Accept": "application/json"}
        try:
            answer = await self.http.request(method, url, headers=headers, json=json)
        except httpx.TransportError as error:
            said = f"Test IT did not answer {method} {_path(url)}: "
            said += str(error) or type(error).__name__
            raise (Hiccup if isinstance(error, DROPPED) else Unavailable)(said) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise Rejected(f"Test IT cannot be asked at {url}: {error}") from error
        if answer.is_success:
            return answer
        raise _classed(answer)


def _read(answer: httpx.Response, reader: Callable[[Any], Read]) -> Read:
    try:
        return reader(answer.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        path = _path(str(answer.request.url))
        raise Unavailable(f"Test IT answered {path} in a shape we do not know") from error


def _classed(answer: httpx.Response) -> SyncsvcError:
    said = f"Test IT answered {answer.status_code} to {answer.request.method} "
    said += _path(str(answer.request.url)) + _detail(answer)
    if answer.status_code in AGAIN or answer.status_code >= 500:
        return _later(answer, said)
    if answer.status_code == 409:
        return Conflict(said)
    if answer.status_code == 404:
        return Unknown(said)
    if answer.status_code in (401, 403):
        return Rejected(f"{said}; check the token of this run, then 'syncsvc results retry'")
    if answer.is_redirect:
        target = answer.headers.get("location", "")[:200]
        return Rejected(f"{said}; it points to {target}: use that address")
    return Rejected(said)


def _later(answer: httpx.Response, said: str) -> Unavailable:
    pause = _retry_after(answer)
    if pause is None and answer.status_code >= 500:
        return Hiccup(said)
    return Unavailable(said, retry_after=pause)


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json()
        detail = body.get("detail") or body.get("title") or ""
    except (ValueError, AttributeError):
        detail = ""
    return f" ({str(detail)[:200]})" if detail else ""


def _retry_after(answer: httpx.Response) -> timedelta | None:
    """Read Retry-After, in seconds or as a date, within an hour."""
    said = answer.headers.get("Retry-After", "")
    try:
        if said.isdigit():
            pause = timedelta(seconds=int(said))
        else:
            pause = parsedate_to_datetime(said) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(pause, timedelta(0)), timedelta(hours=1))


def _path(url: str) -> str:
    return httpx.URL(url).path
