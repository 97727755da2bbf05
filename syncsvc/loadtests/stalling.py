"""Says of a step that does not get on what holds it up, in the cluster's own words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syncsvc.loadtests.model import Phase, Step
from syncsvc.loadtests.seen import ContainerKind, ContainerSeen, ContainerState, PodSeen, Role
from syncsvc.loadtests.sight import Sight, pods_of

SHOWN = 3  # reasons; of more, only how many pods have them
PATIENT = ("ContainerCreating", "PodInitializing", None)  # what a pod says on its way


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a step may be in a phase before somebody should look; None: for ever."""

    pending: timedelta | None = timedelta(minutes=5)
    starting: timedelta | None = timedelta(minutes=5)
    running: timedelta | None = None
    stopping: timedelta | None = timedelta(minutes=5)

    def of(self, phase: Phase) -> timedelta | None:
        limits = {
            Phase.PENDING: self.pending,
            Phase.STARTING: self.starting,
            Phase.RUNNING: self.running,
            Phase.STOPPING: self.stopping,
        }
        return limits.get(phase)


def judged(step: Step, sight: Sight, at: datetime, limits: Limits) -> Step:
    """Note what a step waits for once it has waited too long, or take that note away."""
    limit = limits.of(step.phase)
    if step.is_over or limit is None or at - step.phase_since <= limit:
        return step if step.stalled is None else replace(step, stalled=None)
    return replace(step, stalled=_told(step, sight, at - step.phase_since))


def _told(step: Step, sight: Sight, waited: timedelta) -> str:
    why = _pods_words(pods_of(step, sight)) or _own_words(step, sight)
    return f"{step.phase} for {_spoken(waited)}: {why}"


def _spoken(time: timedelta) -> str:
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = {"h": hours, "min": minutes, "s": seconds}
    return " ".join(f"{number} {unit}" for unit, number in parts.items() if number) or "0 s"


def _pods_words(pods: Iterable[PodSeen]) -> str | None:
    """Give what pods say that keeps them from running, each reason once."""
    reasons: dict[str, list[str]] = {}
    for pod in pods:
        why = _held_up(pod)
        if why is not None:
            reasons.setdefault(why, []).append(pod.name)
    told = [f"{_named(names)}: {why}" for why, names in list(reasons.items())[:SHOWN]]
    return "; ".join(told) or None


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _held_up(pod: PodSeen) -> str | None:
    if pod.unschedulable is not None:
        return f"Unschedulable ({pod.unschedulable})"
    waiting = [each for each in pod.containers if each.state is ContainerState.WAITING]
    for container in waiting:
        if container.reason not in PATIENT:
            return _with_message(container)
    return _sidecars(pod)


def _with_message(container: ContainerSeen) -> str:
    message = f" ({container.message})" if container.message else ""
    return f"{container.reason} in {container.name}{message}"


def _sidecars(pod: PodSeen) -> str | None:
    """A sidecar that goes on after k6 has ended keeps the operator waiting."""
    main = pod.main
    if pod.role is not Role.RUNNER or main is None or main.state is not ContainerState.TERMINATED:
        return None
    left = [
        each.name
        for each in pod.containers
        if each.kind is ContainerKind.SIDECAR and each.state is ContainerState.RUNNING
    ]
    return f"k6 has ended, and {', '.join(left)} goes on" if left else None


def _own_words(step: Step, sight: Sight) -> str:
    if step.uid is None:
        return f"there is no TestRun {step.test_run} in namespace {step.namespace}"
    if step.expected is not None and step.expected < 1:
        return f"the operator refuses a parallelism of {step.expected}: it must be at least 1"
    if step.last_stage is None:
        return "the operator has not looked at it: does it run, and does it watch this namespace?"
    return _of_runners(step, sight)


def _of_runners(step: Step, sight: Sight) -> str:
    if step.phase is Phase.PENDING:
        return f"the operator is at {step.last_stage}: its log may say what it waits for"
    runners = [pod for pod in pods_of(step, sight) if pod.role is Role.RUNNER]
    if len(runners) < (step.expected or 0) and step.phase is Phase.STARTING:
        return f"{len(runners)} of {step.expected} runners are there"
    if any(pod.main is not None and pod.main.restarts for pod in runners):
        return "a runner was restarted, and stays paused for ever"
    return f"the operator is at {step.last_stage}, and no pod says why"
