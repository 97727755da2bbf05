"""A cluster in memory: what stands in it is set by the test, and logs are what was emitted."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from syncsvc.errors import SyncsvcError, Unknown
from syncsvc.loadtests.clusters import Change, Cluster, Event, NoLog
from syncsvc.loadtests.seen import (
    ContainerKind,
    ContainerSeen,
    ContainerState,
    JobSeen,
    Listed,
    PodSeen,
    Role,
    Stage,
    TestRunSeen,
)
from syncsvc.loadtests.stamps import parted, second_of, split
from tests.support.builders import NOON, SECOND

LogKey = tuple[str, str, str]  # namespace, pod, container
Seen = TypeVar("Seen", PodSeen, TestRunSeen)


def stamped(number: int, text: str = "line", *, at: datetime = NOON) -> bytes:
    """Give a line as a log has it: the number of milliseconds after a moment, and a text."""
    moment = at + number * SECOND / 1000
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}Z {text} {number}\n".encode()


def a_test_run(name: str, namespace: str, **known) -> TestRunSeen:
    fields = {"uid": f"uid-{name}", "created_at": NOON, "stage": Stage.STARTED}
    return TestRunSeen(namespace, name, **(fields | known))


def a_k6(exit_code: int | None = None) -> ContainerSeen:
    """Build the main container of a runner; it runs, unless it has an exit code."""
    if exit_code is None:
        return ContainerSeen("k6", ContainerKind.MAIN, ContainerState.RUNNING, started_at=NOON)
    return ContainerSeen(
        "k6",
        ContainerKind.MAIN,
        ContainerState.TERMINATED,
        reason="Error" if exit_code else "Completed",
        exit_code=exit_code,
        started_at=NOON,
        finished_at=NOON + SECOND,
    )


def a_runner(name: str, namespace: str, index: int) -> PodSeen:
    pod = f"{name}-{index}-x"
    return PodSeen(
        namespace,
        pod,
        f"uid-{pod}",
        name,
        Role.RUNNER,
        index,
        "Running",
        created_at=NOON,
        containers=(a_k6(),),
    )


@dataclass
class FakeCluster(Cluster):
    """One whose TestRuns go where they are led. `error_of` says what a namespace raises."""

    clock: Callable[[], datetime]
    runs: dict[tuple[str, str], TestRunSeen] = field(default_factory=dict)
    pods: dict[tuple[str, str], PodSeen] = field(default_factory=dict)
    jobs: list[JobSeen] = field(default_factory=list)
    logs: dict[LogKey, bytes] = field(default_factory=dict)
    down: SyncsvcError | None = None
    errors: dict[str, SyncsvcError] = field(default_factory=dict)  # by namespace
    log_errors: dict[str, SyncsvcError] = field(default_factory=dict)  # by pod
    calls: Counter[str] = field(default_factory=Counter)
    reads: list[tuple[str, datetime | None, int | None]] = field(default_factory=list)
    peak: int = 0
    left: dict[LogKey, bytes] = field(default_factory=dict)  # logs of pods that are gone
    history: list[Event[PodSeen]] = field(default_factory=list)
    run_history: list[Event[TestRunSeen]] = field(default_factory=list)
    lists_wait: asyncio.Event | None = None  # for this
    hung_up: SyncsvcError | None = None  # what ends streams, once they are stirred
    _streams: set[asyncio.Event] = field(default_factory=set, init=False)

    def launch(self, name: str, namespace: str = "load", runners: int = 1, **known) -> None:
        self.put_run(a_test_run(name, namespace, parallelism=runners, **known))
        for index in range(1, runners + 1):
            pod = a_runner(name, namespace, index)
            self.logs[namespace, pod.name, "k6"] = b""
            self.put(pod)

    def put_run(self, run: TestRunSeen) -> None:
        """Let a TestRun come to be, or be otherwise than it was."""
        change = Change.MODIFIED if (run.namespace, run.name) in self.runs else Change.ADDED
        self.runs[run.namespace, run.name] = run
        self._run_happened(change, run)

    def put(self, pod: PodSeen) -> None:
        """Let a pod come to be, or be otherwise than it was."""
        change = Change.MODIFIED if (pod.namespace, pod.name) in self.pods else Change.ADDED
        self.pods[pod.namespace, pod.name] = pod
        self._happened(change, pod)

    def emit(self, name: str, log: bytes, namespace: str = "load", index: int = 1) -> None:
        self.logs[namespace, f"{name}-{index}-x", "k6"] += log
        self.stir()

    def end(self, name: str, *codes: int, namespace: str = "load") -> None:
        """End all runners, with these exit codes, and have the operator see it."""
        for index, code in enumerate(codes, 1):
            self.end_runner(name, index, code, namespace)
        run = self.runs[namespace, name]
        self.put_run(replace(run, stage=Stage.FINISHED, load_ended_at=self.clock()))

    def end_runner(self, name: str, index: int, code: int, namespace: str = "load") -> None:
        key = (namespace, f"{name}-{index}-x")
        phase = "Failed" if code else "Succeeded"
        self.put(replace(self.pods[key], phase=phase, containers=(a_k6(code),)))

    def remove(self, name: str, namespace: str = "load") -> None:
        """Take the TestRun away, with its pods and their logs."""
        self._run_happened(Change.DELETED, self.runs.pop((namespace, name)))
        for pod in [pod for pod in self.pods.values() if pod.test_run == name]:
            self.remove_pod(pod.name, namespace)

    def remove_pod(self, name: str, namespace: str = "load") -> None:
        pod = self.pods.pop((namespace, name))
        of_it = {key: log for key, log in self.logs.items() if key[:2] == (namespace, name)}
        self.left |= of_it
        self.logs = {key: log for key, log in self.logs.items() if key not in of_it}
        self._happened(Change.DELETED, pod)

    def hang_up(self, error: SyncsvcError) -> None:
        """Break all streams off; those that are begun from now on are well."""
        self.hung_up = error
        self.stir()

    def stir(self) -> None:
        """Let streams see what there is."""
        for stream in self._streams:
            stream.set()

    @property
    def streams(self) -> int:
        """Count the watches and followed logs that are open."""
        return len(self._streams)

    def _happened(self, change: Change, pod: PodSeen) -> None:
        self.history.append(Event(change, pod, str(len(self.history) + 1)))
        self.stir()

    def _run_happened(self, change: Change, run: TestRunSeen) -> None:
        self.run_history.append(Event(change, run, str(len(self.run_history) + 1)))
        self.stir()

    async def listed(self, namespace: str, selector: str | None = None) -> Listed:
        self._called("list", namespace)
        if self.lists_wait is not None:
            await self.lists_wait.wait()
        return Listed(
            [run for run in self.runs.values() if run.namespace == namespace],
            [pod for pod in self.pods.values() if pod.namespace == namespace],
            [job for job in self.jobs if job.namespace == namespace],
            self.clock(),
            3,
        )

    async def test_run(self, namespace: str, name: str) -> TestRunSeen | None:
        self._called("get", namespace)
        return self.runs.get((namespace, name))

    async def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: datetime | None = None,
        limit_bytes: int | None = None,
    ) -> bytes:
        self._called("log", namespace)
        self.reads.append((pod, since, limit_bytes))
        if pod in self.log_errors:
            raise self.log_errors[pod]
        if (namespace, pod) not in self.pods:
            raise NoLog(f"container '{container}' of pod '{pod}' has no log: the pod is gone")
        lines = split(self.logs[namespace, pod, container])
        kept = b"".join(line for line in lines if since is None or _moment(line) >= since)
        return kept[:limit_bytes]

    async def follow(
        self, namespace: str, pod: str, container: str, *, since: datetime | None = None
    ) -> AsyncGenerator[bytes]:
        self._called("follow", namespace)
        if (namespace, pod) not in self.pods:
            raise NoLog(f"container '{container}' of pod '{pod}' has no log: the pod is gone")
        key, given = (namespace, pod, container), 0
        async for _ in self._stirred():
            lines = split(self.logs.get(key, self.left.get(key, b"")))
            wanted = [line for line in lines if since is None or _moment(line) >= since]
            for line in wanted[given:]:
                yield line.removesuffix(b"\n")
            given = len(wanted)
            if self._has_ended(namespace, pod, container):
                return

    def watch_pods(self, namespace: str, version: str = "") -> AsyncGenerator[Event[PodSeen]]:
        return self._changes(namespace, version, self.pods, self.history)

    def watch_test_runs(
        self, namespace: str, version: str = ""
    ) -> AsyncGenerator[Event[TestRunSeen]]:
        return self._changes(namespace, version, self.runs, self.run_history)

    async def _changes(
        self,
        namespace: str,
        version: str,
        there: dict[tuple[str, str], Seen],
        history: list[Event[Seen]],
    ) -> AsyncGenerator[Event[Seen]]:
        self._called("watch", namespace)
        given = int(version) if version else len(history)
        if not version:
            for each in [each for each in there.values() if each.namespace == namespace]:
                yield Event(Change.ADDED, each, str(given))
        async for _ in self._stirred():
            for event in history[given:]:
                if event.seen is not None and event.seen.namespace == namespace:
                    yield event
            given = len(history)

    async def _stirred(self) -> AsyncGenerator[None]:
        """Come back whenever something has happened, until streams are hung up."""
        news, self.hung_up = asyncio.Event(), None
        self._streams.add(news)
        try:
            while self.hung_up is None:
                news.clear()
                yield
                await news.wait()
            raise self.hung_up
        finally:
            self._streams.discard(news)

    def _has_ended(self, namespace: str, pod: str, container: str) -> bool:
        seen = self.pods.get((namespace, pod))
        found = [each for each in seen.containers if each.name == container] if seen else []
        return all(each.state is ContainerState.TERMINATED for each in found)

    async def version(self) -> str:
        return "v1.36.2"

    def _called(self, what: str, namespace: str) -> None:
        self.calls[what] += 1
        error = self.down or self.errors.get(namespace)
        if error is not None:
            raise error


def _moment(line: bytes) -> datetime:
    nanoseconds, _ = parted(line)
    return second_of(nanoseconds or 0)


@dataclass
class FakeClusters:
    """Clusters, by name."""

    by_name: dict[str, FakeCluster]

    @property
    def names(self) -> Sequence[str]:
        return list(self.by_name)

    def of(self, name: str | None) -> FakeCluster:
        if name is None:
            return next(iter(self.by_name.values()))
        if name not in self.by_name:
            raise Unknown(f"cluster: expected one of {', '.join(self.by_name)}, found '{name}'")
        return self.by_name[name]
