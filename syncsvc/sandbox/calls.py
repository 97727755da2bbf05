"""A log of the calls a sandbox received, so that a test can say who asked what, and how often."""

import re
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncsvc.sandbox.interference import STRUCK
from syncsvc.sandbox.replies import K8S

KEPT = 1000  # calls; the counters know of all
_NAMED = re.compile(r"/(namespaces|testruns|pods|jobs)/[^/]+")  # Kubernetes' objects
_ANY = r"/\1/{name}"
_ID = re.compile(r"/(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d+)(?=/|$)")


@dataclass(frozen=True)
class Call:
    number: int
    time: datetime
    method: str
    path: str
    status: int | None  # None: no answer was given
    milliseconds: float
    fault: str | None
    query: str = ""


@dataclass
class CallLog:
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=KEPT))
    counters: dict[str, Counter[str]] = field(default_factory=dict)
    total: int = 0

    def add(self, scope: Scope, status: int | None, milliseconds: float) -> None:
        self.total += 1
        method, path, fault = scope["method"], scope["path"], scope.get(STRUCK)
        now = datetime.now(UTC)
        query = scope.get("query_string", b"").decode("latin-1")
        self.calls.append(Call(self.total, now, method, path, status, milliseconds, fault, query))
        answers = self.counters.setdefault(route_of(method, path), Counter())
        answers["none" if status is None else str(status)] += 1

    def clear(self) -> None:
        self.calls.clear()
        self.counters.clear()
        self.total = 0


def route_of(method: str, path: str) -> str:
    """Name a call without the ids in its path."""
    if path.startswith(K8S):
        return f"{method} {_NAMED.sub(_ANY, path)}"
    return f"{method} {_ID.sub('/{id}', path)}"


@dataclass(frozen=True)
class Recorder:
    """Writes every call down when it is over, with what the client was answered."""

    app: ASGIApp
    log: CallLog
    exempt: Callable[[str], bool]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.exempt(scope["path"]):
            await self.app(scope, receive, send)
            return
        answered: list[int] = []

        async def listen(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
            await send(message)

        began = time.perf_counter()
        try:
            await self.app(scope, receive, listen)
        finally:
            taken = (time.perf_counter() - began) * 1000
            self.log.add(scope, answered[0] if answered else None, round(taken, 3))
