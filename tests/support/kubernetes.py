"""The sandbox's Kubernetes beside a test: its API and its control surface."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from syncsvc.sandbox.identities import KUBERNETES_ADMIN_TOKEN, KUBERNETES_TOKEN
from syncsvc.sandbox.kubernetes.cluster import Cluster
from syncsvc.sandbox.kubernetes.clusters import FIRST, Kubernetes
from syncsvc.sandbox.server import running
from tests.support.plain_http import plain_http

CONTROL = "/__sandbox__/kubernetes"
NAMESPACE = "k6-runs"
TESTRUNS = f"/apis/k6.io/v1alpha1/namespaces/{NAMESPACE}/testruns"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
MERGE = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True)
class World:
    url: str  # of the first cluster
    http: httpx.AsyncClient
    kubernetes: Kubernetes

    @property
    def cluster(self) -> Cluster:
        return self.kubernetes.clusters[FIRST]

    async def ask(
        self, method: str, path: str, token: str | None = KUBERNETES_TOKEN, **more: Any
    ) -> httpx.Response:
        """Call the API of the first cluster."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {})}
        headers |= more.pop("headers", {})
        return await self.http.request(method, self.url + path, headers=headers, **more)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.ask("GET", path, params=query)

    async def told(self, path: str, **query: Any) -> Any:
        """Ask for something that has to succeed; answer its JSON."""
        reply = await self.get(path, **query)
        assert reply.is_success, reply.text
        return reply.json()

    async def admin(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Call as somebody who may do everything."""
        return await self.ask(method, path, KUBERNETES_ADMIN_TOKEN, json=body, **more)

    async def lines(self, path: str, number: int, **query: Any) -> list[Any]:
        """Read so many events of a watch."""
        found: list[Any] = []
        headers = {"Authorization": f"Bearer {KUBERNETES_TOKEN}"}
        query = {"watch": "1", **query}
        stream = self.http.stream("GET", self.url + path, headers=headers, params=query)
        async with stream as reply:
            async for line in reply.aiter_lines():
                found.append(json.loads(line))
                if len(found) == number:
                    break
        return found

    async def tell(self, method: str, path: str, body: Any = None) -> Any:
        """Use the control surface of Kubernetes; a path may carry a query."""
        reply = await self.http.request(method, CONTROL + path, json=body)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    async def testruns(self, **wish: Any) -> list[dict[str, Any]]:
        """Make TestRuns; answer their states."""
        made: list[dict[str, Any]] = (await self.tell("POST", "/testruns", wish))["testruns"]
        return made

    async def step(self, until: str = "stage", **which: Any) -> dict[str, Any]:
        """Take TestRuns on; answer the state of the last of them."""
        told = await self.tell("POST", "/step", {"until": until, **which})
        found: dict[str, Any] = told["testruns"][-1]
        return found

    async def faults(self, *rules: dict[str, Any], **more: Any) -> None:
        reply = await self.http.put("/__sandbox__/faults", json={"rules": list(rules), **more})
        assert reply.is_success, reply.text


@asynccontextmanager
async def a_kubernetes(factor: float = 0, **more: Any) -> AsyncIterator[World]:
    """Serve an empty cluster until the context ends; its TestRuns move when they are told to."""
    kubernetes = Kubernetes(factor=factor, **more)
    async with (
        running(kubernetes=kubernetes) as address,
        plain_http(address.url) as http,
    ):
        yield World(f"{address.url}/k8s/{FIRST}", http, kubernetes)
