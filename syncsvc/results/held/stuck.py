"""Results that keep a run open in Test IT, what we know of each, and giving them a final status."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncsvc.errors import SyncsvcError, Unknown
from syncsvc.results.held.model import (
    Cut,
    Entry,
    EntryState,
    StatusType,
    TestResult,
    final_status,
    final_type,
)
from syncsvc.results.held.ports import Filter, Outbox, ResultBoard
from syncsvc.runs.model import Destination, Liveness, Run, Worker, at_work
from syncsvc.runs.ports import Rosters, Runs

MOST = 1000  # entries of a run that are looked through


class Verdict(StrEnum):
    """The final statuses that a person may choose."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Stuck:
    """A result in progress, with what we know of it."""

    result: TestResult
    entry: Entry | None  # our promise to finalise it
    others: tuple[str, ...] = ()  # status types of final results that its test has beside it
    workers: tuple[Worker, ...] = ()  # of its run, at work

    @property
    def waits(self) -> bool:
        """Whether it is as it should be: somebody is still going to finish it."""
        is_pushed = self.result.pushed_as is not None
        return is_pushed or (bool(self.workers) and self.entry is not None and self.entry.is_open)

    @property
    def evidence(self) -> Verdict | None:
        """What its own traces, or the results of its test beside it, say that it was."""
        if self.result.has_traces:
            return Verdict.FAILED
        said = {"Succeeded": Verdict.PASSED, "Failed": Verdict.FAILED}
        return said.get(self.others[0]) if len(set(self.others)) == 1 else None

    @property
    def known(self) -> str:
        """What we know of it, in words."""
        if self.result.pushed_as is not None:
            return "pushed: its run waits for 'syncsvc run complete'"
        if self.entry is not None:
            reason = f": {self.entry.reason}" if self.entry.reason else ""
            return f"{self.entry.state}{reason}"
        if self.others:
            return f"not ours; its test has {', '.join(self.others)} beside it"
        return "not ours"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one stuck result: the status that it got, or why it got none."""

    stuck: Stuck
    status: StatusType | None
    reason: str


@dataclass(frozen=True)
class Repair:
    """Finds what is stuck in a run, and finishes it when a person says so."""

    outbox: Outbox
    runs: Runs
    rosters: Rosters
    board: ResultBoard
    liveness: Liveness
    clock: Callable[[], datetime]

    async def run(
        self, run_id: str, named: Destination | None, configured: Destination | None
    ) -> Run:
        """Give the run at the destination that was named, where we know it, or as configured.

        Raises Unknown when there is none of these, Unavailable.
        """
        known = None if named else await self.runs.get(run_id)
        if known is not None:
            return known
        destination = named or configured
        if destination is None:
            raise Unknown(
                f"run: expected one that a worker has registered for, found {run_id[:80]!r}; "
                "say --url, or set SYNCSVC_TESTIT_URL and SYNCSVC_TESTIT_TOKEN"
            )
        return Run(run_id, destination, created_at=self.clock())

    async def stuck(self, run: Run) -> Sequence[Stuck]:
        """List what is in progress in a run, the oldest first. Raises Rejected, Unavailable."""
        found = sorted(await self.board.waiting(run), key=lambda result: result.created_at)
        if not found:
            return []
        entries = list(await self.outbox.entries(Filter(run_id=run.id, limit=MOST)))
        roster = await self.rosters.get(run.id)
        workers = at_work(roster, self.clock(), self.liveness) if roster else ()
        return [await self._known(run, result, entries, workers) for result in found]

    async def fix(
        self, run: Run, stuck: Sequence[Stuck], chosen: Verdict | None
    ) -> Sequence[Outcome]:
        """Give each its final status: that of our cut, else the chosen one, else the evidence's.

        What somebody is still going to finish is left alone. Raises Rejected, Unavailable.
        """
        project_id = await self.board.project(run)
        return [await self._fix(run, each, chosen, project_id) for each in stuck]

    async def _known(
        self, run: Run, result: TestResult, entries: list[Entry], workers: tuple[Worker, ...]
    ) -> Stuck:
        entry = _entry_of(result, entries)
        if entry is not None:
            return Stuck(result, entry, workers=workers)
        others = await self.board.final_types(run, result.external_id)
        return Stuck(result, None, tuple(others), workers)

    async def _fix(
        self, run: Run, stuck: Stuck, chosen: Verdict | None, project_id: str
    ) -> Outcome:
        if stuck.waits:
            return Outcome(stuck, None, "somebody is still going to finish it")
        cut = _cut_of(run, stuck, chosen, project_id)
        if cut is None:
            return Outcome(stuck, None, "nothing says what it was: choose with --status")
        status = final_status(cut, await self.board.status_codes(run, cut.project_id))
        try:
            await self.board.finalise(run, stuck.result.id, status)
        except SyncsvcError as error:
            return Outcome(stuck, None, str(error))
        if stuck.entry is not None and stuck.entry.state is EntryState.DEAD:
            await self.outbox.revive(stuck.entry.id, self.clock())  # delivery sees it is final
        return Outcome(stuck, status.type, _why(stuck, chosen))


def _entry_of(result: TestResult, entries: list[Entry]) -> Entry | None:
    """Take the entry that a result was chosen for, or one of its test that has none yet."""
    aimed = [entry for entry in entries if entry.target_id == result.id]
    free = [e for e in entries if e.target_id is None and e.cut.external_id == result.external_id]
    found = next(iter(aimed + free), None)
    if found is not None:
        entries.remove(found)
    return found


def _cut_of(run: Run, stuck: Stuck, chosen: Verdict | None, project_id: str) -> Cut | None:
    if stuck.entry is not None:
        return stuck.entry.cut
    verdict = chosen or stuck.evidence
    if verdict is None:
        return None
    kind = final_type(verdict, "")
    return Cut(run.id, stuck.result.external_id, verdict, kind, project_id)


def _why(stuck: Stuck, chosen: Verdict | None) -> str:
    if stuck.entry is not None:
        return "as its worker had handed it over"
    if chosen is not None:
        return "as chosen"
    if stuck.result.has_traces:
        return "it has traces of a failure"
    return "as the other result of its test"
