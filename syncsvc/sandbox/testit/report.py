"""What a Test IT of the sandbox tells a test about itself: more than the real one would."""

from collections.abc import Sequence
from uuid import UUID

from syncsvc.sandbox.testit.instance import TestIt
from syncsvc.sandbox.testit.model import Change, Completion, Result, Run
from syncsvc.sandbox.testit.parts import Json


def state(testit: TestIt, run_id: UUID | None = None) -> Json:
    """Tell of one run or of all, with their results."""
    runs = testit.runs
    wanted = list(runs) if run_id is None else [runs.run(run_id)]
    return {
        "rules": rules(testit),
        "autotests": len(testit.library.autotests),
        "configurations": [
            {"id": each.id, "name": each.name} for each in testit.library.configurations.values()
        ],
        "attachments": [
            {"id": each.id, "name": each.name, "size": each.size, "sha256": each.sha256}
            for each in testit.library.attachments.values()
        ],
        "runs": [run(each, runs.results(each.id)) for each in wanted],
    }


def rules(testit: TestIt) -> Json:
    return {
        "late_results": testit.runs.late,
        "bound_results": testit.runs.bound,
        "adapters_surface": testit.adapters_surface,
    }


def run(of: Run, results: Sequence[Result]) -> Json:
    return {
        "id": of.id,
        "name": of.name,
        "state": of.state,
        "planned": of.planned,
        "created": of.created,
        "started": of.started,
        "completed": of.completed,
        "completions": [_completion(each) for each in of.completions],
        "late_results": of.late_results,
        "tally": {kind: count for kind, count in of.tally.items() if count},
        "tags": of.tags,
        "results": [result(each) for each in results],
    }


def result(of: Result) -> Json:
    return {
        "id": of.id,
        "external_id": of.external_id,
        "configuration_id": of.configuration_id,
        "test_point_id": of.test_point_id,
        "status": of.status.type,
        "status_code": of.status.code,
        "status_writes": of.status_writes,
        "parameters": of.content.parameters,
        "message": of.content.message,
        "created": of.created,
        "modified": of.modified,
        "steps": len(of.content.steps),
        "attachments": len(of.content.attachments),
        "finalised": times_finalised(of),
        "history": [_change(each) for each in of.history],
    }


def times_finalised(of: Result) -> int:
    """Count how often a result became final after it was open or new."""
    return sum(
        each.after.is_final and (each.before is None or not each.before.is_final)
        for each in of.history
    )


def _completion(of: Completion) -> Json:
    return {"time": of.time, "results": of.results, "by": of.by}


def _change(of: Change) -> Json:
    return {
        "time": of.time,
        "from": of.before.type if of.before else None,
        "to": of.after.type,
        "code": of.after.code,
        "by": of.by,
    }
