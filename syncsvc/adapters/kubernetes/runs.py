"""TestRuns of the k6-operator as values."""

from datetime import UTC, datetime

from syncsvc.adapters.kubernetes import shapes
from syncsvc.loadtests.seen import Stage, TestRunSeen

RUNNING = "TestRunRunning"
STAGES = {stage.value: stage for stage in Stage}
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # every stored object has a moment of creation


def seen(raw: shapes.TestRun) -> TestRunSeen:
    meta = raw.metadata
    spec, status = raw.spec or shapes.TestRunSpec(), raw.status or shapes.TestRunStatus()
    stage = STAGES.get(status.stage or "")
    running = _running(status)
    return TestRunSeen(
        meta.namespace,
        meta.name,
        meta.uid,
        meta.creation_timestamp or NEVER,
        stage,
        odd_stage=(status.stage or None) if stage is None else None,
        parallelism=1 if spec.parallelism is None else spec.parallelism,
        cleans_up=spec.cleanup == "post",
        deleting_at=meta.deletion_asked_at,
        load_began_at=running.last_transition_time if running.status == "True" else None,
        load_ended_at=running.last_transition_time if running.status == "False" else None,
        labels=meta.labels or {},
    )


def _running(status: shapes.TestRunStatus) -> shapes.Condition:
    absent = shapes.Condition(RUNNING)
    return next((each for each in status.conditions or () if each.type == RUNNING), absent)
