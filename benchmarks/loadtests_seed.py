"""What there is to compare with: the dashboard's serial way, and bare reads of all logs."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools
import httpx

from benchmarks.loadtests_cluster import NAMESPACE, Running
from benchmarks.machine import cpu_seconds
from syncsvc.sandbox.identities import KUBERNETES_TOKEN

TESTRUNS = f"/apis/k6.io/v1alpha1/namespaces/{NAMESPACE}/testruns"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
AT_ONCE = 48
OWN = {"Authorization": f"Bearer {KUBERNETES_TOKEN}"}


@dataclass(frozen=True)
class Spent:
    seconds: float
    calls: int
    cpu: float


def serially(running: Running, steps: int) -> Spent:
    """Look at some steps as the dashboard does: one call after another."""
    calls, started, before = 0, time.perf_counter(), _cpu()
    with httpx.Client(base_url=running.api, headers=OWN, trust_env=False, timeout=30) as http:
        for number in range(steps):
            name = f"bench-{number}"
            http.get(f"{TESTRUNS}/{name}").raise_for_status()
            http.get(f"{TESTRUNS}/{name}").raise_for_status()
            query = {"labelSelector": f"k6_cr={name},runner=true"}
            listed = http.get(PODS, params=query).raise_for_status().json()["items"]
            for pod in listed:
                path = f"{PODS}/{pod['metadata']['name']}/log"
                query = {"container": "k6", "tailLines": "1000", "timestamps": "true"}
                http.get(path, params=query).raise_for_status()
            calls += 3 + len(listed)
    return Spent(time.perf_counter() - started, calls, _cpu() - before)


def raw(running: Running) -> Spent:
    """Read the log of every runner, so many side by side, by bare sockets, and keep nothing."""
    with httpx.Client(base_url=running.api, headers=OWN, trust_env=False, timeout=60) as http:
        answer = http.get(PODS, params={"labelSelector": "runner=true"}).raise_for_status()
    return asyncio.run(_raw(running, [pod["metadata"]["name"] for pod in answer.json()["items"]]))


async def _raw(running: Running, names: Sequence[str]) -> Spent:
    pods = iter(names)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    query = f"container=k6&timestamps=true&sinceTime={since}"
    where = urlsplit(running.api)
    started, before = time.perf_counter(), _cpu()

    async def work() -> int:
        done = 0
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        for pod in pods:
            writer.write(
                f"GET {where.path}{PODS}/{pod}/log?{query} HTTP/1.1\r\nHost: {where.netloc}\r\n"
                f"Authorization: {OWN['Authorization']}\r\n\r\n".encode()
            )
            await _whole(reader)
            done += 1
        writer.close()
        return done

    calls = sum(await asyncio.gather(*(work() for _ in range(AT_ONCE))))
    return Spent(time.perf_counter() - started, calls, _cpu() - before)


class _Answer:
    """What httptools tells of an answer."""

    done = False

    def on_message_complete(self) -> None:
        self.done = True


async def _whole(reader: asyncio.StreamReader) -> None:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    while not answer.done:
        parser.feed_data(await reader.read(65536))
    assert parser.get_status_code() == 200, parser.get_status_code()


def _cpu() -> float:
    return cpu_seconds([os.getpid()])
