"""A held result is kept "in progress" in Test IT so that its run stays open until all is in.

Its outbox entry is *held* while workers are at work, then *pending* until Test IT shows the
final status (*delivered*) or somebody must look (*dead*). A delivered one that is still due is
looked at once more, since some workers write back what they had read before. A cut names its
test only by external id, so several results may answer to it: `match` says which.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=1)
MOST_WRITES = 5  # of one final status that its worker writes back each time
NO_TEST_POINT = "00000000-0000-0000-0000-000000000000"


class StatusType(StrEnum):
    """The status types of Test IT."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    INCOMPLETE = "Incomplete"
    IN_PROGRESS = "InProgress"
    PENDING = "Pending"


FINAL = frozenset({StatusType.SUCCEEDED, StatusType.FAILED, StatusType.INCOMPLETE})


class EntryState(StrEnum):
    HELD = "held"
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Cut:
    """The final status of one test, as its worker handed it over to be held back."""

    run_id: str
    external_id: str
    status_code: str
    status_type: str
    project_id: str | None = None
    started_on: str | None = None

    @property
    def has_failed(self) -> bool:
        return final_type(self.status_code, self.status_type) is StatusType.FAILED


@dataclass(frozen=True, slots=True)
class Entry:
    """The promise to give one held result its final status."""

    id: str
    cut: Cut
    held_at: datetime
    state: EntryState = EntryState.HELD
    forced: bool = False  # somebody asked not to wait for quiet
    target_id: str | None = None  # the result in Test IT, once it is chosen
    attempt: int = 0
    due_at: datetime | None = None
    released_at: datetime | None = None
    claim: str | None = None
    reason: str | None = None
    settled_at: datetime | None = None
    writes: int = 0  # how often the final status was seen to be kept

    @property
    def is_looked_at_again(self) -> bool:
        return self.state is EntryState.DELIVERED and self.due_at is not None

    @property
    def is_open(self) -> bool:
        return self.state in {EntryState.HELD, EntryState.PENDING}


@dataclass(frozen=True, slots=True)
class TestResult:
    """One result of a run, as Test IT shows it."""

    __test__ = False  # not one of pytest's classes

    id: str
    external_id: str
    status_type: str
    created_at: str  # as Test IT writes it: ISO 8601, which sorts
    test_point_id: str | None = None
    has_traces: bool = False  # it tells of a failure
    pushed_as: str | None = None  # the entry that it was pushed for, if it was

    @property
    def is_final(self) -> bool:
        return self.status_type in FINAL

    @property
    def is_bound(self) -> bool:
        """Whether it was created for a test point of a plan, before the test ran."""
        return self.test_point_id not in (None, "", NO_TEST_POINT)


@dataclass(frozen=True, slots=True)
class FinalStatus:
    type: StatusType
    code: str | None  # None: Test IT chooses the code that goes with the type


def final_type(status_code: str, status_type: str) -> StatusType:
    """Read the final type from words of any letter case; what nobody knows is Incomplete."""
    for known in FINAL:
        if status_type.lower() == known.lower():
            return known
    by_code = {
        "passed": StatusType.SUCCEEDED,
        "xpassed": StatusType.SUCCEEDED,
        "failed": StatusType.FAILED,
        "xfailed": StatusType.FAILED,
    }
    return by_code.get(status_code.lower(), StatusType.INCOMPLETE)


def final_status(cut: Cut, workflow_codes: Iterable[str]) -> FinalStatus:
    """Say what to write; a code is sent only if the project's workflow has it."""
    code = next((c for c in workflow_codes if c.lower() == cut.status_code.lower()), None)
    return FinalStatus(final_type(cut.status_code, cut.status_type), code)


def match(entries: Sequence[Entry], in_progress: Sequence[TestResult]) -> dict[str, TestResult]:
    """Pair entries of one external id with the results that wait for them, by entry id.

    A result bound to a test point comes first, since Test IT made it for just this test; of the
    others the newest belong to us. A cut does not say which parameters it is of: so a failed one
    gets a result that tells of a failure, and for the rest the order of arrival decides. Where
    results are missing the newest cuts get those that are there: a worker hands over another
    cut when it could not show the result of the one before.
    """
    bound = [result for result in in_progress if result.is_bound][: len(entries)]
    free = sorted((r for r in in_progress if not r.is_bound), key=lambda r: r.created_at)
    missing = len(entries) - len(bound)
    candidates = bound + free[len(free) - min(missing, len(free)) :]
    newest = sorted(entries, key=lambda entry: entry.held_at)[len(entries) - len(candidates) :]
    waiting = sorted(newest, key=lambda entry: not entry.cut.has_failed)
    candidates.sort(key=lambda result: not result.has_traces)
    return {entry.id: result for entry, result in zip(waiting, candidates, strict=True)}


def beside(entry: Entry, in_progress: Sequence[TestResult]) -> TestResult | None:
    """Find the result that a worker posted though its test has one bound to a test point.

    Both are of the same test, and the run stays open until both are final.
    """
    free = sorted((r for r in in_progress if not r.is_bound), key=lambda r: r.created_at)
    free.sort(key=lambda result: result.has_traces is not entry.cut.has_failed)
    return free[0] if free else None


def next_pause(attempt: int, chance: float) -> timedelta:
    """Give the pause after a failed attempt (the first is 1): doubling, with full jitter.

    `chance` is in [0, 1).
    """
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * float(2 ** min(attempt, 16)))
    return max(FIRST_PAUSE / 2, ceiling * chance)
