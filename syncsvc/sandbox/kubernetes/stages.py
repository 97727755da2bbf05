"""What comes next in a TestRun's life, and after how long: the operator's stages as recorded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncsvc.sandbox.kubernetes.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Beat:
    """The smallest change; `stage` is where it takes the TestRun, if it does."""

    name: str
    seconds: float  # after the one before, at the recorded speed
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a life is."""

    last: str
    scenario: Scenario
    parallelism: int
    cleans_up: bool
    stage: str | None
    runners_ended: int = 0


GONE = "gone"  # what a TestRun that is deleted has for a stage
BORN = "born"
DELETED = "TestRun deleted"
_ERROR = Beat("error", 0.015, "error")
_DELETED = Beat(DELETED, 0.1, GONE)


def following(now: Standing) -> Beat | None:
    """Give the next beat, or None when nothing will happen by itself."""
    if now.scenario.deleted_at is not None and now.scenario.deleted_at == now.stage:
        return _DELETED
    return _NEXT[now.last](now)


def _born(now: Standing) -> Beat | None:
    if now.parallelism < 1:
        return None
    if now.scenario.initialization == "bad_arguments":
        return _ERROR
    return Beat("looked at", 0.03)


def _looked_at(now: Standing) -> Beat:
    if now.scenario.initialization == "disabled":
        return Beat("initialized", 0.037, "initialized")
    return Beat("initialization", 0.013, "initialization")


def _initializer_pending(now: Standing) -> Beat | None:
    if now.scenario.initialization == "unschedulable":
        return None
    if now.scenario.initialization == "image_pull":
        return Beat("initializer waits", 0.7)
    return Beat("initializer running", 0.52)


def _initializer_ended(now: Standing) -> Beat:
    if now.scenario.initialization in ("fails", "too_few_vus"):
        return _ERROR
    return Beat("initialized", 0.11, "initialized")


def _created(now: Standing) -> Beat | None:
    if now.scenario.runners == "unschedulable":
        return None
    if now.scenario.runners == "image_pull":
        return Beat("runners wait", 0.7)
    return Beat("runners running", 0.6)


def _loaded(now: Standing) -> Beat:
    if now.runners_ended < now.parallelism:
        first = now.last == "starter ended"
        seconds = now.scenario.duration if first else 0.1 / now.parallelism
        return Beat(f"runner {now.runners_ended + 1} ended", seconds)
    return Beat("stopped", 0.8, "stopped")


def _ended(now: Standing) -> Beat | None:
    return Beat("TestRun cleaned up", 0.021, GONE) if now.cleans_up else None


def _vanished(now: Standing) -> Beat | None:
    return Beat("made again", 0.5) if now.scenario.recreated else None


def _then(name: str, seconds: float, stage: str | None = None) -> Callable[[Standing], Beat | None]:
    beat = Beat(name, seconds, stage)
    return lambda _: beat


def _nothing(_: Standing) -> Beat | None:
    return None


_NEXT: Mapping[str, Callable[[Standing], Beat | None]] = {
    BORN: _born,
    "looked at": _looked_at,
    "initialization": _then("initializer pending", 0.03),
    "initializer pending": _initializer_pending,
    "initializer waits": _nothing,
    "initializer running": _then("initializer ended", 0.4),
    "initializer ended": _initializer_ended,
    "initialized": _then("runners pending", 0.05),
    "runners pending": _then("created", 0.07, "created"),
    "created": _created,
    "runners wait": _nothing,
    "runners running": _then("starter pending", 0.25),
    "starter pending": _then("started", 0.012, "started"),
    "started": _then("starter running", 0.6),
    "starter running": _then("starter ended", 0.13),
    "starter ended": _loaded,
    "runner ended": _loaded,
    "stopped": lambda now: Beat("finished", now.scenario.stopped_seconds, "finished"),
    "finished": _ended,
    "error": _ended,
    "TestRun cleaned up": _then("pods deleted", 0.062),
    DELETED: _then("pods deleted", 0.1),
    "pods deleted": _then("pods gone", 0.011),
    "pods gone": _vanished,
    "made again": _nothing,
}
