"""Pods and their Jobs: how they begin, wait, run, end and go."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from syncsvc.sandbox.kubernetes.logs import Log, Logs
from syncsvc.sandbox.kubernetes.model import Container, Job, Kind, Meta, Owner, Pod, TestRun
from syncsvc.sandbox.kubernetes.store import Key, Store

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
UNSCHEDULABLE = "0/3 nodes are available: 3 Insufficient cpu."
EVICTED = "The node was low on resource: memory."
NODE_COUNT = 3
LINE_GAP = timedelta(microseconds=20)  # between lines of one moment


@dataclass(frozen=True)
class Ending:
    """What a container's end looks like, by its word or exit code."""

    code: int
    reason: str
    pod_reason: str | None = None
    pod_message: str | None = None


WORDS = {
    "oom": Ending(137, "OOMKilled"),
    "evicted": Ending(137, "Error", "Evicted", EVICTED),
}


def ending(exit_: int | str) -> Ending:
    if isinstance(exit_, str):
        return WORDS[exit_]
    return Ending(exit_, "Error" if exit_ else "Completed")


@dataclass
class Pods:
    store: Store
    logs: Logs
    chance: Random = field(default_factory=Random)

    def uid(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def start_job(
        self, run: TestRun, name: str, containers: Sequence[Container], at: datetime
    ) -> Pod:
        """Make a Job of a TestRun and its Pod, which waits for its containers."""
        is_runner = name.removeprefix(f"{run.meta.name}-").isdecimal()
        labels = {**run.meta.labels, "app": "k6", "k6_cr": run.meta.name}
        labels |= {"runner": "true"} if is_runner else {}
        owner = Owner(Kind.TESTRUNS, run.meta.name, run.meta.uid)
        meta = Meta(run.meta.namespace, name, self.uid(), at, labels, owner=owner)
        self.store.put(Kind.JOBS, Job(meta))
        own = {"controller-uid": meta.uid, "batch.kubernetes.io/controller-uid": meta.uid}
        labels = {**labels, **own, "job-name": name, "batch.kubernetes.io/job-name": name}
        suffix = "".join(self.chance.choices(_LETTERS, k=5))
        owner = Owner(Kind.JOBS, name, meta.uid)
        its = Meta(run.meta.namespace, f"{name}-{suffix}", self.uid(), at, labels, owner=owner)
        node = f"node-{self.chance.randrange(NODE_COUNT) + 1}"
        pod = Pod(its, tuple(containers), node)
        self.store.put(Kind.PODS, pod)
        return pod

    def change(self, key: Key, how: Callable[[Pod], Pod]) -> Pod | None:
        """Change a pod, if it is still there."""
        stored = self.store.get(Kind.PODS, key)
        if stored is None or not isinstance(stored.object, Pod):
            return None
        changed = how(stored.object)
        self.store.put(Kind.PODS, changed)
        return changed

    def get(self, key: Key) -> Pod | None:
        stored = self.store.get(Kind.PODS, key)
        return stored.object if stored and isinstance(stored.object, Pod) else None

    def wait(self, key: Key, reason: str, message: str | None = None) -> None:
        def waiting(pod: Pod) -> Pod:
            told = (replace(e, reason=reason, message=message) for e in pod.containers)
            return replace(pod, containers=tuple(told))

        self.change(key, waiting)

    def run(self, key: Key, test_run: tuple[str, str], at: datetime) -> None:
        """Let all containers of a pod run; those that come first have ended by then."""
        pod = self.change(key, lambda pod: _running(pod, at))
        for each in pod.containers if pod else ():
            log = Log(key[0], *test_run, key[1], pod.meta.uid if pod else "", each.name)
            self.logs.add(log)
            if each.kind == "init":
                log.write(b"init: network is set up", at)
                log.end(at)
            elif each.kind == "sidecar":
                log.write(b'{"level":"info","msg":"proxy is ready"}', at)

    def log(self, pod: Pod, container: str) -> Log | None:
        return self.logs.get(pod.meta.uid, container)

    def end(self, key: Key, how: Ending, at: datetime) -> Pod | None:
        """End a pod's containers and count its Job."""
        pod = self.change(key, lambda pod: _ended(pod, how, at))
        if pod is not None:
            self._close(pod, at)
            self.count(pod, at, succeeded=how.code == 0)
        return pod

    def begin_to_go(self, key: Key, at: datetime, *, ends: bool = False) -> None:
        """Mark a pod as one that goes; its kubelet has still to confirm that."""
        leaves = at if ends else at + timedelta(seconds=30)
        self.change(key, lambda pod: _leaving(pod, leaves))

    def remove(self, key: Key, at: datetime) -> None:
        """Take a pod's row away; a Job whose pod went before its end has failed."""
        pod = self.get(key)
        if pod is None:
            return
        self._close(pod, at)
        self.store.delete(Kind.PODS, key)
        self.count(pod, at, succeeded=False)

    def remove_job(self, key: Key) -> None:
        self.store.delete(Kind.JOBS, key)

    def count(self, pod: Pod, at: datetime, *, succeeded: bool) -> None:
        key = pod.meta.namespace, pod.meta.labels.get("job-name", "")
        stored = self.store.get(Kind.JOBS, key)
        if stored is None or not isinstance(stored.object, Job) or not stored.object.active:
            return
        number = int(succeeded)
        over = replace(stored.object, active=0, succeeded=number, failed=1 - number, ended_at=at)
        self.store.put(Kind.JOBS, over)

    def restart(self, key: Key, at: datetime) -> None:
        """Let the main container begin anew; what it wrote is its previous log."""
        pod = self.get(key)
        if pod is None or self.log(pod, pod.main.name) is None:
            return
        name = pod.main.name
        self.logs.restart(pod.meta.uid, name)

        def begun(pod: Pod) -> Pod:
            main = replace(
                pod.main,
                state="running",
                reason=None,
                started_at=at,
                restarts=pod.main.restarts + 1,
            )
            return replace(
                pod, containers=tuple(main if e.name == name else e for e in pod.containers)
            )

        self.change(key, begun)

    def _close(self, pod: Pod, at: datetime) -> None:
        for each in pod.containers:
            log = self.log(pod, each.name)
            if log is not None:
                log.end(at)


def _running(pod: Pod, at: datetime) -> Pod:
    def begun(container: Container) -> Container:
        if container.kind == "init":
            over = replace(container, state="terminated", reason="Completed")
            return replace(over, started_at=at, finished_at=at)
        return replace(container, state="running", reason=None, message=None, started_at=at)

    return replace(pod, phase="Running", containers=tuple(map(begun, pod.containers)))


def _ended(pod: Pod, how: Ending, at: datetime) -> Pod:
    def ended(container: Container) -> Container:
        if container.state == "terminated" or container.kind == "init":
            return container
        over = replace(
            container, state="terminated", finished_at=at, started_at=container.started_at or at
        )
        if container.kind == "sidecar":
            return replace(over, exit_code=0, reason="Completed")
        return replace(over, exit_code=how.code, reason=how.reason)

    return replace(
        pod,
        phase="Failed" if how.code else "Succeeded",
        reason=how.pod_reason,
        message=how.pod_message,
        containers=tuple(map(ended, pod.containers)),
    )


def _leaving(pod: Pod, at: datetime) -> Pod:
    meta = replace(pod.meta, deleting_at=at, generation=pod.meta.generation + 1)
    return replace(pod, meta=meta)
