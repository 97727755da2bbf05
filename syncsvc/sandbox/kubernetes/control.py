"""Kubernetes' part of the control surface: clusters, their speed, switches and counts.

`?cluster=` names the cluster that is meant; without it, the first one.
"""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.sandbox.bodies import JSON_LIMIT, decode, read
from syncsvc.sandbox.faults import is_pattern
from syncsvc.sandbox.identities import (
    KUBERNETES_ADMIN_TOKEN,
    KUBERNETES_NOBODY_TOKEN,
    KUBERNETES_TOKEN,
)
from syncsvc.sandbox.kubernetes.cluster import Cluster
from syncsvc.sandbox.kubernetes.clusters import FIRST, Kubernetes
from syncsvc.sandbox.kubernetes.kubeconfig import kubeconfig
from syncsvc.sandbox.kubernetes.log_control import LogControl
from syncsvc.sandbox.kubernetes.malformed import Malformed
from syncsvc.sandbox.kubernetes.model import Kind
from syncsvc.sandbox.kubernetes.rights import ADMIN, NOBODY, READER
from syncsvc.sandbox.kubernetes.run_control import RunControl
from syncsvc.sandbox.kubernetes.switches import Wanted
from syncsvc.sandbox.kubernetes.wishes import WORDS, Empty, Speed
from syncsvc.sandbox.replies import K8S, Missing, Refusal, json_reply

PREFIX = "/__sandbox__/kubernetes"
_NAME = re.compile(r"^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$")
_TOKENS = {
    READER: KUBERNETES_TOKEN,
    ADMIN: KUBERNETES_ADMIN_TOKEN,
    NOBODY: KUBERNETES_NOBODY_TOKEN,
}


@dataclass(frozen=True)
class KubernetesControl:
    kubernetes: Kubernetes

    def routes(self) -> list[BaseRoute]:
        return [
            Route(f"{PREFIX}/clusters", self.clusters, methods=["GET"]),
            Route(f"{PREFIX}/cluster", self.put_cluster, methods=["PUT"]),
            Route(f"{PREFIX}/cluster", self.delete_cluster, methods=["DELETE"]),
            Route(f"{PREFIX}/kubeconfig", self.kubeconfig, methods=["GET"]),
            Route(f"{PREFIX}/speed", self.speed, methods=["GET"]),
            Route(f"{PREFIX}/speed", self.put_speed, methods=["PUT"]),
            Route(f"{PREFIX}/switches", self.switches, methods=["GET"]),
            Route(f"{PREFIX}/switches", self.put_switches, methods=["PUT"]),
            Route(f"{PREFIX}/switches", self.delete_switches, methods=["DELETE"]),
            Route(f"{PREFIX}/expire", self.expire, methods=["POST"]),
            Route(f"{PREFIX}/bookmarks", self.bookmarks, methods=["POST"]),
            Route(f"{PREFIX}/malformed", self.put_malformed, methods=["PUT"]),
            Route(f"{PREFIX}/counts", self.counts, methods=["GET"]),
            *RunControl(self.cluster).routes(PREFIX),
            *LogControl(self.cluster).routes(PREFIX),
        ]

    def cluster(self, request: Request) -> Cluster:
        """Find the cluster that a call means, as it is by now."""
        name = request.query_params.get("cluster", FIRST)
        if name not in self.kubernetes.clusters:
            raise Missing("the cluster", name[:80])
        found = self.kubernetes.clusters[name]
        found.operator.advance()
        return found

    async def clusters(self, request: Request) -> Response:
        known = self.kubernetes.clusters
        return json_reply({"clusters": [self._summary(request, name) for name in known]})

    async def put_cluster(self, request: Request) -> Response:
        decode(await read(request, JSON_LIMIT), Empty)
        name = _new_name(request)
        self.kubernetes.put(name)
        return json_reply(self._summary(request, name))

    async def delete_cluster(self, request: Request) -> Response:
        self.cluster(request)
        del self.kubernetes.clusters[request.query_params.get("cluster", FIRST)]
        return Response(status_code=204)

    async def kubeconfig(self, request: Request) -> Response:
        user = request.query_params.get("user", READER)
        if user not in _TOKENS:
            expected = f"expected {', '.join(_TOKENS)}"
            raise Refusal(400, f"user: found {user[:80]!r}, {expected}", "user")
        servers = {name: self._url(request, name) for name in self.kubernetes.clusters}
        body = kubeconfig(servers, FIRST, user, _TOKENS[user])
        return Response(body, media_type="application/yaml")

    async def speed(self, request: Request) -> Response:
        return json_reply({"factor": self.cluster(request).operator.factor})

    async def put_speed(self, request: Request) -> Response:
        wanted = decode(await read(request, JSON_LIMIT), Speed)
        self.cluster(request).operator.hasten(wanted.factor)
        return json_reply(wanted)

    async def switches(self, request: Request) -> Response:
        return json_reply(self.cluster(request).switched())

    async def put_switches(self, request: Request) -> Response:
        cluster = self.cluster(request)
        cluster.switch(decode(await read(request, JSON_LIMIT), Wanted, WORDS))
        return json_reply(cluster.switched())

    async def delete_switches(self, request: Request) -> Response:
        self.cluster(request).switch(Wanted())
        return Response(status_code=204)

    async def expire(self, request: Request) -> Response:
        """Make every version that was given so far too old."""
        store = self.cluster(request).operator.store
        store.expire()
        store.wake()
        return Response(status_code=204)

    async def bookmarks(self, request: Request) -> Response:
        store = self.cluster(request).operator.store
        store.bookmarks += 1
        store.wake()
        return Response(status_code=204)

    async def put_malformed(self, request: Request) -> Response:
        wanted = decode(await read(request, JSON_LIMIT), Malformed, WORDS)
        for number, each in enumerate(wanted.answers):
            if not is_pattern(each.pattern):
                field = f"answers[{number}].pattern"
                text = f"{field}: found {each.pattern!r}, expected a regular expression"
                raise Refusal(400, text, field)
        self.cluster(request).mischief.left = list(wanted.answers)
        return json_reply(wanted)

    async def counts(self, request: Request) -> Response:
        """Tell who has called; `?clear` forgets it afterwards."""
        counts = self.cluster(request).counts
        reply = json_reply(counts.shown())
        if "clear" in request.query_params:
            counts.clear()
        return reply

    def _summary(self, request: Request, name: str) -> dict[str, object]:
        store = self.kubernetes.clusters[name].operator.store
        kinds = (Kind.TESTRUNS, Kind.PODS, Kind.JOBS)
        numbers = {kind.value: store.count(kind) for kind in kinds}
        return {"name": name, "url": self._url(request, name), **numbers}

    def _url(self, request: Request, name: str) -> str:
        return f"{str(request.base_url).rstrip('/')}{K8S}{name}"


def _new_name(request: Request) -> str:
    name = request.query_params.get("cluster", FIRST)
    if not _NAME.match(name):
        expected = "expected at most 63 of a-z, 0-9, - and ., such as main"
        raise Refusal(400, f"cluster: found {name[:80]!r}, {expected}", "cluster")
    return name
