"""Whether this process lives, and whether it can do its work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from syncsvc.errors import SyncsvcError

PATIENCE = 3.0  # seconds for all checks together

Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Health:
    """`checks` are what requests depend on; one that fails makes the process not ready."""

    checks: Mapping[str, Check]

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/health", self.alive, methods=["GET"]),
            Route("/ready", self.ready, methods=["GET"]),
        ]

    async def alive(self, _request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(self, _request: Request) -> Response:
        said = await asyncio.gather(*(_try(check) for check in self.checks.values()))
        problems = {n: word for n, word in zip(self.checks, said, strict=True) if word != "ok"}
        body = {
            "status": "not ready" if problems else "ready",
            "dependencies": dict(zip(self.checks, said, strict=True)),
        }
        return JSONResponse(body, 503 if problems else 200)


async def _try(check: Check) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except SyncsvcError as error:
        return str(error)
    except TimeoutError:
        return f"did not answer within {PATIENCE:g} s"
    return "ok"
