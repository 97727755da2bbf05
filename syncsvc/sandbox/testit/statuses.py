"""The workflow of the sandbox's project, and which of its statuses a report means."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from syncsvc.sandbox.replies import Refusal


class StatusType(StrEnum):
    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    INCOMPLETE = "Incomplete"


class Outcome(StrEnum):
    """The vocabulary that came before workflows; still accepted and still shown."""

    PASSED = "Passed"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    BLOCKED = "Blocked"
    IN_PROGRESS = "InProgress"


FINAL = frozenset({StatusType.SUCCEEDED, StatusType.FAILED, StatusType.INCOMPLETE})


@dataclass(frozen=True)
class Status:
    id: UUID
    code: str
    name: str
    type: StatusType

    @property
    def is_final(self) -> bool:
        return self.type in FINAL


def _status(number: int, code: str, name: str, kind: StatusType) -> Status:
    return Status(UUID(f"5a9db0c5-0000-4000-8000-0000000001{number:02}"), code, name, kind)


# The first status of a type is the one that a bare type stands for.
WORKFLOW = (
    _status(1, "Passed", "Passed", StatusType.SUCCEEDED),
    _status(2, "Failed", "Failed", StatusType.FAILED),
    _status(3, "Skipped", "Skipped", StatusType.INCOMPLETE),
    _status(4, "Blocked", "Blocked", StatusType.INCOMPLETE),
    _status(5, "InProgress", "In progress", StatusType.IN_PROGRESS),
    _status(6, "Pending", "Pending", StatusType.PENDING),
)
_BY_CODE = {status.code.casefold(): status for status in WORKFLOW}


def of_type(kind: StatusType) -> Status:
    return next(status for status in WORKFLOW if status.type is kind)


def reported(code: str | None, kind: StatusType | None, outcome: Outcome | None) -> Status | None:
    """Return the status that a report means, or None if it is silent about it.

    The most exact word decides: a workflow code before a type before an old outcome.
    """
    if code is not None:
        return _of_code(code)
    if kind is not None:
        return of_type(kind)
    return _of_code(outcome) if outcome is not None else None


def outcome_of(status: Status) -> Outcome:
    """Say it in the old vocabulary, which knows no custom codes and nothing pending."""
    known = {outcome.value: outcome for outcome in Outcome}
    return known.get(status.code, Outcome.IN_PROGRESS)


def _of_code(code: str) -> Status:
    status = _BY_CODE.get(code.casefold())
    if status is None:
        known = ", ".join(each.code for each in WORKFLOW)
        raise Refusal(400, f"found status code {code}, expected one of {known}", "statusCode")
    return status
