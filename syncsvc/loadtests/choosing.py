"""Chooses which logs of a step are read in a cycle."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from syncsvc.loadtests.model import LogsState, Step
from syncsvc.loadtests.ports import KeptLog, LogSource, Place
from syncsvc.loadtests.seen import ContainerKind, ContainerSeen, ContainerState, PodSeen, Role
from syncsvc.loadtests.sight import pods_of
from syncsvc.loadtests.watching import Watched

SETTLED = (LogsState.COMPLETE, LogsState.LOST)


@dataclass(frozen=True, slots=True)
class Due:
    """A log to be read: what is kept of it, and whether its container or even its pod is gone."""

    place: Place
    step: Step
    kept: KeptLog
    is_new: bool = False  # nothing tells yet that it is there
    has_ended: bool = False
    is_gone: bool = False

    @property
    def source(self) -> LogSource:
        return self.kept.source

    @property
    def is_last(self) -> bool:
        """Whether there is not going to be any more to read."""
        return self.has_ended or self.is_gone


def due(watched: Watched, logs: Mapping[str, KeptLog], beside: Sequence[str] = ()) -> Sequence[Due]:
    """Give the logs of a step that may have news, by what is kept of it.

    Of init containers and sidecars those are read whose name fits a pattern of `beside`.
    """
    found: list[Due] = []
    for source, container in _wanted(watched, beside):
        kept = logs.get(source.id)
        if kept is None or kept.state not in SETTLED:
            has_ended = container.state is ContainerState.TERMINATED
            is_new = kept is None
            kept = kept or KeptLog(source)
            found.append(Due(watched.place, watched.step, kept, is_new, has_ended))
    return [*found, *_vanished(watched, logs)]


def _wanted(watched: Watched, beside: Sequence[str]) -> Iterator[tuple[LogSource, ContainerSeen]]:
    for pod in pods_of(watched.step, watched.sight):
        if pod.role is Role.OTHER:
            continue
        for container in pod.containers:
            if container.has_logs and is_wanted(container, beside):
                yield _source(watched.step, pod, container), container


def is_wanted(container: ContainerSeen, beside: Sequence[str]) -> bool:
    """Whether a container's log is read at all."""
    if container.kind is ContainerKind.MAIN:
        return True
    return any(fnmatchcase(container.name, pattern) for pattern in beside)


def _source(step: Step, pod: PodSeen, container: ContainerSeen) -> LogSource:
    return LogSource(
        step.id, pod.uid, pod.name, container.name, container.kind, pod.role, pod.index
    )


def _vanished(watched: Watched, logs: Mapping[str, KeptLog]) -> Iterator[Due]:
    there = {pod.uid for pod in watched.sight.pods}
    for kept in logs.values():
        if kept.state not in SETTLED and kept.source.pod_uid not in there:
            yield Due(watched.place, watched.step, kept, is_gone=True)
