"""Fakes at the ports."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from syncsvc.errors import Rejected, SyncsvcError, Unavailable
from syncsvc.results.held.model import FinalStatus, TestResult
from syncsvc.runs.model import Destination, Run


@dataclass
class Board:
    """A Test IT that keeps what it is given, and fails when it is told to."""

    results: list[TestResult] = field(default_factory=list)
    codes: Sequence[str] = ("Passed", "Failed", "Skipped")
    failure: Exception | None = None
    failures: dict[str, SyncsvcError] = field(default_factory=dict)  # by result id, on writing
    written: list[tuple[str, FinalStatus]] = field(default_factory=list)
    tells_counts: bool = True
    closed: str | None = None  # the run's state; None: it closes once all results are final
    completes_itself: bool = True
    completed: int = 0  # how often it was asked to complete

    async def count_results(self, run: Run) -> int | None:
        self._fail()
        return len(self.results) if self.tells_counts else None

    async def in_progress(self, run: Run, external_ids: Collection[str]) -> Sequence[TestResult]:
        self._fail()
        return [r for r in self.results if r.external_id in external_ids and not r.is_final]

    async def finished(self, run: Run, external_ids: Collection[str]) -> set[str]:
        self._fail()
        return {r.external_id for r in self.results if r.is_final and r.external_id in external_ids}

    async def waiting(self, run: Run) -> Sequence[TestResult]:
        self._fail()
        return [r for r in self.results if r.status_type == "InProgress"]

    async def final_types(self, run: Run, external_id: str) -> Sequence[str]:
        self._fail()
        found = [r for r in self.results if r.is_final and r.external_id == external_id]
        return [r.status_type for r in sorted(found, key=lambda r: r.created_at, reverse=True)]

    async def is_waiting(self, run: Run) -> bool:
        self._fail()
        return any(r.status_type == "InProgress" for r in self.results)

    async def project(self, run: Run) -> str:
        self._fail()
        return "project"

    async def state(self, run: Run) -> str:
        self._fail()
        if self.closed is None and self.completes_itself and not await self.is_waiting(run):
            return "Completed"
        return self.closed or "InProgress"

    async def complete(self, run: Run) -> None:
        self._fail()
        self.completed += 1
        self.closed = "Completed"

    async def read(self, run: Run, result_id: str) -> TestResult:
        self._fail()
        found = next((r for r in self.results if r.id == result_id), None)
        if found is None:
            raise Rejected("no such result")
        return found

    async def status_codes(self, run: Run, project_id: str | None) -> Sequence[str]:
        return self.codes

    async def finalise(self, run: Run, result_id: str, status: FinalStatus) -> None:
        self._fail()
        if result_id in self.failures:
            raise self.failures[result_id]
        self.written.append((result_id, status))
        self.results = [
            replace(r, status_type=str(status.type)) if r.id == result_id else r
            for r in self.results
        ]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class Nudges:
    count: int = 0

    async def deliver(self) -> None:
        self.count += 1


@dataclass
class Servers:
    """Destinations: what a worker names, or a default."""

    configured: Destination | None = None

    def named(self, base_url: str | None, token: str | None) -> Destination | None:
        return Destination(base_url, token) if base_url else None

    def default(self) -> Destination | None:
        return self.configured


UNREACHABLE = Unavailable("not now")
