"""Bodies that adapters and finalisers send, in the vendor's words.

A null means the same as a field left out. Unknown fields are ignored, except where the vendor
forbids them: in the update of a result.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field

from syncsvc.sandbox.testit.statuses import Outcome, StatusType
from syncsvc.sandbox.testit.values import (
    Label,
    Link,
    Milliseconds,
    PlannedStep,
    Reference,
    Step,
    StepReference,
    Text,
)

DayInMilliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]


class Body(Struct, frozen=True, rename="camel", kw_only=True):
    pass


class CreateRun(Body, frozen=True):
    project_id: UUID
    name: str | None = None
    description: str | None = None
    launch_source: str | None = None
    attachments: Sequence[Reference] | None = None
    links: Sequence[Link] | None = None
    tags: Sequence[str] | None = None


class UpdateRun(Body, frozen=True):
    id: UUID
    name: Text
    description: str | None = None
    launch_source: str | None = None
    attachments: Sequence[Reference] | None = None
    links: Sequence[Link] | None = None
    tags: Sequence[str] | None = None


class NewResult(Body, frozen=True):
    configuration_id: UUID
    auto_test_external_id: Text
    status_code: str | None = None
    status_type: StatusType | None = None
    outcome: Outcome | None = None
    message: str | None = None
    traces: str | None = None
    started_on: datetime | None = None
    completed_on: datetime | None = None
    duration: Milliseconds | None = None
    attachments: Sequence[Reference] | None = None
    links: Sequence[Link] | None = None
    parameters: Mapping[str, str] | None = None
    properties: Mapping[str, str] | None = None
    step_results: Sequence[Step] | None = None
    setup_results: Sequence[Step] | None = None
    teardown_results: Sequence[Step] | None = None


class UpdateResult(Body, frozen=True, forbid_unknown_fields=True):
    """An edit: what is left out stays as it is."""

    status_code: str | None = None
    status_type: StatusType | None = None
    outcome: Outcome | None = None
    comment: str | None = None
    message: str | None = None
    trace: str | None = None
    duration: DayInMilliseconds | None = None
    duration_in_ms: DayInMilliseconds | None = None
    links: Sequence[Link] | None = None
    attachments: Sequence[Reference] | None = None
    step_results: Sequence[StepReference] | None = None
    setup_results: Sequence[Step] | None = None
    teardown_results: Sequence[Step] | None = None
    step_comments: Sequence[Any] | None = None
    failure_class_ids: Sequence[UUID] | None = None


class Operation(Struct, frozen=True, kw_only=True):
    """One step of a JSON patch (RFC 6902)."""

    op: str
    path: str
    value: Any = None


class Moments(Struct, frozen=True, kw_only=True):
    """A stretch of time, both ends included; an end that is left out is open."""

    from_: datetime | None = field(default=None, name="from")
    to: datetime | None = None


class ResultFilter(Body, frozen=True):
    test_run_ids: Sequence[UUID] | None = None
    configuration_ids: Sequence[UUID] | None = None
    status_types: Sequence[StatusType] | None = None
    status_codes: Sequence[str] | None = None
    outcomes: Sequence[Outcome] | None = None
    auto_test_global_ids: Sequence[int] | None = None
    auto_test_tags: Sequence[str] | None = None
    name: str | None = None
    namespace: str | None = None
    class_name: str | None = None
    created_date: Moments | None = None
    modified_date: Moments | None = None


class Chosen(Struct, frozen=True, kw_only=True):
    include: Sequence[UUID] | None = None
    exclude: Sequence[UUID] | None = None


class Selector(Body, frozen=True):
    filter: ResultFilter | None = None
    test_result_ids_extraction_model: Chosen | None = None


class EditResults(Body, frozen=True):
    """The same edit for many results of a run; no status."""

    selector: Selector | None = None
    links: Sequence[Link] | None = None
    comment: str | None = None
    attachment_ids: Sequence[UUID] | None = None


class WriteAutotest(Body, frozen=True):
    """What creating and updating an autotest have in common, which is nearly all."""

    project_id: UUID
    external_id: Text
    name: Text
    id: UUID | None = None
    external_key: str | None = None
    namespace: str | None = None
    classname: str | None = None
    title: str | None = None
    description: str | None = None
    is_flaky: bool | None = None
    steps: Sequence[PlannedStep] | None = None
    setup: Sequence[PlannedStep] | None = None
    teardown: Sequence[PlannedStep] | None = None
    labels: Sequence[Label] | None = None
    links: Sequence[Link] | None = None
    tags: Sequence[str] | None = None


class AutotestFilter(Body, frozen=True):
    project_ids: Sequence[UUID] | None = None
    external_ids: Sequence[str] | None = None
    global_ids: Sequence[int] | None = None
    name: str | None = None
    namespace: str | None = None
    class_name: str | None = None
    is_flaky: bool | None = None
    is_deleted: bool | None = None
    external_key: str | None = None
    tags: Sequence[str] | None = None


class AutotestIncludes(Body, frozen=True):
    include_steps: bool = False
    include_links: bool = False
    include_labels: bool = False


class SearchAutotests(Body, frozen=True):
    filter: AutotestFilter | None = None
    includes: AutotestIncludes | None = None


class LinkWorkItem(Body, frozen=True):
    id: Text


class ConfigurationFilter(Body, frozen=True):
    project_ids: Sequence[UUID] | None = None
    name: str | None = None
    is_deleted: bool | None = None
    global_ids: Sequence[int] | None = None
