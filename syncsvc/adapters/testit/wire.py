"""What travels between Test IT's adapters, us, and Test IT: payload to model and back.

Adapters type-check our replies: a field is there with its type, never null, and a moment has
three digits and a Z. Their own fields may be null wherever they are not needed.
"""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from syncsvc.errors import Rejected
from syncsvc.results.held.model import Cut, TestResult
from syncsvc.runs.model import WorkerStatus

Body = TypeVar("Body")


class Register(msgspec.Struct):
    pid: str
    testRunId: str  # noqa: N815 - their name
    baseUrl: str | None = None  # noqa: N815 - their name
    privateToken: str | None = None  # noqa: N815 - their name


class Report(msgspec.Struct):
    pid: str
    status: str
    testRunId: str  # noqa: N815 - their name

    def worker_status(self) -> WorkerStatus:
        """Raises Rejected for a word that is no status."""
        if self.status not in ("in_progress", "completed"):
            raise Rejected(f"status: expected in_progress or completed, found {self.status[:40]!r}")
        return WorkerStatus(self.status)


class SignOfLife(msgspec.Struct):
    pid: str
    testRunId: str  # noqa: N815 - their name


class CutBody(msgspec.Struct):
    autoTestExternalId: str  # noqa: N815 - their name
    projectId: str | None = None  # noqa: N815 - their name
    statusCode: str | None = None  # noqa: N815 - their name
    statusType: str | None = None  # noqa: N815 - their name
    startedOn: str | None = None  # noqa: N815 - their name

    def to_model(self, run_id: str) -> Cut:
        return Cut(
            run_id=run_id,
            external_id=self.autoTestExternalId,
            status_code=self.statusCode or "",
            status_type=self.statusType or "",
            project_id=self.projectId or None,
            started_on=self.startedOn or None,
        )


def decode(body: bytes, shape: type[Body]) -> Body:
    """Read a JSON body.

    Raises Rejected that names the field, what was found and what was expected.
    """
    if not body.strip():
        raise Rejected("body: expected a JSON object, found nothing")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise Rejected(_explain(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected(f"body: expected JSON in UTF-8: {error}") from None


def _explain(said: str) -> str:
    what, _, path = said.partition(" - at `$")
    field = path.strip("`.") or "body"
    if "missing required field" in what:
        return f"{what.split('`')[1]}: expected a value, found no such field"
    expected = what.removeprefix("Expected ").replace("got", "found").replace("`", "")
    if what.startswith("Expected"):
        return f"{field}: expected {expected}"
    return f"{field}: {what[0].lower()}{what[1:]}"


def moment(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def result_from(answer: dict[str, Any]) -> TestResult:
    """Read a result in any of Test IT's shapes, short or full, old surface or new.

    Raises KeyError or TypeError when it is none.
    """
    status = answer.get("status") or {}
    test = answer.get("autoTest") or {}
    external_id = answer.get("autotestExternalId") or test.get("externalId") or ""
    kind = status.get("type") or answer.get("statusType") or _from_outcome(answer.get("outcome"))
    return TestResult(
        id=str(answer["id"]),
        external_id=str(external_id),
        status_type=str(kind),
        created_at=str(answer.get("createdDate") or ""),
        test_point_id=answer.get("testPointId"),
        has_traces=bool(answer.get("traces")),
        pushed_as=(answer.get("properties") or {}).get("syncsvc"),
    )


def _from_outcome(outcome: str | None) -> str:
    by_outcome = {"Passed": "Succeeded", "Failed": "Failed", "InProgress": "InProgress"}
    return by_outcome.get(outcome or "", "Incomplete")
