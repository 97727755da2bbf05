"""Everything Test IT answers to, on both surfaces, and who may ask."""

import hmac
from dataclasses import dataclass

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from syncsvc.sandbox.replies import problem
from syncsvc.sandbox.testit.attachment_routes import AttachmentEndpoints
from syncsvc.sandbox.testit.catalogue_routes import AutotestEndpoints, ProjectEndpoints
from syncsvc.sandbox.testit.instance import TestIt
from syncsvc.sandbox.testit.result_routes import ResultEndpoints
from syncsvc.sandbox.testit.run_routes import RunEndpoints
from syncsvc.sandbox.testit.surface import ADAPTERS, OFFICIAL, Surface


def routes(testit: TestIt) -> list[BaseRoute]:
    return [*_on(testit, OFFICIAL), *_on(testit, ADAPTERS)]


@dataclass(frozen=True)
class Gate:
    """Asks everybody who comes to Test IT for the token, whatever the path behind it."""

    app: ASGIApp
    testit: TestIt
    token: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.app
        if scope["type"] == "http" and _is_guarded(scope["path"]):
            if not self._knows(scope):
                answer = problem(401, "expected the header Authorization: PrivateToken <token>")
            elif self._has_no(scope["path"]):
                answer = problem(404, f"{scope['path']} was not found")
        await answer(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        expected = f"PrivateToken {self.token}".encode()
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, expected)

    def _has_no(self, path: str) -> bool:
        return path.startswith(ADAPTERS.prefix) and not self.testit.adapters_surface


def _is_guarded(path: str) -> bool:
    return path.startswith((f"{OFFICIAL.prefix}/", f"{ADAPTERS.prefix}/"))


def _on(testit: TestIt, surface: Surface) -> list[BaseRoute]:
    return [
        *ProjectEndpoints(testit, surface).routes(),
        *AutotestEndpoints(testit, surface).routes(),
        *AttachmentEndpoints(testit, surface).routes(),
        *RunEndpoints(testit, surface).routes(),
        *ResultEndpoints(testit, surface).routes(),
    ]
