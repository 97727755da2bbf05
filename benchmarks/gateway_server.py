"""The gateway of `gateway.py`: the real one, and a bare route on a port of its own."""

import sys

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncsvc import telemetry
from syncsvc.doors import Listener, bind
from syncsvc.gateway.app import ByPort
from syncsvc.gateway.edge import Edge
from syncsvc.gateway.server import Server, settle_memory
from syncsvc.settings import load
from syncsvc.wiring.gateway import presence, sync_storage
from syncsvc.wiring.services import build


async def hello(_request: Request) -> Response:
    return Response(b'{"hello":"world"}', media_type="application/json")


async def nothing() -> None:
    """Nobody is connected who must be told that we stop."""


async def main() -> None:
    settings = load()
    telemetry.configure(settings)
    services = build(settings)
    bare = Edge(Starlette(routes=[Route("/hello", hello, methods=["GET", "POST"])]), "bare")
    surfaces = {"hello": bare, "sync-storage": sync_storage(services, presence(settings, services))}
    sockets = {name: bind(Listener(name, "", 0, "nothing")) for name in surfaces}
    ports = {name: opened[0].getsockname()[1] for name, opened in sockets.items()}
    app = ByPort({ports[name]: surface for name, surface in surfaces.items()})
    print(*ports.values(), flush=True)
    settle_memory()
    await Server(app, lambda: None, nothing).serve(
        sockets=[s for opened in sockets.values() for s in opened]
    )
    await services.close()


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
