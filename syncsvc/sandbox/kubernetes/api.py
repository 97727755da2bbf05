"""One call to a cluster: who asks, whether they may, and the answer."""

import asyncio
import zlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from syncsvc.sandbox.bodies import JSON_LIMIT, read
from syncsvc.sandbox.kubernetes.asked import Asked
from syncsvc.sandbox.kubernetes.cluster import Cluster
from syncsvc.sandbox.kubernetes.discovery import discovered
from syncsvc.sandbox.kubernetes.model import GROUP, GROUPS, VERSION, Kind
from syncsvc.sandbox.kubernetes.rights import ANONYMOUS, NOBODY, check, user_of
from syncsvc.sandbox.kubernetes.status import (
    JSON_TYPE,
    Failure,
    NoSuchPath,
    json_response,
    no_such_path,
    not_found,
)
from syncsvc.sandbox.kubernetes.watching import Watch
from syncsvc.sandbox.kubernetes.wire import single
from syncsvc.sandbox.replies import Refusal

GZIP_FROM = 128 * 1024  # bytes; shorter bodies are sent as they are
THREAD_FROM = 512 * 1024  # bytes; packing more would hold other calls up
_VERSIONS = {"": "v1", "batch": "v1", GROUP: VERSION}
_LOG = {"content-type": "text/plain"}
_WRITES = ("create", "update", "patch", "delete")
_SUBS = {Kind.PODS: ("log",), Kind.TESTRUNS: ("status",)}


@dataclass(frozen=True)
class Api:
    cluster: Cluster

    async def answer(self, request: Request, asked: Asked) -> Response:
        """Answer as a real API server does, refusals included."""
        self.cluster.operator.advance()
        try:
            check(self._user(request), asked, self.cluster.switches.now.forbidden)
            return await self._allowed(request, asked)
        except Failure as failure:
            return failure.response()
        except NoSuchPath:
            return no_such_path()
        except Refusal as refused:
            return Failure(refused.status, refused.detail).response()

    def _user(self, request: Request) -> str:
        now = self.cluster.switches.now
        user = user_of(request.headers.get("authorization", ""), now.tokens)
        return now.anonymous if user == ANONYMOUS and now.anonymous != NOBODY else user

    async def _allowed(self, request: Request, asked: Asked) -> Response:
        crd = self.cluster.switches.now.crd
        if asked.resource is None:
            return json_response(discovered(asked, with_operator=crd))
        kind = _kind(asked)
        if kind is Kind.TESTRUNS and not crd:
            raise NoSuchPath
        if asked.verb in _WRITES:
            return await self._write(request, kind, asked)
        return await self._read(request, kind, asked)

    async def _read(self, request: Request, kind: Kind, asked: Asked) -> Response:
        if asked.sub == "log":
            return self._log(asked)
        if asked.verb == "watch":
            return self._watch(kind, asked)
        if asked.verb == "list":
            body = self.cluster.lists.body(kind, asked, request.headers.get("accept", ""))
            return await _packed(body, request)
        return self._single(kind, asked)

    async def _write(self, request: Request, kind: Kind, asked: Asked) -> Response:
        body = await read(request, JSON_LIMIT)
        writing = self.cluster.writing
        if asked.verb == "create":
            return writing.create(kind, asked, body)
        if asked.verb == "delete":
            return writing.delete(kind, asked, body)
        if kind is not Kind.TESTRUNS:
            raise _not_allowed()
        if asked.verb == "patch":
            return writing.patch(asked, request.headers.get("content-type", ""), body)
        return writing.update(asked, body)

    def _single(self, kind: Kind, asked: Asked) -> Response:
        if asked.verb != "get":
            raise _not_allowed()
        namespace = "" if kind is Kind.NAMESPACES else asked.namespace or ""
        stored = self.cluster.operator.store.get(kind, (namespace, asked.name or ""))
        if stored is None:
            raise not_found(kind, asked.group, asked.name or "")
        return Response(single(kind, stored) + b"\n", media_type=JSON_TYPE)

    def _watch(self, kind: Kind, asked: Asked) -> Response:
        watch = Watch(kind, asked, self.cluster.operator, self.cluster.released)
        return StreamingResponse(watch.lines(), media_type=JSON_TYPE)

    def _log(self, asked: Asked) -> Response:
        kubelet = self.cluster.kubelet
        found = kubelet.found(asked)
        if found is None:
            return Response(status_code=204)
        log, wanted = found
        if wanted.follow:
            return StreamingResponse(kubelet.as_it_comes(log, wanted), headers=_LOG)
        response = Response(kubelet.whole(log, wanted), headers=_LOG)
        del response.headers["content-length"]  # kubelets send chunks
        return response


def _kind(asked: Asked) -> Kind:
    """Find the resource that a path names. Raises NoSuchPath."""
    if _VERSIONS.get(asked.group) != asked.version:
        raise NoSuchPath
    for kind, group in GROUPS.items():
        if kind == asked.resource and group == asked.group:
            if asked.sub is not None and asked.sub not in _SUBS.get(kind, ()):
                raise NoSuchPath
            return kind
    raise NoSuchPath


def _not_allowed() -> Failure:
    return Failure(405, "the server does not allow this method on the requested resource")


async def _packed(body: bytes, request: Request) -> Response:
    """Pack a long body for whoever takes it packed."""
    if len(body) <= GZIP_FROM or "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(body, media_type=JSON_TYPE)
    if len(body) > THREAD_FROM:
        packed = await asyncio.to_thread(_gzip, body)
    else:
        packed = _gzip(body)
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(packed, headers=headers, media_type=JSON_TYPE)


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
