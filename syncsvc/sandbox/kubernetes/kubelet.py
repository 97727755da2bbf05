"""Logs of pods, as the kubelets of their nodes give them, whole or as they come."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from syncsvc.sandbox.kubernetes.asked import Asked
from syncsvc.sandbox.kubernetes.log_options import Options, options
from syncsvc.sandbox.kubernetes.logs import Log
from syncsvc.sandbox.kubernetes.model import Container, Kind, Pod
from syncsvc.sandbox.kubernetes.operator import Operator
from syncsvc.sandbox.kubernetes.status import Failure, bad_request, not_found
from syncsvc.sandbox.kubernetes.switches import Switches
from syncsvc.sandbox.kubernetes.waiting import SHORTEST, first_of

NODES = ("node-1", "node-2", "node-3", "fake-1")
_WAITS = {
    "ImagePullBackOff": "trying and failing to pull image",
    "ErrImagePull": "image can't be pulled",
}


@dataclass(frozen=True)
class Kubelet:
    operator: Operator
    switches: Switches
    released: asyncio.Event

    def found(self, asked: Asked) -> tuple[Log, Options] | None:
        """Find the log that is meant; None for a pod that no node has. Raises Failure."""
        wanted = options(asked, self.operator.clock())
        stored = self.operator.store.get(Kind.PODS, (asked.namespace or "", asked.name or ""))
        if stored is None or not isinstance(stored.object, Pod):
            raise not_found("pods", "", asked.name or "")
        pod = stored.object
        container = _container(pod, wanted.container)
        if pod.node is None:
            return None
        self._reach(pod, pod.node, container)
        return self._log(pod, container, wanted), wanted

    def whole(self, log: Log, wanted: Options) -> bytes:
        """Give all that there is now; a limit cuts where it falls."""
        log.catch_up(self.operator.clock())
        parts = log.parts(wanted.first_of(log), timestamps=wanted.timestamps)
        if wanted.limit is None:
            return b"".join(parts)
        given = bytearray()
        for part in parts:
            given += part
            if len(given) >= wanted.limit:
                break
        return bytes(given[: wanted.limit])

    async def as_it_comes(self, log: Log, wanted: Options) -> AsyncIterator[bytes]:
        """Give what is there and then what follows, until the container has ended."""
        news = asyncio.Event()
        log.readers.add(news)
        try:
            async for part in _limited(self._coming(log, wanted, news), wanted.limit):
                yield part
        finally:
            log.readers.discard(news)

    async def _coming(self, log: Log, wanted: Options, news: asyncio.Event) -> AsyncIterator[bytes]:
        log.catch_up(self.operator.clock())
        first = wanted.first_of(log)
        while True:
            news.clear()
            self.operator.advance()
            log.catch_up(self.operator.clock())
            given, first = log.parts(first, timestamps=wanted.timestamps), len(log.lines)
            part = b"".join(given)
            if part:
                yield part
            if log.ended or self.released.is_set() or not self.switches.now.kubelet:
                return
            await first_of(news.wait(), self.released.wait(), seconds=self._pause(log))

    def _pause(self, log: Log) -> float | None:
        waits = [self.operator.seconds_to_next()]
        if log.gap is not None and log.next_at is not None:
            waits.append((log.next_at - self.operator.clock()).total_seconds())
        known = [max(each, SHORTEST) for each in waits if each is not None]
        return min(known) if known else None

    def _reach(self, pod: Pod, node: str, container: Container) -> None:
        where = f"{pod.meta.namespace}/{pod.meta.name}/{container.name}"
        if node not in NODES or node in self.switches.now.gone_nodes:
            raise not_found("pods", "", node)
        if not self.switches.now.kubelet:
            text = f'Get "https://{node}:10250/containerLogs/{where}"'
            refused = "dial tcp 127.0.0.1:10250: connect: connection refused"
            raise Failure(500, f"{text}: {refused}", reason="")

    def _log(self, pod: Pod, container: Container, wanted: Options) -> Log:
        named = f'container "{container.name}" in pod "{pod.meta.name}"'
        logs, key = self.operator.logs, (pod.meta.uid, container.name)
        log = logs.previous.get(key) if wanted.previous else logs.get(*key)
        if wanted.previous and log is None:
            raise bad_request(f"previous terminated {named} not found")
        if log is None:
            why = container.reason or "ContainerCreating"
            raise bad_request(f"{named} is waiting to start: {_WAITS.get(why, why)}")
        return log


def _container(pod: Pod, name: str | None) -> Container:
    if name is not None:
        return _named(pod, name)
    running = [each for each in pod.containers if each.kind != "init"]
    if len(running) != 1:
        names = " ".join(_ordered(pod.containers))
        text = f"a container name must be specified for pod {pod.meta.name}"
        raise bad_request(f"{text}, choose one of: [{names}]")
    return running[0]


def _named(pod: Pod, name: str) -> Container:
    for each in pod.containers:
        if each.name == name:
            return each
    raise bad_request(f"container {name} is not valid for pod {pod.meta.name}")


def _ordered(containers: Sequence[Container]) -> Sequence[str]:
    return [each.name for each in sorted(containers, key=lambda each: each.kind != "init")]


async def _limited(parts: AsyncIterator[bytes], limit: int | None) -> AsyncIterator[bytes]:
    async for part in parts:
        yield part if limit is None else part[:limit]
        if limit is not None:
            limit -= len(part)
            if limit <= 0:
                return
