"""The least that a server of our kind can do: bare picows and a bare ASGI app on one uvloop.

`/echo` sends back what it is sent; `/meet` counts arrivals in memory and sends everybody one
prepared frame; `/relay` sends what one connection says to the others. The HTTP app answers with
the body it is given, on uvicorn as the gateway has it. Prints its two ports, and serves until it
is stopped.
"""

import sys
from urllib.parse import urlsplit

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server
from starlette.types import Receive, Scope, Send

from syncsvc.doors import Listener, bind
from syncsvc.gateway.server import Server, settle_memory

RELEASE = msgspec.json.encode(
    {
        "command": "wait_checkpoint",
        "content": {"identifier": "round-10000", "finished": True, "start_at": 1795225768334},
    }
)


class Echo(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())


class Meet(WSListener):
    """Arrivals at one checkpoint are equal bytes, so the bytes are its name."""

    arrived: dict[bytes, list[WSTransport]] = {}  # noqa: RUF012 - one for all connections
    targets: dict[bytes, int] = {}  # noqa: RUF012

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        said = frame.get_payload_as_bytes()
        waiting = self.arrived.get(said)
        if waiting is None:
            waiting = self.arrived[said] = []
            self.targets[said] = msgspec.json.decode(said)["content"]["target_count"]
        waiting.append(transport)
        if len(waiting) >= self.targets[said]:
            for each in waiting:
                each.send(WSMsgType.TEXT, RELEASE)
            del self.arrived[said], self.targets[said]


class Relay(WSListener):
    """Sends what one connection says to all others."""

    here: set[WSTransport] = set()  # noqa: RUF012 - one for all connections

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.here.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.here.discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        said = frame.get_payload_as_bytes()
        for each in self.here:
            if each is not transport:
                each.send(WSMsgType.TEXT, said)


PATHS = {"/meet": Meet, "/relay": Relay}


def listener(request: WSUpgradeRequest) -> WSListener:
    path = urlsplit(request.path.decode()).path
    return PATHS.get(path, Echo)()


async def answer(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send the body back."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def main() -> None:
    http = bind(Listener("http", "", 0, "nothing"))
    meeting = await ws_create_server(listener, "127.0.0.1", 0, backlog=2048)
    web_socket = meeting.sockets[0].getsockname()[1]

    def serving() -> None:
        print(web_socket, http[0].getsockname()[1], flush=True)

    async def stopping() -> None:
        meeting.close()

    settle_memory()
    await Server(answer, serving, stopping).serve(sockets=http)


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
