"""Flower listens on a socket of its own; the gateway shows it under /flower/."""

from pathlib import Path

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from syncsvc.bodies import read_body
from syncsvc.errors import Unavailable

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"}
)
LARGEST_BODY = 1024 * 1024
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD"]


class FlowerProxy:
    """Passes requests on to Flower's socket, and its answers back."""

    def __init__(self, socket: Path) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(socket), verify=False)  # no TLS on a socket
        self._http = httpx.AsyncClient(
            transport=transport, base_url="http://flower", timeout=httpx.Timeout(30, connect=2)
        )

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/flower", self.to_root, methods=["GET"]),
            Route("/flower/{path:path}", self.pass_on, methods=METHODS),
        ]

    async def to_root(self, _request: Request) -> Response:
        return RedirectResponse("/flower/")

    async def pass_on(self, request: Request) -> Response:
        asked = self._http.build_request(
            request.method,
            httpx.URL(path=request.url.path, query=request.url.query.encode()),
            headers=[(k, v) for k, v in request.headers.raw if _travels(k)],
            content=await read_body(request, LARGEST_BODY),
        )
        try:
            answer = await self._http.send(asked, stream=True)
        except httpx.TransportError as error:
            raise Unavailable(
                "Flower does not answer: start it with 'syncsvc flower', or see its log"
            ) from error
        headers = {k: v for k, v in answer.headers.items() if _travels(k.encode())}
        return StreamingResponse(
            answer.aiter_raw(),
            answer.status_code,
            headers,
            background=BackgroundTask(answer.aclose),
        )

    async def close(self) -> None:
        await self._http.aclose()


def _travels(header: bytes) -> bool:
    return header.lower().decode("latin-1") not in HOP_BY_HOP | {"authorization"}
