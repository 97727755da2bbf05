"""From what a request says to a result: new ones, planned ones, changed ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from syncsvc.sandbox.replies import Refusal
from syncsvc.sandbox.testit.library import Autotest
from syncsvc.sandbox.testit.model import Content, Result, written
from syncsvc.sandbox.testit.requests import EditResults, NewResult, UpdateResult
from syncsvc.sandbox.testit.statuses import Status, StatusType, of_type
from syncsvc.sandbox.testit.statuses import reported as status_of
from syncsvc.sandbox.testit.values import Reference, attachments_within


@dataclass(frozen=True)
class Place:
    """Where a new result belongs."""

    result_id: UUID
    run_id: UUID
    autotest: Autotest
    configuration_id: UUID


def expected(
    place: Place, test_point_id: UUID, parameters: Mapping[str, str] | None, now: datetime
) -> Result:
    """Make the open result that a plan waits for."""
    blank = _blank(place, of_type(StatusType.IN_PROGRESS), now)
    planned = replace(blank, test_point_id=test_point_id, content=Content(parameters=parameters))
    return written(planned, planned.status, now, "plan")


def reported(place: Place, report: NewResult, bound: Result | None, now: datetime) -> Result:
    """Make the result that a report tells of, or fill the planned one with it."""
    status = status_of(report.status_code, report.status_type, report.outcome)
    if status is None:
        raise Refusal(400, "Outcome is not defined", "statusType")
    content = Content(
        message=report.message,
        traces=report.traces,
        started_on=report.started_on,
        completed_on=report.completed_on,
        duration=report.duration,
        parameters=report.parameters,
        properties=report.properties,
        links=report.links or (),
        attachments=report.attachments or (),
        steps=report.step_results or (),
        setup=report.setup_results or (),
        teardown=report.teardown_results or (),
    )
    result = replace(bound or _blank(place, status, now), content=content)
    return written(result, status, now, "POST")


def changed(result: Result, update: UpdateResult, now: datetime, by: str) -> Result:
    """Write an update into a result; what it leaves out stays.

    Step results of an update are flat references, and they take the place of the nested
    steps that were reported: the vendor's service loses those, so this one does.
    """
    content = replace(result.content, **_given(update))
    if update.step_results is not None:
        content = replace(content, step_references=update.step_results, steps=())
    result = replace(result, content=content, modified=now)
    status = status_of(update.status_code, update.status_type, update.outcome)
    return result if status is None else written(result, status, now, by)


def update_of(edit: EditResults) -> UpdateResult:
    """Say a bulk edit as the update of one result."""
    ids = edit.attachment_ids
    attachments = None if ids is None else [Reference(each) for each in ids]
    return UpdateResult(links=edit.links, comment=edit.comment, attachments=attachments)


def references_of(report: NewResult | UpdateResult) -> Sequence[Reference]:
    """List the attachments that a report or an update refers to, those of its steps included."""
    steps = [*(report.setup_results or ()), *(report.teardown_results or ())]
    if isinstance(report, NewResult):
        steps += report.step_results or ()
    inner = [Reference(each) for each in attachments_within(steps)]
    return [*(report.attachments or ()), *inner]


def references_within(content: Content) -> Sequence[UUID]:
    """List the attachments of a result, those of its steps included."""
    steps = [*content.steps, *content.setup, *content.teardown]
    return [*(each.id for each in content.attachments), *attachments_within(steps)]


def _blank(place: Place, status: Status, now: datetime) -> Result:
    return Result(
        id=place.result_id,
        run_id=place.run_id,
        autotest_id=place.autotest.id,
        external_id=place.autotest.written.external_id,
        configuration_id=place.configuration_id,
        status=status,
        created=now,
        modified=now,
        content=Content(),
    )


def _given(update: UpdateResult) -> dict[str, Any]:
    duration = update.duration if update.duration is not None else update.duration_in_ms
    fields = {
        "comment": update.comment,
        "message": update.message,
        "traces": update.trace,
        "duration": duration,
        "links": update.links,
        "attachments": update.attachments,
        "setup": update.setup_results,
        "teardown": update.teardown_results,
        "failure_class_ids": update.failure_class_ids,
    }
    return {name: value for name, value in fields.items() if value is not None}
