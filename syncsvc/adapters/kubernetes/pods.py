"""Pods and jobs of the k6-operator as values: what each is for follows from its labels and name."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from syncsvc.adapters.kubernetes import shapes
from syncsvc.loadtests.seen import (
    ContainerKind,
    ContainerSeen,
    ContainerState,
    JobSeen,
    PodSeen,
    Role,
)

OWNER = "k6_cr"  # the label that names the TestRun
RUNNER = "runner"
JOB_NAMES = ("batch.kubernetes.io/job-name", "job-name")
ROLES = {"initializer": Role.INITIALIZER, "starter": Role.STARTER, "stopper": Role.STOPPER}
K6, CURL = "k6", "k6-curl"
MAIN = {Role.STARTER: CURL, Role.STOPPER: CURL}  # k6 in all others
ALWAYS = "Always"  # an init container that is started again is a sidecar

Started = datetime | None


def pod(raw: shapes.Pod) -> PodSeen | None:
    """Give a pod; None for one that belongs to no TestRun."""
    meta, labels = raw.metadata, raw.metadata.labels or {}
    owner = labels.get(OWNER)
    if owner is None:
        return None
    spec, status = raw.spec or shapes.PodSpec(), raw.status or shapes.PodStatus()
    role, index = part(owner, _job_name(meta, labels), labels)
    return PodSeen(
        meta.namespace,
        meta.name,
        meta.uid,
        owner,
        role,
        index,
        status.phase or "Unknown",
        status.reason,
        status.message,
        spec.node_name or None,
        meta.creation_timestamp,
        meta.deletion_asked_at,
        _unschedulable(status),
        tuple(_containers(spec, status, role)),
    )


def job(raw: shapes.Job) -> JobSeen | None:
    """Give a job; None for one that belongs to no TestRun."""
    meta, labels = raw.metadata, raw.metadata.labels or {}
    owner = labels.get(OWNER)
    if owner is None:
        return None
    status = raw.status or shapes.JobStatus()
    role, index = part(owner, meta.name, labels)
    return JobSeen(
        meta.namespace,
        meta.name,
        owner,
        role,
        index,
        status.active or 0,
        status.succeeded or 0,
        status.failed or 0,
        meta.creation_timestamp,
    )


def part(owner: str, job_name: str, labels: Mapping[str, str]) -> tuple[Role, int | None]:
    """Tell what a job and its pods are for, and a runner's number."""
    ending = job_name.removeprefix(f"{owner}-")
    if labels.get(RUNNER) == "true":
        return Role.RUNNER, int(ending) if ending.isdecimal() else None
    return ROLES.get(ending, Role.OTHER), None


def _job_name(meta: shapes.Metadata, labels: Mapping[str, str]) -> str:
    named = next((labels[label] for label in JOB_NAMES if label in labels), None)
    return named or meta.name.rpartition("-")[0]


def _unschedulable(status: shapes.PodStatus) -> str | None:
    for each in status.conditions or ():
        if each.type == "PodScheduled" and each.status == "False":
            return each.message or each.reason
    return None


def _containers(
    spec: shapes.PodSpec, status: shapes.PodStatus, role: Role
) -> Iterator[ContainerSeen]:
    begun = {each.name: each for each in status.init_container_statuses or ()}
    for each in spec.init_containers or ():
        is_sidecar = each.restart_policy == ALWAYS
        kind = ContainerKind.SIDECAR if is_sidecar else ContainerKind.INIT
        yield _container(each.name, kind, begun.get(each.name))
    running = {each.name: each for each in status.container_statuses or ()}
    containers = spec.containers or ()
    main = MAIN.get(role, K6)
    for each in containers:
        is_main = each.name == main or len(containers) == 1
        kind = ContainerKind.MAIN if is_main else ContainerKind.SIDECAR
        yield _container(each.name, kind, running.get(each.name))


def _container(
    name: str, kind: ContainerKind, status: shapes.ContainerStatus | None
) -> ContainerSeen:
    if status is None or status.state is None:
        return ContainerSeen(name, kind)
    state, restarts = status.state, status.restart_count
    if state.terminated is not None:
        return _terminated(name, kind, state.terminated, restarts)
    if state.running is not None:
        began = state.running.started_at
        return ContainerSeen(
            name, kind, ContainerState.RUNNING, started_at=began, restarts=restarts
        )
    waiting = state.waiting or shapes.Waiting()  # which an empty state means, too
    return ContainerSeen(
        name, kind, ContainerState.WAITING, waiting.reason, waiting.message, restarts=restarts
    )


def _terminated(
    name: str, kind: ContainerKind, ended: shapes.Terminated, restarts: int
) -> ContainerSeen:
    return ContainerSeen(
        name,
        kind,
        ContainerState.TERMINATED,
        ended.reason,
        ended.message,
        ended.exit_code,
        ended.started_at,
        ended.finished_at,
        restarts,
    )
