"""Pushed results as Test IT wants them: whole ones, and those written into one that waits."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from syncsvc.errors import Rejected
from syncsvc.results.held.model import FinalStatus, StatusType
from syncsvc.results.pushed.model import TYPES, Link, Result, RunLink, Step
from syncsvc.results.pushed.ports import NewRun, Post

MARK = "syncsvc"  # the property by which a result is known to be an entry of ours
SOURCE = "syncsvc"  # who started a run
LONGEST_UPDATE = 86_400_000  # milliseconds: an update takes less than a new result may have

Body = dict[str, Any]

CODES = {
    "passed": ("Passed",),
    "failed": ("Failed",),
    "broken": ("Broken", "Failed"),
    "skipped": ("Skipped",),
    "blocked": ("Blocked",),
}
OUTCOMES = {word: codes[-1] for word, codes in CODES.items()}  # the only words that steps may use


def status_of(post: Post, workflow: Mapping[str, str]) -> FinalStatus:
    """Say which status a result gets; a code is named only if it goes with the type.

    `workflow` gives the type of each of the project's codes.
    """
    result = post.result
    kind = StatusType.IN_PROGRESS if post.provisional else TYPES[result.status]
    words = (str(kind),) if post.provisional else (result.status_code or "", *CODES[result.status])
    fitting = {code.lower(): code for code, of in workflow.items() if of in (kind, "")}
    return FinalStatus(
        kind, next((fitting[w.lower()] for w in words if w.lower() in fitting), None)
    )


def new_result(post: Post, status: FinalStatus) -> Body:
    """Write a result as it is posted. Raises Rejected for a moment that is none in UTC."""
    result = post.result
    return _told(
        {
            "configurationId": post.configuration_id,
            "autoTestExternalId": result.external_id,
            **_status(status),
            "startedOn": _instant("started_at", result.started_at),
            "completedOn": _instant("finished_at", result.finished_at),
            "duration": result.duration_ms,
            "message": result.message,
            "traces": result.traces,
            "parameters": dict(result.parameters),
            "properties": {**result.properties, MARK: post.entry_id},
            "links": [_link(link) for link in result.links],
            "attachments": _references(post),
            "stepResults": [_step(step) for step in result.steps],
        }
    )


def filling(post: Post, status: FinalStatus) -> Body:
    """Write a result into one that waits for it.

    What an update has no field for stands in the comment: steps, for those of an update are
    references to a plan, and a duration of more than a day.
    """
    result = post.result
    fits = result.duration_ms is None or result.duration_ms <= LONGEST_UPDATE
    return _told(
        {
            **_status(status),
            "duration": result.duration_ms if fits else None,
            "message": result.message,
            "trace": result.traces,
            "links": [_link(link) for link in result.links],
            "attachments": _references(post),
            "comment": "\n".join(_remarks(result, fits=fits)),
        }
    )


def new_run(new: NewRun) -> Body:
    return _told(
        {
            "projectId": new.project_id,
            "name": new.name,
            "description": new.description,
            "tags": list(new.tags),
            "links": [_run_link(link) for link in new.links],
            "launchSource": SOURCE,
        }
    )


def _status(status: FinalStatus) -> Body:
    return {"statusType": str(status.type), "statusCode": status.code}


def _told(body: Body) -> Body:
    """Leave out what is not told: a null would say the same with more bytes."""
    return {name: value for name, value in body.items() if value not in (None, "", [], {})}


def _references(post: Post) -> list[Body]:
    return [{"id": each} for each in post.attachment_ids]


def _link(link: Link) -> Body:
    title = {"title": link.title} if link.title else {}
    return {"url": link.url, "type": "Related", "hasInfo": False, **title}


def _run_link(link: RunLink) -> Body:
    told = _told({"title": link.title, "description": link.description})
    return {"url": link.url, "type": link.type, "hasInfo": False, **told}


def _step(step: Step) -> Body:
    return _told(
        {
            "title": step.name,
            "outcome": OUTCOMES[step.status] if step.status else None,
            "duration": step.duration_ms,
            "stepResults": [_step(inner) for inner in step.steps],
        }
    )


def _remarks(result: Result, *, fits: bool) -> Iterator[str]:
    if not fits:
        yield f"duration: {result.duration_ms} ms"
    if result.steps:
        yield "steps:"
        yield from _outline(result.steps, "")


def _outline(steps: Sequence[Step], indent: str) -> Iterator[str]:
    for step in steps:
        took = None if step.duration_ms is None else f"{step.duration_ms} ms"
        known = ", ".join(word for word in (step.status, took) if word)
        yield f"{indent}- {step.name}" + (f" ({known})" if known else "")
        yield from _outline(step.steps, indent + "  ")


def _instant(field: str, moment: datetime | None) -> str | None:
    """Write a moment in UTC; one without a zone is taken to be in UTC."""
    if moment is None:
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return zoned.astimezone(UTC).isoformat()
    except OverflowError as error:
        found = zoned.isoformat()
        raise Rejected(
            f"{field}: expected a moment of the years 1 to 9999 in UTC, found {found}"
        ) from error
