"""Parts of replies that many of the vendor's objects share."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from syncsvc.sandbox.identities import USER_ID
from syncsvc.sandbox.testit.library import Attachment
from syncsvc.sandbox.testit.statuses import Status
from syncsvc.sandbox.testit.values import Label, Link, PlannedStep

Json = dict[str, Any]


def status(of: Status) -> Json:
    return {
        "id": of.id,
        "name": of.name,
        "type": of.type,
        "isSystem": True,
        "code": of.code,
        "description": None,
    }


def attachment(of: Attachment) -> Json:
    return {
        "id": of.id,
        "fileId": f"{of.id}/{of.name}",
        "name": of.name,
        "type": of.media_type,
        "size": float(of.size),
        **authorship(of.created, of.created),
    }


def authorship(created: datetime, modified: datetime) -> Json:
    return {
        "createdDate": created,
        "createdById": USER_ID,
        "modifiedDate": modified,
        "modifiedById": USER_ID,
    }


def utc(instant: datetime | None) -> datetime | None:
    """Read an instant without a zone as UTC, as the vendor does."""
    if instant is None or instant.tzinfo:
        return instant
    return instant.replace(tzinfo=UTC)


def links(of: Sequence[Link]) -> list[Json]:
    return [
        {
            "id": link.id,
            "url": link.url,
            "type": link.type,
            "title": link.title,
            "description": link.description,
            "hasInfo": link.has_info,
        }
        for link in of
    ]


def labels(of: Sequence[Label]) -> list[Json]:
    return [{"globalId": number, "name": label.name} for number, label in enumerate(of, 1)]


def planned(steps: Sequence[PlannedStep] | None) -> list[Json] | None:
    return [
        {"title": step.title, "description": step.description, "steps": planned(step.steps)}
        for step in steps or ()
    ]
