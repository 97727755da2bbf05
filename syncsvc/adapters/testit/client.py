"""Test IT as the place where held results are shown and finalised."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from syncsvc.adapters.testit.calls import Ask, TestItCalls, read
from syncsvc.adapters.testit.shown import ShownResults, Workflows, side_by_side, total
from syncsvc.adapters.testit.wire import result_from
from syncsvc.errors import Rejected
from syncsvc.results.held.model import FinalStatus, TestResult
from syncsvc.runs.model import Destination, Run

OVER = ("Completed", "Stopped")
AT_ONCE = 8  # results that are read side by side
FINISHED = ["Succeeded", "Failed", "Incomplete"]


@dataclass
class TestItBoard:
    """Shows what was held back."""

    __test__ = False  # not one of pytest's classes

    calls: TestItCalls
    _results: ShownResults = field(init=False)
    _workflows: Workflows = field(init=False)

    def __post_init__(self) -> None:
        self._results = ShownResults(self.calls)
        self._workflows = Workflows(self.calls)

    async def count_results(self, run: Run) -> int | None:
        return total(await self._results.page(run, {"testRunIds": [run.id]}, skip=0, take=1))

    async def in_progress(self, run: Run, external_ids: Collection[str]) -> Sequence[TestResult]:
        found = [
            r async for r in self._search(run, ["InProgress"]) if r.external_id in external_ids
        ]
        tests = [result.external_id for result in found]
        return [
            await self.read(run, result.id) if tests.count(result.external_id) > 1 else result
            for result in found
        ]

    async def finished(self, run: Run, external_ids: Collection[str]) -> set[str]:
        missing = set(external_ids)
        async for result in self._search(run, FINISHED):
            missing.discard(result.external_id)
            if not missing:
                break
        return set(external_ids) - missing

    async def waiting(self, run: Run) -> Sequence[TestResult]:
        found = [result.id async for result in self._search(run, ["InProgress"])]
        return await side_by_side(partial(self.read, run), found, AT_ONCE)

    async def is_waiting(self, run: Run) -> bool:
        wanted = {"testRunIds": [run.id], "statusTypes": ["InProgress"]}
        return bool(read(await self._results.page(run, wanted, skip=0, take=1), list))

    async def final_types(self, run: Run, external_id: str) -> Sequence[str]:
        found = [r async for r in self._search(run, FINISHED) if r.external_id == external_id]
        found.sort(key=lambda result: result.created_at, reverse=True)
        return [result.status_type for result in found]

    async def state(self, run: Run) -> str:
        return await self._of_run(run, "stateName")

    async def project(self, run: Run) -> str:
        return await self._of_run(run, "projectId")

    async def complete(self, run: Run) -> None:
        try:
            await self.calls.call(run.destination, Ask("POST", f"/testRuns/{run.id}/complete"))
        except Rejected:
            if await self.state(run) not in OVER:
                raise

    async def read(self, run: Run, result_id: str) -> TestResult:
        return await self._results.read(run, result_id)

    async def status_codes(self, run: Run, project_id: str | None) -> Sequence[str]:
        if project_id is None:
            return ()
        return tuple(await self._workflows.of(run, project_id))

    async def finalise(self, run: Run, result_id: str, status: FinalStatus) -> None:
        await self._results.finalise(run, result_id, status)

    async def ping(self, destination: Destination) -> None:
        """See that the server answers and takes the token.

        Raises Rejected or Unavailable.
        """
        ask = Ask("POST", "/testResults/search?Skip=0&Take=1", json={})
        read(await self.calls.call(destination, ask), list)

    async def _of_run(self, run: Run, name: str) -> str:
        answer = await self.calls.call(run.destination, Ask("GET", f"/testRuns/{run.id}"))
        return read(answer, lambda body: str(body[name]))

    def _search(self, run: Run, status_types: list[str]) -> AsyncIterator[TestResult]:
        return self._results.search(run, {"statusTypes": status_types}, result_from)
