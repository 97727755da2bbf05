"""What results need from outside: an outbox, and the system that shows them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from syncsvc.results.held.model import Cut, Entry, EntryState, FinalStatus, TestResult
from syncsvc.runs.model import Run


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries to list, newest first."""

    state: EntryState | None = None
    run_id: str | None = None
    limit: int = 100
    before: str | None = None  # the last id of the page before; ids sort by their moment


class Outbox(Protocol):
    """Keeps held results and their entries; each call is one transaction.

    All raise Unavailable when the place cannot be reached.
    """

    async def hold(self, cut: Cut, now: datetime) -> str:
        """Store a result and its entry, state held, and give the entry's id once committed.

        Raises Unknown when the run was never registered.
        """
        ...

    async def held_runs(self) -> Sequence[tuple[str, datetime]]:
        """Give every run that has held entries, with the moment of the newest one."""
        ...

    async def release(self, run_id: str, now: datetime, *, forced: bool) -> int:
        """Make the held entries of a run pending and due now; forced also hurries pending ones."""
        ...

    async def claim_due(self, now: datetime, term: timedelta, limit: int) -> Sequence[Entry]:
        """Claim entries that are due, so that nobody else has them before the term ends.

        Those are pending ones, and delivered ones that are to be looked at again.

        A claim whose holder died is simply due again after the term.
        """
        ...

    async def aim(self, targets: Mapping[str, str]) -> None:
        """Note which result each entry (by id) will finalise, before it is tried."""
        ...

    async def aimed(self, run_id: str) -> Sequence[str]:
        """Give the targets that the run's entries have or had."""
        ...

    async def put_back(self, entry: Entry, state: EntryState, due_at: datetime | None) -> bool:
        """Give up a claim without an attempt counted; False when the claim was lost."""
        ...

    async def retry_later(self, entry: Entry, due_at: datetime, reason: str) -> bool:
        """Count a failed attempt and give up the claim; False when the claim was lost."""
        ...

    async def written(
        self, entry: Entry, now: datetime, look_again_at: datetime, remark: str | None
    ) -> bool:
        """Note an entry as delivered that is to be looked at again; False: the claim was lost."""
        ...

    async def settle(
        self, entry: Entry, state: EntryState, now: datetime, reason: str | None
    ) -> bool:
        """End an entry as delivered or dead; False when the claim was lost."""
        ...

    async def revive(self, entry_id: str | None, now: datetime) -> int:
        """Make a dead entry (None: all of them) pending and due now, and count them."""
        ...

    async def drop(self, entry_id: str | None, run_id: str | None) -> int:
        """Remove dead entries: this one, all of a run, or with neither all; count them."""
        ...

    async def entries(self, which: Filter) -> Sequence[Entry]:
        """Give entries, newest first."""
        ...

    async def get(self, entry_id: str) -> Entry | None:
        """Give one entry."""
        ...

    async def counts(self, run_id: str | None = None) -> dict[EntryState, int]:
        """Count the entries (of a run) by state."""
        ...

    async def is_held(self, run_id: str) -> bool:
        """Tell whether a result of this run waits for its final status."""
        ...

    async def forget(self, before: datetime) -> int:
        """Remove delivered entries, and runs without entries, that ended before; count them."""
        ...


class ResultBoard(Protocol):
    """The system that shows results to people: Test IT.

    All raise Rejected when it refuses for good, Unavailable when it may be asked again.
    """

    async def count_results(self, run: Run) -> int | None:
        """Count the results that the run has; None when the server does not tell."""
        ...

    async def in_progress(self, run: Run, external_ids: Collection[str]) -> Sequence[TestResult]:
        """Give those of the run's unfinished results that belong to these tests."""
        ...

    async def finished(self, run: Run, external_ids: Collection[str]) -> set[str]:
        """Tell which of these tests have a final result in the run."""
        ...

    async def read(self, run: Run, result_id: str) -> TestResult:
        """Give one result."""
        ...

    async def waiting(self, run: Run) -> Sequence[TestResult]:
        """Give all of the run's results in progress, each in full."""
        ...

    async def final_types(self, run: Run, external_id: str) -> Sequence[str]:
        """Give the status types of this test's final results in the run, the newest first."""
        ...

    async def state(self, run: Run) -> str:
        """Say how the run stands: NotStarted, InProgress, Stopped or Completed."""
        ...

    async def project(self, run: Run) -> str:
        """Give the id of the run's project."""
        ...

    async def is_waiting(self, run: Run) -> bool:
        """Tell whether any result of the run is in progress."""
        ...

    async def complete(self, run: Run) -> None:
        """Complete the run; one that is over is left as it is."""
        ...

    async def status_codes(self, run: Run, project_id: str | None) -> Sequence[str]:
        """Give the codes of the project's workflow; none when the project is not known."""
        ...

    async def finalise(self, run: Run, result_id: str, status: FinalStatus) -> None:
        """Write the status, and nothing else, and see that it is kept.

        Raises Conflict when the server shows another status afterwards.
        """
        ...


class Nudge(Protocol):
    """Asks for work that would otherwise wait for the next tick; losing it costs a tick."""

    async def deliver(self) -> None:
        """Ask for a delivery now; says nothing when nobody can be reached."""
        ...
