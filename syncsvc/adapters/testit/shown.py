"""The results that Test IT shows, as both our boards read and finalise them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from syncsvc.adapters.testit.calls import Ask, TestItCalls, read
from syncsvc.adapters.testit.wire import result_from
from syncsvc.errors import Conflict, Unknown
from syncsvc.results.held.model import FinalStatus, StatusType, TestResult
from syncsvc.runs.model import Run

PAGE = 100
MOST_PAGES = 1000

Item = dict[str, Any]
Found = TypeVar("Found")
Read = TypeVar("Read")
Workflow = dict[str, str]


@dataclass(frozen=True)
class ShownResults:
    """Finds, reads and finalises the results of a run."""

    calls: TestItCalls

    async def page(
        self, run: Run, wanted: dict[str, Any], *, skip: int, take: int
    ) -> httpx.Response:
        ask = Ask("POST", f"/testResults/search?Skip={skip}&Take={take}", json=wanted)
        return await self.calls.call(run.destination, ask)

    async def search(
        self, run: Run, wanted: dict[str, Any], reader: Callable[[Item], Read]
    ) -> AsyncIterator[Read]:
        """Go through what is wanted of a run, page by page; `reader` reads the short form."""
        wanted = {"testRunIds": [run.id], **wanted}
        for number in range(MOST_PAGES):
            answer = await self.page(run, wanted, skip=number * PAGE, take=PAGE)
            found = read(answer, lambda body: [reader(item) for item in body])
            for item in found:
                yield item
            if len(found) < PAGE or total(answer) == (number + 1) * PAGE:
                return

    async def full(self, run: Run, result_id: str) -> httpx.Response:
        return await self.calls.call(run.destination, Ask("GET", f"/testResults/{result_id}"))

    async def read(self, run: Run, result_id: str) -> TestResult:
        return read(await self.full(run, result_id), result_from)

    async def finalise(self, run: Run, result_id: str, status: FinalStatus) -> None:
        body = {"statusType": str(status.type)}
        if status.code is not None:
            body["statusCode"] = status.code
        await self.write(run, result_id, body, status.type)

    async def write(self, run: Run, result_id: str, body: Item, expected: StatusType) -> None:
        """Write into a result and see that it is kept.

        Raises Conflict when the server shows another status afterwards.
        """
        await self.calls.call(run.destination, Ask("PUT", f"/testResults/{result_id}", json=body))
        shown = await self.read(run, result_id)
        if shown.status_type != expected:
            raise Conflict(f"Test IT shows {shown.status_type} after {expected} was written")


@dataclass
class Workflows:
    """Knows the status codes of projects, with the type of each."""

    calls: TestItCalls
    _known: dict[tuple[str, str], Workflow] = field(default_factory=dict, init=False)

    async def of(self, run: Run, project_id: str) -> Workflow:
        """Give the codes of a project's workflow; none when the project is not known."""
        key = (run.destination.base_url, project_id)
        if key not in self._known:
            try:
                self._known[key] = await self._ask(run, project_id)
            except Unknown:
                return {}
        return self._known[key]

    def forget(self, run: Run, project_id: str) -> None:
        """Ask again next time: a code may have been renamed."""
        self._known.pop((run.destination.base_url, project_id), None)

    async def _ask(self, run: Run, project_id: str) -> Workflow:
        project = await self.calls.call(run.destination, Ask("GET", f"/projects/{project_id}"))
        workflow_id = read(project, lambda body: body["workflowId"])
        workflow = await self.calls.call(run.destination, Ask("GET", f"/workflows/{workflow_id}"))
        return read(workflow, _codes)


async def side_by_side(
    reader: Callable[[Found], Awaitable[Read]], found: Sequence[Found], at_once: int
) -> list[Read]:
    """Read several things at once and give them in order; the first failure ends it."""
    turns = asyncio.Semaphore(at_once)

    async def one(each: Found) -> Read:
        async with turns:
            return await reader(each)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(each)) for each in found]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [task.result() for task in tasks]


def total(answer: httpx.Response) -> int | None:
    """Say how many there are on all pages; None when the server does not tell."""
    said = answer.headers.get("Pagination-Total-Items", "")
    return int(said) if said.isdigit() else None


def _codes(body: Item) -> Workflow:
    return {str(status["code"]): str(status.get("type") or "") for status in body["statuses"]}
