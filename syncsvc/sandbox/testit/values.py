"""Parts that requests bring, results keep and replies show unchanged."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from syncsvc.sandbox.replies import Refusal
from syncsvc.sandbox.testit.statuses import Outcome

Text = Annotated[str, Meta(min_length=1)]
Milliseconds = Annotated[int, Meta(ge=0, le=43_200_000_000)]
DEEPEST_STEP = 15  # levels that Test IT accepts


class LinkType(StrEnum):
    RELATED = "Related"
    BLOCKED_BY = "BlockedBy"
    DEFECT = "Defect"
    ISSUE = "Issue"
    REQUIREMENT = "Requirement"
    REPOSITORY = "Repository"


class Link(Struct, frozen=True, rename="camel", kw_only=True):
    url: Text
    type: LinkType = LinkType.RELATED
    title: str | None = None
    description: str | None = None
    id: UUID | None = None
    has_info: bool = False


class Reference(Struct, frozen=True):
    """An attachment that has been uploaded before."""

    id: UUID


class Step(Struct, frozen=True, rename="camel", kw_only=True):
    """A step as it went; steps nest."""

    title: str | None = None
    description: str | None = None
    info: str | None = None
    started_on: datetime | None = None
    completed_on: datetime | None = None
    duration: Milliseconds | None = None
    outcome: Outcome | None = None
    step_results: Sequence["Step"] | None = None
    attachments: Sequence[Reference] | None = None
    parameters: Mapping[str, str] | None = None


class PlannedStep(Struct, frozen=True, kw_only=True):
    """A step of an autotest as it is written down; it may be sent without its details."""

    title: Text
    description: str | None = None
    steps: Sequence["PlannedStep"] | None = None


class Label(Struct, frozen=True):
    name: Text


class StepReference(Struct, frozen=True, rename="camel", kw_only=True):
    """The flat form of a step that a result update carries."""

    step_id: UUID
    outcome: str


AnyStep = Step | PlannedStep


def check_depth(steps: Sequence[AnyStep] | None, level: int = 1) -> None:
    """Refuse steps that nest deeper than Test IT stores."""
    if steps and level > DEEPEST_STEP:
        raise Refusal(400, f"steps nest deeper than {DEEPEST_STEP} levels", "stepResults")
    for step in steps or ():
        inner = step.step_results if isinstance(step, Step) else step.steps
        check_depth(inner, level + 1)


def attachments_within(steps: Sequence[Step]) -> list[UUID]:
    """List what the steps refer to, inner ones included; they must not nest too deeply."""
    check_depth(steps)
    return _attachments_within(steps)


def _attachments_within(steps: Sequence[Step]) -> list[UUID]:
    found: list[UUID] = []
    for step in steps:
        found += [each.id for each in step.attachments or ()]
        found += _attachments_within(step.step_results or ())
    return found
