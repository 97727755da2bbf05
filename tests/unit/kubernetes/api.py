"""A cluster that answers what a test says, and time that only its pauses move."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from syncsvc.adapters.kubernetes.access import Access, Credentials, Presented
from syncsvc.adapters.kubernetes.calls import KubernetesCalls, Manner
from syncsvc.adapters.kubernetes.client import KubernetesCluster
from syncsvc.adapters.kubernetes.connecting import Wire
from syncsvc.adapters.kubernetes.credentials import Fixed
from tests.support.builders import NOON

TOKEN = "t0ken-of-a-secret"
SERVER = "https://kube.invalid:6443/prefix"
NS = "k6-runs"

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class Time:
    waits: list[float] = field(default_factory=list)

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=sum(self.waits))


@dataclass
class Api:
    """Answers by path, each path's answers in turn; the last is repeated."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    time: Time = field(default_factory=Time)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        ending = request.url.path.rpartition("/")[2]
        left = self.answers.get(ending) or [status(404, text="404 page not found\n")]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else _copy(answer)

    def cluster(
        self, credentials: Credentials | None = None, server: str = SERVER, **manner: object
    ) -> KubernetesCluster:
        shown = credentials or Fixed(Presented(TOKEN))
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        calm = Manner(pause=self.time.pause, chance=lambda: 0.5, clock=self.time.clock, **manner)
        return KubernetesCluster(KubernetesCalls(Access("prod", server, shown), Wire(http), calm))


def api(**answers: Answer | list[Answer]) -> Api:
    """Give a cluster that answers so where a path ends so; what has no name is empty."""
    lists = {"testruns": items("TestRun"), "pods": items("Pod"), "jobs": items("Job")}
    told = {name.replace("_", "-"): answer for name, answer in answers.items()}
    return Api(
        {
            name: answer if isinstance(answer, list) else [answer]
            for name, answer in {**lists, **told}.items()
        }
    )


def status(code: int, text: str = "", **headers: str) -> httpx.Response:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, text=text, headers=told)


def ok(body: object) -> httpx.Response:
    return httpx.Response(200, json=body)


def logged(text: bytes) -> httpx.Response:
    return httpx.Response(200, content=text, headers={"Content-Type": "text/plain"})


def items(kind: str, *objects: object, following: str = "") -> httpx.Response:
    metadata = {"resourceVersion": "7", "continue": following}
    return ok({"kind": f"{kind}List", "apiVersion": "v1", "metadata": metadata, "items": objects})


def failure(
    code: int, reason: str | None = None, message: str = "", **details: object
) -> httpx.Response:
    """Give a Status, as the API server writes its refusals."""
    body: dict[str, object] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "code": code,
    }
    if reason is not None:
        body["reason"] = reason
    if details:
        body["details"] = details
    return httpx.Response(code, json=body)


def not_found(name: str, kind: str = "testruns") -> httpx.Response:
    return failure(404, "NotFound", f'{kind} "{name}" not found', name=name, kind=kind)


def lines(*events: object) -> httpx.Response:
    return logged(b"".join(json.dumps(each).encode() + b"\n" for each in events))


def a_run(name: str = "load", **status: object) -> dict[str, object]:
    return {
        "kind": "TestRun",
        "metadata": {
            "name": name,
            "namespace": NS,
            "uid": f"uid-{name}",
            "creationTimestamp": "2026-01-01T12:00:00Z",
            "labels": {"app": "k6"},
        },
        "spec": {"parallelism": 2, "script": {"configMap": {"name": "x"}}},
        **({"status": status} if status else {}),
    }


def pod(name: str, run: str = "load", job: str = "load-1", **parts: object) -> dict[str, object]:
    """Give a runner's pod, unless `labels` say otherwise; `spec` and `status` as they are."""
    labels = {"app": "k6", "k6_cr": run, "runner": "true", "job-name": job}
    return {
        "metadata": {
            "name": name,
            "namespace": NS,
            "uid": f"uid-{name}",
            "labels": parts.get("labels", labels),
        },
        "spec": parts.get("spec", {"containers": [{"name": "k6"}]}),
        **({"status": parts["status"]} if "status" in parts else {}),
    }


def _copy(answer: httpx.Response) -> httpx.Response:
    headers = [pair for pair in answer.headers.raw if pair[0].lower() != b"content-encoding"]
    return httpx.Response(answer.status_code, headers=headers, content=answer.content)
