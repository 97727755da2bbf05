"""Asks Test IT, on whichever of its two surfaces the server has.

New servers answer the adapters on `/adapters`, all of them on `/api/v2`; bodies are the same,
replies differ in fields that we do not read. Every request passes the gate of its server.
A call that met a hiccup is repeated at once, a few times: finalising one result takes many calls,
and if each hiccup ended the attempt, a server that fails every second call would never get it.
A call that must not be done twice is repeated only where it was certainly not done.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import msgspec

from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.adapters.testit.failures import Hiccup, Silence, of_answer, of_failure, pause_asked_for
from syncsvc.coordination.gate.ports import Gate
from syncsvc.errors import Rejected, TooLarge, Unavailable, Uncertain, Unknown
from syncsvc.runs.model import Destination

Read = TypeVar("Read")

SURFACES = ("/adapters", "/api/v2")
PAUSES = (0.1, 0.5, 1.0)  # seconds at most before a call is repeated
LARGEST_BODY = 20_000_000  # bytes; Kestrel refuses 30 MB, and a proxy before it may take less
LONGEST_CALL = timedelta(minutes=1)  # for a server that answers byte by byte
SLOWEST_UPLOAD = 100_000  # bytes a second


@dataclass(frozen=True, slots=True)
class Streamed:
    """A body that is sent piece by piece; its size is known before."""

    content: AsyncIterator[bytes]
    size: int  # bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to ask of Test IT.

    `path` begins after the surface; `old_path` is its spelling on `/api/v2` where that differs.
    `once`: it must not be done twice.
    """

    method: str
    path: str
    json: object = None
    old_path: str | None = None
    once: bool = False

    def on(self, surface: str) -> str:
        if surface == SURFACES[-1] and self.old_path is not None:
            return f"{surface}{self.old_path}"
        return f"{surface}{self.path}"


