"""A gateway's settings for the sandbox's Kubernetes, and what a test asks of the gateway."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from syncsvc.settings import Settings
from tests.support.kubernetes import CONTROL, NAMESPACE, World

TESTS = "/api/v1/loadtests"
DASHBOARD = "/api/dashboard/load-testing"
SYNC_JOB = f"{DASHBOARD}/sync-job"
SYNC_NOW = f"{DASHBOARD}/sync-status-steps"
PATIENCE = 60  # seconds


async def watching(settings: Settings, k8s: World, **more: Any) -> Settings:
    """Let a gateway watch load tests in the sandbox's first cluster."""
    found = settings.data_dir / "kubeconfig"
    answer = await k8s.http.get(f"{CONTROL}/kubeconfig")
    await asyncio.to_thread(found.write_bytes, answer.content)
    return settings.model_copy(
        update={"k6_kubeconfig": found, "k6_namespaces": (NAMESPACE,), **more}
    )


@dataclass(frozen=True)
class Watched:
    """A gateway's API, and the cluster that it watches."""

    api: httpx.AsyncClient
    k8s: World

    async def watch(self, *test_runs: str, name: str = "Checkout", **more: Any) -> httpx.Response:
        steps = [{"test_run": each} for each in test_runs]
        return await self.api.post(TESTS, json={"name": name, "steps": steps, **more})

    async def finished(self, name: str = "load", **wish: Any) -> dict[str, Any]:
        """Watch a TestRun of one step from its start to its end, and give that step."""
        await self.k8s.testruns(name=name, until="started", **wish)
        step = (await self.watch(name)).json()["steps"][0]
        await self.k8s.tell("POST", "/emit", {"lines": 5})
        await self.cycle()
        await self.k8s.step("end", name=name)
        await self.cycle()
        return await self.told(f"/steps/{step['id']}")

    async def cycle(self) -> httpx.Response:
        return await self.api.post(SYNC_NOW, timeout=PATIENCE)

    async def told(self, path: str, **query: Any) -> Any:
        """Ask for something that has to succeed; answer its JSON."""
        answer = await self.api.get(TESTS + path, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    async def log(self, step: str, accept: str = "*/*", **query: Any) -> httpx.Response:
        return await self.api.get(
            f"{TESTS}/steps/{step}/log",
            params=query,
            headers={"Accept": accept},
            timeout=PATIENCE,
        )


def complaint(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"])
