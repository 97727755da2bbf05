"""Remembers how each runner ended, for its pod may be gone when that is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from syncsvc.loadtests.exits import KILLED, hardness, reason_of
from syncsvc.loadtests.model import Runner, RunnerState
from syncsvc.loadtests.seen import ContainerSeen, ContainerState, JobSeen, PodSeen


def with_pods(known: Mapping[int, Runner], pods: Sequence[PodSeen]) -> Mapping[int, Runner]:
    """Add what pods of runners show; of two ends of one runner the worse is kept."""
    runners = dict(known)
    for pod in sorted(pods, key=_age):
        if pod.index is not None:
            runners[pod.index] = _known(runners.get(pod.index), _shown(pod, pod.index))
    return runners


def with_jobs(
    known: Mapping[int, Runner], jobs: Sequence[JobSeen], with_pod: set[int]
) -> Mapping[int, Runner]:
    """Add what the jobs tell of runners that have no pod any more."""
    runners = dict(known)
    for job in jobs:
        if job.index is not None and job.index not in with_pod:
            runners[job.index] = _left(runners.get(job.index) or Runner(job.index), job)
    return runners


def _age(pod: PodSeen) -> tuple[bool, str]:
    made_at = pod.created_at
    return (made_at is not None, made_at.isoformat() if made_at else "")


def _known(before: Runner | None, now: Runner) -> Runner:
    if before is None:
        return now
    if before.is_over and now.is_over:
        return max(before, now, key=_weight)
    if before.is_over:
        return before
    if before.pod == now.pod and before.was_deleted:
        return replace(now, was_deleted=True)
    return now


def _weight(runner: Runner) -> int:
    return hardness(reason_of(runner))


def _shown(pod: PodSeen, index: int) -> Runner:
    main = pod.main
    runner = Runner(
        index,
        _state(pod, main),
        pod=pod.name,
        was_deleted=pod.deleting_at is not None,
        started_at=main.started_at if main else None,
    )
    if runner.state is not RunnerState.ENDED:
        return runner
    return replace(
        runner,
        exit_code=_code(pod, main),
        reason=pod.reason or (main.reason if main else None),
        was_deleted=_ended_by_deletion(pod.deleting_at, main),
        ended_at=main.finished_at if main else None,
    )


def _state(pod: PodSeen, main: ContainerSeen | None) -> RunnerState:
    state = main.state if main else ContainerState.UNKNOWN
    if state is ContainerState.TERMINATED or pod.phase in ("Succeeded", "Failed"):
        return RunnerState.ENDED
    return RunnerState.RUNNING if state is ContainerState.RUNNING else RunnerState.WAITING


def _code(pod: PodSeen, main: ContainerSeen | None) -> int | None:
    if main is not None and main.state is ContainerState.TERMINATED:
        return main.exit_code
    return 0 if pod.phase == "Succeeded" else None


def _ended_by_deletion(deleting_at: datetime | None, main: ContainerSeen | None) -> bool:
    """Tell an end that a deletion brought from one that was there before it.

    Moments are cut to a second; within one, a kill needs a grace period to have passed first.
    """
    if deleting_at is None:
        return False
    if main is None or main.finished_at is None:
        return True
    if main.exit_code is not None and main.exit_code >= KILLED:
        return main.finished_at > deleting_at
    return main.finished_at >= deleting_at


def _left(runner: Runner, job: JobSeen) -> Runner:
    if runner.is_over:
        return runner
    if job.succeeded:
        return replace(runner, state=RunnerState.ENDED, exit_code=0, was_deleted=False)
    return replace(runner, state=RunnerState.LOST) if job.failed else runner