@dataclass(frozen=True, slots=True)
class _Message:
    """A request as it goes out."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    content: bytes | AsyncIterator[bytes] | None = field(repr=False)
    limit: timedelta
    once: bool

    @property
    def said(self) -> str:
        return f"Test IT did not answer {self.method} {httpx.URL(self.url).path}"


@dataclass
class TestItCalls:
    """Knows for each server its surface, its token and its gate; no call takes over `limit`.

    `inside` counts this process's calls that are past the gate; `on_entering` hears of each.
    """

    __test__ = False  # not one of pytest's classes

    http: httpx.AsyncClient
    destinations: TestItDestinations
    gate: Gate
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    limit: timedelta = LONGEST_CALL
    inside: int = field(default=0, init=False)
    on_entering: Callable[[], None] | None = field(default=None, init=False)
    _surfaces: dict[str, str] = field(default_factory=dict, init=False)

    async def call(self, destination: Destination, ask: Ask) -> httpx.Response:
        """Ask, and give the answer if it is a success.

        Raises Unknown for 404, Denied for 401 and 403, Conflict for 409, TooLarge for what is too
        large to be sent, Rejected for everything else that stays so; Unavailable, and Uncertain
        where a call that must not be done twice may have been done.
        """
        token = self.destinations.token_for(destination)
        content = None if ask.json is None else _encoded(ask.json)
        base_url = destination.base_url
        known = self._surfaces.get(base_url)
        for surface in () if known else SURFACES[:-1]:
            message = self._message(token, f"{base_url}{ask.on(surface)}", ask, content)
            answer = await self._unless_absent(base_url, message)
            if answer is not None:
                self._surfaces[base_url] = surface
                return answer
        last = known or SURFACES[-1]
        message = self._message(token, f"{base_url}{ask.on(last)}", ask, content)
        answer = await self._send(base_url, message)
        if not _is_page(answer):
            self._surfaces[base_url] = last
        return answer

    def knows_surface(self, destination: Destination) -> bool:
        """Say whether a call to this server has succeeded before."""
        return destination.base_url in self._surfaces

    async def stream(self, destination: Destination, path: str, body: Streamed) -> httpx.Response:
        """Post a body, without repeating it, on a surface that an earlier call has found."""
        token = self.destinations.token_for(destination)
        headers = _headers(token) | {
            "Content-Type": body.media_type,
            "Content-Length": str(body.size),
        }
        base_url = destination.base_url
        url = f"{base_url}{self._surfaces[base_url]}{path}"
        limit = self.limit + timedelta(seconds=body.size / SLOWEST_UPLOAD)
        message = _Message("POST", url, headers, body.content, limit, once=False)
        return await self._pass(base_url, message)

    def _message(self, token: str, url: str, ask: Ask, content: bytes | None) -> _Message:
        headers = _headers(token)
        if content is not None:
            headers["Content-Type"] = "application/json"
        return _Message(ask.method, url, headers, content, self.limit, ask.once)

    async def _unless_absent(self, place: str, message: _Message) -> httpx.Response | None:
        """Ask on a surface that the server may not have; None when it seems so.

        What is unknown on one surface is unknown on the other: only a success settles which one a
        server has. Before the old ones stands a web application that answers anything with a page.
        """
        try:
            answer = await self._send(place, message)
        except Unknown:
            return None
        return None if _is_page(answer) else answer

    async def _send(self, place: str, message: _Message) -> httpx.Response:
        silences = 0
        for longest in PAUSES:  # what may have been done is no hiccup
            try:
                return await self._pass(place, message)
            except Hiccup as error:
                silences += isinstance(error, Silence)
                if silences > 1:
                    raise
                await self.pause(longest * self.chance())
        return await self._pass(place, message)

    async def _pass(self, place: str, message: _Message) -> httpx.Response:
        answer = await self._through_the_gate(place, message)
        if answer.is_success:
            return answer
        pause = pause_asked_for(answer)
        if pause is not None:
            await self.gate.pause(place, pause)
        raise of_answer(answer, once=message.once)

    async def _through_the_gate(self, place: str, message: _Message) -> httpx.Response:
        answers: list[httpx.Response] = []
        try:
            async with self.gate.passing(place):
                answers.append(await self._inside(message))
        except Unavailable:
            if not answers:  # else only the gate has failed, after the call was done
                raise
        return answers[0]

    async def _inside(self, message: _Message) -> httpx.Response:
        self.inside += 1
        if self.on_entering is not None:
            self.on_entering()
        try:
            return await self._exchange(message)
        finally:
            self.inside -= 1

    async def _exchange(self, message: _Message) -> httpx.Response:
        try:
            async with asyncio.timeout(message.limit.total_seconds()):
                return await self.http.request(
                    message.method, message.url, headers=message.headers, content=message.content
                )
        except TimeoutError as error:
            said = f"{message.said} within {message.limit.total_seconds():.0f} s"
            raise (Uncertain if message.once else Unavailable)(said) from error
        except httpx.LocalProtocolError:  # whose text shows the token
            raise Rejected(
                f"{message.said}: its token holds characters that HTTP does not allow"
            ) from None
        except httpx.RequestError as error:
            raise of_failure(error, message.said, once=message.once) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise Rejected(f"Test IT cannot be asked at {message.url}: {error}") from error


def read(answer: httpx.Response, reader: Callable[[Any], Read], *, once: bool = False) -> Read:
    """Read the body of an answer.

    Raises Unavailable, or Uncertain after what must not be done twice, when its shape is not what
    the reader expects.
    """
    try:
        return reader(answer.json())
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        path = answer.request.url.path
        said = f"Test IT answered {path} in a shape we do not know"
        raise (Uncertain if once else Unavailable)(said) from error


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"PrivateToken {token}", "Accept": "application/json"}


def _encoded(json: object) -> bytes:
    try:
        content = msgspec.json.encode(json)
    except UnicodeEncodeError as error:
        raise Rejected(f"a text that is no Unicode cannot be sent: {error.reason}") from error
    if len(content) > LARGEST_BODY:
        raise TooLarge(f"a request of {len(content)} bytes; Test IT takes at most {LARGEST_BODY}")
    return content


def _is_page(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("content-type", "").startswith("text/html"))
