"""The way from the sandbox's port to a cluster: calls are counted first and answered last."""

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncsvc.sandbox.interference import abort
from syncsvc.sandbox.kubernetes.api import Api
from syncsvc.sandbox.kubernetes.asked import Asked, asked
from syncsvc.sandbox.kubernetes.cluster import Cluster
from syncsvc.sandbox.kubernetes.clusters import Kubernetes
from syncsvc.sandbox.kubernetes.malformed import Answer, spoiled
from syncsvc.sandbox.kubernetes.status import no_such_path
from syncsvc.sandbox.replies import K8S

_MEANT = "sandbox.kubernetes"
_Meant = tuple[Cluster, Asked]


@dataclass(frozen=True)
class Tally:
    """Finds out what a call is about and counts it from its first byte to its last."""

    app: ASGIApp
    kubernetes: Kubernetes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(K8S):
            await self.app(scope, receive, send)
            return
        name, _, rest = scope["path"].removeprefix(K8S).partition("/")
        cluster = self.kubernetes.clusters.get(name)
        if cluster is None:
            await no_such_path()(scope, receive, send)
            return
        wanted = asked(scope["method"], f"/{rest}", scope.get("query_string", b""))
        scope[_MEANT] = (cluster, wanted)
        counted = _Counted(send)
        cluster.counts.begin(wanted.label)
        try:
            await self.app(scope, receive, counted.send)
        finally:
            cluster.counts.end(wanted.label, counted.status, counted.size)


@dataclass(frozen=True)
class Gate:
    """Answers calls to clusters; all others go on."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        meant: _Meant | None = scope.get(_MEANT)
        if meant is None:
            await self.app(scope, receive, send)
            return
        cluster, wanted = meant
        response = await Api(cluster).answer(Request(scope, receive), wanted)
        wrong = cluster.mischief.strike(wanted.path) if cluster.mischief.left else None
        if wrong is Answer.CUT:
            await _cut(response, scope, receive, send)
            return
        answer = response if wrong is None else spoiled(wrong, _body(response))
        await answer(scope, receive, send)


def _body(response: Response) -> bytes:
    """Give what can be spoiled; a stream can only be cut short."""
    return bytes(getattr(response, "body", b""))


@dataclass
class _Counted:
    to: Send
    status: int | None = None
    size: int = field(default=0)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.size += len(message.get("body", b""))
        await self.to(message)


async def _cut(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Promise the whole body, send half of it, and tear the connection."""
    body = _body(response)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    half = body[: len(body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    await abort(scope, receive)
