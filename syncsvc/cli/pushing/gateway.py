"""A gateway as its commands see it: what fails for a while is asked again until the deadline."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import httpx
import typer

from syncsvc.cli.pushing.options import DEFAULT_API
from syncsvc.errors import Rejected, Unavailable, Unknown

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds
TOLD_FROM = 2 * 2 * FIRST_PAUSE  # before this pause a person is told why nothing happens
LONGEST_ANSWER = 60.0  # seconds
LONGEST_CONNECT = 10.0  # seconds
AGAIN = frozenset({429, 500, 502, 503, 504})
NEAR = frozenset({"localhost", "127.0.0.1", "::1"})

Body = Callable[[], bytes | Iterator[bytes]]


@dataclass(frozen=True)
class Deadline:
    """An instant after which nothing is tried again."""

    at: float
    clock: Callable[[], float] = monotonic

    @classmethod
    def after(cls, span: timedelta) -> "Deadline":
        return cls(monotonic() + span.total_seconds())

    @property
    def left(self) -> float:
        """Give the seconds until then."""
        return max(0.0, self.at - self.clock())


@dataclass(frozen=True)
class Gateway:
    """Asks a gateway; raises Rejected for what it refuses, Unavailable after the deadline."""

    http: httpx.Client
    deadline: Deadline
    pause: Callable[[float], None] = sleep
    headers: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda _line: None

    def call(
        self, method: str, path: str, content: Body | None = None, *, once: bool = False
    ) -> Any:
        """Give the JSON of a success; `once`: do not ask again what may have been done."""
        answer = self._answer(method, path, content, once=once)
        if answer.is_success:
            return answer.json() if answer.content else None
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Unknown(_said(answer))
        raise Rejected(_said(answer))

    def has(self, path: str) -> bool:
        answer = self._answer("HEAD", path, None, once=False)
        if answer.is_success or answer.status_code == httpx.codes.NOT_FOUND:
            return answer.is_success
        raise Rejected(_said(answer))

    def _answer(
        self, method: str, path: str, content: Body | None, *, once: bool
    ) -> httpx.Response:
        pause = FIRST_PAUSE
        while True:
            try:
                answer = self.http.request(method, path, content=content() if content else None)
                if answer.status_code not in AGAIN:
                    return answer
                reason, is_safe = _said(answer), not once
            except httpx.TransportError as error:
                reason = f"{self.http.base_url} did not answer: {str(error) or repr(error)}"
                is_safe = not once or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            if not is_safe or self.deadline.left <= pause:
                raise Unavailable(reason)
            if TOLD_FROM <= pause < 2 * TOLD_FROM:
                self.tell(f"{reason}; asking again for {self.deadline.left:.0f} s")
            self.pause(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


@contextmanager
def reached(api: str, timeout: timedelta) -> Iterator[Gateway]:
    """Give the gateway at an address. Raises BadParameter when it is none."""
    base, is_near = _checked(api)
    token = os.environ.get("SYNCSVC_API_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limits = httpx.Timeout(LONGEST_ANSWER, connect=LONGEST_CONNECT)
    with httpx.Client(
        base_url=base, headers=headers, timeout=limits, trust_env=not is_near
    ) as http:
        yield Gateway(http, Deadline.after(timeout), tell=_tell)


def _tell(line: str) -> None:
    typer.echo(f"syncsvc: {line}", err=True)


def _checked(api: str) -> tuple[str, bool]:
    try:
        parts = urlsplit(api)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable, parts = False, urlsplit("")
    if not usable or parts.query or parts.fragment:
        raise typer.BadParameter(
            f"--api: expected an address such as {DEFAULT_API}, found {api[:200]!r}"
        )
    if "@" in parts.netloc:
        raise typer.BadParameter("--api: expected no credentials in it: set SYNCSVC_API_TOKEN")
    return api.rstrip("/"), parts.hostname in NEAR


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        request = answer.request
        return f"{request.method} {request.url} answered {answer.status_code}"
