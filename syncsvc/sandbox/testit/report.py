"""What a Test IT of the sandbox tells a test about itself: more than the real one would."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from syncsvc.sandbox.testit.edits import references_within
from syncsvc.sandbox.testit.instance import TestIt
from syncsvc.sandbox.testit.library import Attachment
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
        "runs": [run(each, runs.results(each.id), testit.library.attachments) for each in wanted],
    }


def tally(testit: TestIt, run_id: UUID | None = None) -> Json:
    """Count the results of each test, the digests of their attachments and their proofs.

    It tells in a glance, also of many results, which were stored twice: `more_than_once` has the
    external ids, `proofs_more_than_once` the values of the property `syncsvc`.
    """
    runs = testit.runs
    results = list(runs.all_results([each.id for each in runs] if run_id is None else [run_id]))
    tests = Counter(each.external_id for each in results)
    proofs = Counter((each.content.properties or {}).get("syncsvc") for each in results)
    without = proofs.pop(None, 0)
    return {
        "results": len(results),
        "open": sum(not each.status.is_final for each in results),
        "statuses": Counter(each.status.code for each in results),
        "tests": tests,
        "more_than_once": _repeated(tests),
        "proofs": len(proofs),
        "proofs_more_than_once": _repeated(proofs),
        "without_proof": without,
        "finalised_more_than_once": [each.id for each in results if times_finalised(each) > 1],
    }


def _repeated(counts: Mapping[str | None, int] | Mapping[str, int]) -> Sequence[str | None]:
    return [name for name, count in counts.items() if count > 1]


def rules(testit: TestIt) -> Json:
    return {
        "late_results": testit.runs.late,
        "bound_results": testit.runs.bound,
        "adapters_surface": testit.adapters_surface,
    }


def run(of: Run, results: Sequence[Result], attachments: Mapping[UUID, Attachment]) -> Json:
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
        "results": [result(each, attachments) for each in results],
    }


def result(of: Result, attachments: Mapping[UUID, Attachment]) -> Json:
    referred = references_within(of.content)
    return {
        "id": of.id,
        "external_id": of.external_id,
        "configuration_id": of.configuration_id,
        "test_point_id": of.test_point_id,
        "status": of.status.type,
        "status_code": of.status.code,
        "status_writes": of.status_writes,
        "parameters": of.content.parameters,
        "properties": of.content.properties,
        "message": of.content.message,
        "created": of.created,
        "modified": of.modified,
        "steps": len(of.content.steps),
        "attachments": len(of.content.attachments),
        "digests": [attachments[each].sha256 for each in referred if each in attachments],
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
