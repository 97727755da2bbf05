"""How many calls are under way at once: the layer that counts them, latency and faults included."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from syncsvc.sandbox.calls import route_of
from syncsvc.sandbox.replies import CUSTOMER

BEGAN = "sandbox.began"  # where the scope tells when a call came in
_PREFIX = b"Token "


@dataclass
class Level:
    in_flight: int = 0
    peak: int = 0

    def enter(self) -> None:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def leave(self) -> None:
        self.in_flight -= 1


@dataclass
class Load:
    total: Level = field(default_factory=Level)
    tokens: dict[str, Level] = field(default_factory=dict)
    routes: dict[str, Level] = field(default_factory=dict)

    def levels(self, token: str, route: str) -> tuple[Level, ...]:
        """Give what a call counts for; a token of nobody counts in the total only."""
        known = self.tokens.setdefault(token, Level()) if token else Level()
        return self.total, known, self.routes.setdefault(route, Level())

    def clear(self) -> None:
        """Forget the peaks; what is under way stays counted."""
        for named in (self.tokens, self.routes):
            for name in [name for name, level in named.items() if not level.in_flight]:
                del named[name]
        for level in (self.total, *self.tokens.values(), *self.routes.values()):
            level.peak = level.in_flight


@dataclass(frozen=True)
class Counter:
    """Counts a call from its first byte to its last; `known` are tokens that may be named."""

    app: ASGIApp
    load: Load
    known: Mapping[str, object]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(CUSTOMER):
            await self.app(scope, receive, send)
            return
        scope[BEGAN] = time.monotonic()
        levels = self.load.levels(self._token(scope), route_of(scope["method"], scope["path"]))
        for level in levels:
            level.enter()
        try:
            await self.app(scope, receive, send)
        finally:
            for level in levels:
                level.leave()

    def _token(self, scope: Scope) -> str:
        given = token_of(scope)
        return given if given in self.known else ""


def token_of(scope: Scope) -> str:
    """Read the token that a call brings, or nothing."""
    given = dict(scope["headers"]).get(b"authorization", b"")
    return given.removeprefix(_PREFIX).decode("latin-1") if given.startswith(_PREFIX) else ""
