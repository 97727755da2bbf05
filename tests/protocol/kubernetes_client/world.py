"""Our client before the sandbox's Kubernetes, and what arranges it."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from syncsvc.adapters.kubernetes.access import Access, Credentials, Presented
from syncsvc.adapters.kubernetes.calls import Manner
from syncsvc.adapters.kubernetes.client import KubernetesCluster
from syncsvc.adapters.kubernetes.clusters import KubernetesClusters
from syncsvc.adapters.kubernetes.credentials import Fixed
from syncsvc.sandbox.identities import (
    KUBERNETES_ADMIN_TOKEN,
    KUBERNETES_NOBODY_TOKEN,
    KUBERNETES_TOKEN,
)

NS = "k6-runs"
CONTROL = "/__sandbox__/kubernetes"


async def no_pause(seconds: float) -> None:
    """Wait for nothing."""


def fixed(token: str) -> Credentials:
    return Fixed(Presented(token))


@dataclass
class World:
    url: str
    side: httpx.AsyncClient
    opened: list[KubernetesClusters] = field(default_factory=list)

    def cluster(self, credentials: Credentials | None = None) -> KubernetesCluster:
        server = f"{self.url}/k8s/main"
        access = Access("main", server, credentials or fixed(KUBERNETES_TOKEN))
        self.opened.append(KubernetesClusters([access], Manner(pause=no_pause)))
        return self.opened[-1].of(None)

    def admin(self) -> KubernetesCluster:
        return self.cluster(fixed(KUBERNETES_ADMIN_TOKEN))

    def nobody(self) -> KubernetesCluster:
        return self.cluster(fixed(KUBERNETES_NOBODY_TOKEN))

    async def tell(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.side.request(method, f"{CONTROL}{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def launch(self, **wish: object) -> list[dict[str, Any]]:
        """Start TestRuns; gives their states."""
        return (await self.tell("POST", "/testruns", {"namespace": NS, **wish}))["testruns"]

    async def emitted(self, pod: str, container: str = "k6") -> bytes:
        """Give what a container has written, with moments."""
        query = {"namespace": NS, "pod": pod, "container": container, "timestamps": "true"}
        return (await self.side.get(f"{CONTROL}/emitted", params=query)).content

    async def close(self) -> None:
        for each in self.opened:
            await each.close()
