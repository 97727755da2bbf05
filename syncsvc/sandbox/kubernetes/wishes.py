"""What a test or a demo may wish of a cluster, and how its TestRuns and logs are told to it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from syncsvc.sandbox.kubernetes import malformed, scenario
from syncsvc.sandbox.kubernetes.life import Life
from syncsvc.sandbox.kubernetes.logs import Log
from syncsvc.sandbox.kubernetes.model import Json
from syncsvc.sandbox.kubernetes.scenario import Lines, Scenario, StageName
from syncsvc.sandbox.testio.recipe import Instant

Name = Annotated[str, Meta(pattern="^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Namespace = Annotated[str, Meta(pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Until = StageName | Literal["error", "gone", "stage", "beat", "end"]
_UNTIL = "stage, beat, end, gone, error, initialization, initialized, created, started, stopped, "
WORDS = {
    **scenario.WORDS,
    "until": f"{_UNTIL}finished",
    "anonymous": "nobody, syncsvc or admin",
    "action": "exit, oom, evict, delete, vanish, restart",
    "answer": ", ".join(malformed.Answer),
}


class Speed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    factor: Annotated[float, Meta(ge=0, le=1_000_000)]


class Empty(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cluster without anything in it."""


class CreateTestRuns(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name = "load"
    count: Annotated[int, Meta(ge=1, le=10_000)] = 1
    namespace: Namespace = "k6-runs"
    parallelism: Annotated[int, Meta(ge=0, le=1000)] = 2
    cleanup: bool = False
    labels: Mapping[str, str] = {}
    scenario: Scenario | None = None
    until: Until | None = None

    def spec(self, name: str) -> Json:
        script = {"configMap": {"file": "test.js", "name": f"{name}-config"}}
        told: Json = {"parallelism": self.parallelism, "paused": "true", "quiet": "true"}
        told |= {"arguments": f"--tag testid={name}", "script": script}
        return {**told, "cleanup": "post"} if self.cleanup else told

    def names(self) -> Sequence[str]:
        if self.count == 1:
            return [self.name]
        return [f"{self.name}-{number}" for number in range(self.count)]


class Recreate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    scenario: Scenario | None = None
    until: Until | None = None


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    namespace: str | None = None
    name: str | None = None
    until: Until = "stage"


class Emit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    namespace: str | None = None
    name: str | None = None
    pod: str | None = None
    container: str = "k6"
    lines: Lines = 1
    texts: Sequence[str] | None = None
    base64: Sequence[bytes] | None = None
    at: Instant | None = None
    gap: Annotated[float, Meta(ge=0, le=86_400)] = 0.001
    progress: bool = False


class Act(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action: Literal["exit", "oom", "evict", "delete", "vanish", "restart"]
    exit_code: Annotated[int, Meta(ge=0, le=255)] = 0


def state(life: Life) -> Json:
    """Tell where a TestRun is, and what its pods are like."""
    beat = life.next_beat()
    return {
        "namespace": life.key[0],
        "name": life.key[1],
        "uid": life.uid,
        "stage": None if life.is_gone else life.stage,
        "gone": life.is_gone,
        "beat": life.last,
        "next": beat and beat.name,
        "parallelism": life.parallelism,
        "pods": [_made(life, place) for place in range(len(life.crew.made))],
    }


def _made(life: Life, place: int) -> Json:
    made = life.crew.made[place]
    pod = life.pods.get(made.key)
    return {
        "name": made.key[1],
        "role": made.role,
        "index": made.index,
        "phase": pod and pod.phase,
        "gone": pod is None,
    }


def written(log: Log) -> Json:
    """Tell what a container has written, in short."""
    plain, stamped = (log.content(timestamps=each) for each in (False, True))
    return {
        "namespace": log.namespace,
        "name": log.test_run,
        "test_run_uid": log.test_run_uid,
        "pod": log.pod,
        "pod_uid": log.pod_uid,
        "container": log.container,
        "lines": len(log.lines),
        "bytes": log.size,
        "sha256": hashlib.sha256(plain).hexdigest(),
        "timestamped_sha256": hashlib.sha256(stamped).hexdigest(),
        "ended": log.ended,
    }
