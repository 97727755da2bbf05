"""Builders of load tests, of what is kept of them, and of what is added to their logs."""

from datetime import timedelta

from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.model import LoadTest, LogsState, Phase, Reason, Result, Step
from syncsvc.loadtests.ports import UNREAD, Addition, JobChange, LogSource, Origin, Turn
from syncsvc.loadtests.seam import Cursor, joined
from tests.support.builders import MINUTE, NOON, SECOND

LARGE = Cap(head=1_000_000, tail=1_000_000)
CLUSTER, NAMESPACE = "main", "load"


def a_test(test_id: str = "test", **known) -> LoadTest:
    return LoadTest(**({"id": test_id, "name": "Checkout", "created_at": NOON} | known))


def a_step(step_id: str = "step", **known) -> Step:
    """One that waits; its TestRun is named as it is itself."""
    fields = {
        "id": step_id,
        "test_id": "test",
        "name": f"Step {step_id}",
        "order": 1,
        "cluster": CLUSTER,
        "namespace": NAMESPACE,
        "test_run": step_id,
        "registered_at": NOON,
        "phase_since": NOON,
    }
    return Step(**(fields | known))


def an_ended_step(step_id: str = "step", **known) -> Step:
    fields = {
        "phase": Phase.FINISHED,
        "result": Result.SUCCEEDED,
        "uid": f"uid of {step_id}",
        "started_at": NOON,
        "completed_at": NOON + MINUTE,
    }
    return a_step(step_id, **(fields | known))


def a_failed_step(step_id: str = "step", **known) -> Step:
    fields = {"result": Result.FAILED, "reason": Reason.THRESHOLDS, "detail": "runner 2"}
    return an_ended_step(step_id, **(fields | known))


def a_source(step_id: str = "step", **known) -> LogSource:
    fields = {"pod_uid": "pod-1", "pod": "step-1-abcde", "container": "k6", "index": 1}
    return LogSource(step_id, **(fields | known))


def some_lines(first: int, count: int = 1) -> bytes:
    """Lines of a log as a cluster gives them, each a second after the other."""
    moments = [NOON + number * SECOND for number in range(first, first + count)]
    texts = [
        f"{moment:%Y-%m-%dT%H:%M:%S}.5Z line {first + n:06}" for n, moment in enumerate(moments)
    ]
    return "".join(f"{text}\n" for text in texts).encode()


def an_addition(
    fresh: bytes = b"",
    before: Cursor = UNREAD,
    source: LogSource | None = None,
    *,
    state: LogsState = LogsState.PARTIAL,
    replaces: bool = False,
) -> Addition:
    """What joining a read to a log has brought; a log that is replaced is read from its start."""
    after = joined(
        UNREAD if replaces else before, (b"" if replaces else _window(before)) + fresh
    ).cursor
    return Addition(source or a_source(), before, after, state, fresh, replaces)


def _window(before: Cursor) -> bytes:
    """Give the lines that come again, of a log made of `some_lines` from 0 on."""
    again = before.window_lines
    return some_lines(before.lines - again, again) if again else b""


def a_change(**known) -> JobChange:
    fields = {
        "enabled": True,
        "interval": timedelta(seconds=15),
        "origin": Origin.RUNTIME,
        "due_at": NOON,
        "by": "an organizer",
    }
    return JobChange(**(fields | known))


def a_turn(holder: str = "one", **known) -> Turn:
    fields = {"version": 0, "interval": 20 * SECOND, "holder": holder, "term": MINUTE}
    return Turn(**(fields | known))
