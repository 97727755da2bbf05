"""A pushed result is handed over whole, to be shown in Test IT as it is.

Its outbox entry is *pending* until Test IT has it (*delivered*) or somebody must look (*dead*).
The first result of a run is shown as in progress (*held*) until all others are delivered and the
run is complete: Test IT closes a run as soon as every result it knows of is final.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from syncsvc.results.held.model import EntryState, StatusType

MOST_RESULTS = 1000  # of one request to us
DEEPEST_STEP = 15  # Test IT's own limit
LARGEST_BATCH = 100  # of one request to Test IT
MOST_ID_BYTES = 2000  # of an external id in UTF-8: PostgreSQL indexes no row of over 2700
LONGEST_DURATION = 43_200_000_000  # milliseconds, Test IT's own limit

Id = Annotated[str, Meta(min_length=1, max_length=1000)]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]  # SHA-256 of the content
Milliseconds = Annotated[int, Meta(ge=0, le=LONGEST_DURATION)]
Text = Annotated[str, Meta(max_length=1_000_000)]
Moment = Annotated[datetime, Meta(tz=True)]
StatusWord = Literal["passed", "failed", "broken", "skipped", "blocked"]

TYPES: Mapping[str, StatusType] = {
    "passed": StatusType.SUCCEEDED,
    "failed": StatusType.FAILED,
    "broken": StatusType.FAILED,
    "skipped": StatusType.INCOMPLETE,
    "blocked": StatusType.INCOMPLETE,
}


class Link(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    title: str | None = None


class RunLink(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A link of a run, with Test IT's words for what it leads to."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    title: str | None = None
    description: str | None = None
    type: Literal["Related", "BlockedBy", "Defect", "Issue", "Requirement", "Repository"] = (
        "Related"
    )


class AttachmentRef(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was uploaded to the run before, by its digest."""

    digest: Digest
    name: Annotated[str, Meta(min_length=1, max_length=255)]


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    status: StatusWord | None = None
    duration_ms: Milliseconds | None = None
    steps: "Sequence[Step]" = ()  # 15 levels at most


class Result(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one test gave, with what is known of the test itself.

    `key` makes handing over repeatable: of one run's results with the same key the first is kept.
    """

    external_id: Id
    status: StatusWord
    status_code: Word | None = None  # the workflow's own; sent only if the project has it
    key: Word | None = None
    name: Word | None = None  # default: the external id
    namespace: Annotated[str, Meta(max_length=255)] | None = None
    classname: Annotated[str, Meta(max_length=255)] | None = None
    title: Text | None = None
    description: Text | None = None
    labels: Sequence[Word] = ()
    layer: Word | None = None  # the autotest's, e.g. unit or api
    configuration_id: Word | None = None  # default: the push's
    started_at: Moment | None = None
    finished_at: Moment | None = None
    duration_ms: Milliseconds | None = None
    message: Text | None = None
    traces: Text | None = None
    parameters: Mapping[str, str] = {}
    properties: Mapping[str, str] = {}
    links: Sequence[Link] = ()
    attachments: Sequence[AttachmentRef] = ()
    steps: Sequence[Step] = ()


class Phase(StrEnum):
    """How far a push is."""

    NEW = "new"  # Test IT has none of its results yet
    OPEN = "open"  # the first is shown, in progress, so the run stays open
    COMPLETED = "completed"  # all delivered and the run closed; a later result opens it again


class FileState(StrEnum):
    """How far a file of a run itself is."""

    WAITING = "waiting"  # attached when the run ends
    ATTACHED = "attached"
    REFUSED = "refused"  # given up: a person must look


@dataclass(frozen=True, slots=True)
class Push:
    """What the pushed results of a run have in common, and how far they are."""

    run_id: str
    project_id: str
    configuration_id: str | None  # default of its results
    phase: Phase
    accepted_at: datetime  # when the newest result, or file of the run itself, came
    complete_asked_at: datetime | None = None  # somebody said that there are no more
    completed_at: datetime | None = None
    attempt: int = 0  # at opening or ending it
    reason: str | None = None  # why that failed last time
    planned: bool | None = None  # made from a plan, so results wait for ours; None: not looked yet


@dataclass(frozen=True, slots=True)
class Entry:
    """The promise to show one pushed result in Test IT."""

    id: str
    run_id: str
    result: Result
    accepted_at: datetime
    state: EntryState = EntryState.PENDING
    sent_at: datetime | None = None  # when it was last posted; unsettled, so perhaps it is there
    target_id: str | None = None  # the result in Test IT
    attempt: int = 0
    due_at: datetime | None = None
    claim: str | None = None
    reason: str | None = None
    settled_at: datetime | None = None
    revived_at: datetime | None = None  # when a person had it tried again


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one run that one task worker has claimed; no external id is there twice."""

    push: Push
    entries: Sequence[Entry]
    opens: bool  # nobody else has entries of this run before this batch is settled
    more: bool  # the run has further entries, or files of its own, that wait


def canonical(found: str) -> str:
    """Spell an id as Test IT does, in lower case: it takes any. What is no UUID stays as it is."""
    return found.lower() if is_id(found.lower()) else found


def is_id(found: str) -> bool:
    """Tell whether this is a UUID as Test IT spells it."""
    try:
        return str(UUID(found)) == found
    except ValueError:
        return False


def unkeepable(results: Sequence[Result]) -> str | None:
    """Say which external id is too long to be kept, if one is."""
    for index, result in enumerate(results):
        size = len(result.external_id.encode())
        if size > MOST_ID_BYTES:
            expected = f"expected at most {MOST_ID_BYTES} bytes in UTF-8"
            return f"results[{index}].external_id: {expected}, found {size} bytes"
    return None
