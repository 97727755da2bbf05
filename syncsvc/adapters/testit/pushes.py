"""Test IT as the place where pushed results are shown."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from syncsvc.adapters.testit import bodies, run_update
from syncsvc.adapters.testit.autotests import Autotests, Project
from syncsvc.adapters.testit.calls import Ask, TestItCalls, read
from syncsvc.adapters.testit.forms import form
from syncsvc.adapters.testit.memory import Memory
from syncsvc.adapters.testit.shown import ShownResults, Workflows, side_by_side
from syncsvc.adapters.testit.wire import result_from
from syncsvc.errors import Conflict, Rejected, TooLarge, Unavailable, Uncertain, Unknown
from syncsvc.results.held.model import FinalStatus
from syncsvc.results.pushed.model import Result
from syncsvc.results.pushed.ports import NewRun, Post, RunInfo, Shown
from syncsvc.runs.model import Destination, Run

LARGEST_FILE = 52_428_800  # bytes; Test IT takes no more
MOST_TESTS = 100  # of one search
MOST_REMEMBERED = 10_000
AT_ONCE = 16  # results that are read; the gate bounds it further
OVER = frozenset({"Stopped", "Completed"})
STATES = {"Pending": "NotStarted", "InProgress": "InProgress"}  # by type; else Completed

Item = dict[str, Any]


@dataclass
class TestItPushes:
    """Shows what was pushed."""

    __test__ = False  # not one of pytest's classes

    calls: TestItCalls
    autotests: Autotests = field(init=False)
    _results: ShownResults = field(init=False)
    _workflows: Workflows = field(init=False)
    _bound: Memory[tuple[str, str], bool] = field(init=False)  # by server and result

    def __post_init__(self) -> None:
        self.autotests = Autotests(self.calls)
        self._results = ShownResults(self.calls)
        self._workflows = Workflows(self.calls)
        self._bound = Memory(MOST_REMEMBERED)

    async def create_run(self, destination: Destination, new: NewRun) -> str:
        ask = Ask("POST", "/testRuns", json=bodies.new_run(new), once=True)
        with _tried_once():
            answer = await self.calls.call(destination, ask)
            return read(answer, lambda run: _text(run["id"]), once=True)

    async def run_info(self, run: Run) -> RunInfo:
        answer = await self.calls.call(run.destination, Ask("GET", f"/testRuns/{run.id}"))
        return read(answer, _run_info)

    async def start_run(self, run: Run) -> None:
        await self._turn(run, "start", OVER | {"InProgress"})

    async def complete_run(self, run: Run) -> None:
        await self._turn(run, "complete", OVER)

    async def ensure_autotests(self, run: Run, project_id: str, results: Sequence[Result]) -> None:
        with _conflicts_pass():
            await self.autotests.ensure(Project(run.destination, project_id), results)

    async def post(self, run: Run, project_id: str, posts: Sequence[Post]) -> Sequence[str]:
        workflow = await self._workflows.of(run, project_id)
        content = [bodies.new_result(post, bodies.status_of(post, workflow)) for post in posts]
        try:
            return await self._post(run, content)
        except Unknown:
            await self._meet(run, project_id, posts)
            return await self._post(run, content)
        except Rejected:
            self._workflows.forget(run, project_id)
            raise

    async def shown(self, run: Run, project_id: str, results: Sequence[Result]) -> Sequence[Shown]:
        project = Project(run.destination, project_id)
        numbers = list((await self.autotests.global_ids(project, results)).values())
        return [
            shown
            for start in range(0, len(numbers), MOST_TESTS)
            async for shown in self._results.search(
                run, {"autoTestGlobalIds": numbers[start : start + MOST_TESTS]}, _shown
            )
        ]

    async def mark_of(self, run: Run, result_id: str) -> str | None:
        return read(await self._results.full(run, result_id), _mark)

    async def waiting(self, run: Run) -> Sequence[Shown]:
        search = self._results.search(run, {"statusTypes": ["InProgress"]}, _shown)
        found = [each async for each in search]
        return await side_by_side(partial(self._with_binding, run), found, AT_ONCE)

    async def fill(self, run: Run, result_id: str, project_id: str, post: Post) -> None:
        status = bodies.status_of(post, await self._workflows.of(run, project_id))
        with _conflicts_pass():
            content = bodies.filling(post, status)
            await self._results.write(run, result_id, content, status.type)

    async def finalise(self, run: Run, result_id: str, status: FinalStatus) -> None:
        with _conflicts_pass():
            await self._results.finalise(run, result_id, status)

    async def upload(self, run: Run, name: str, size: int, content: AsyncIterator[bytes]) -> str:
        if size > LARGEST_FILE:
            raise TooLarge(f"attachment {name}: {size} bytes; Test IT takes at most {LARGEST_FILE}")
        if not self.calls.knows_surface(run.destination):
            await self.run_info(run)  # a stream cannot be tried on both
        answer = await self.calls.stream(run.destination, "/attachments", form(name, size, content))
        return read(answer, lambda body: _text(body["id"]))

    async def attach(self, run: Run, attachment_ids: Collection[str]) -> None:
        answer = await self.calls.call(run.destination, Ask("GET", f"/testRuns/{run.id}"))
        updated = read(answer, partial(run_update.with_files, attachment_ids=attachment_ids))
        if updated is not None:
            with _conflicts_pass():
                await self.calls.call(run.destination, Ask("PUT", "/testRuns", json=updated))

    async def status_codes(self, run: Run, project_id: str | None) -> Sequence[str]:
        return tuple(await self._workflows.of(run, project_id)) if project_id else ()

    async def _turn(self, run: Run, verb: str, done: Collection[str]) -> None:
        """Start or complete a run; a refusal is none if the run is as it should be."""
        try:
            await self.calls.call(run.destination, Ask("POST", f"/testRuns/{run.id}/{verb}"))
        except (Rejected, Conflict) as error:
            if (await self.run_info(run)).state not in done:
                raise _lasting(error) from error

    async def _post(self, run: Run, content: Sequence[Item]) -> Sequence[str]:
        results = f"/testRuns/{run.id}/test-results"
        old = f"/testRuns/{run.id}/testResults"
        ask = Ask("POST", results, json=content, old_path=old, once=True)
        with _tried_once():
            answer = await self.calls.call(run.destination, ask)
            return read(answer, lambda body: _ids(body, len(content)), once=True)

    async def _meet(self, run: Run, project_id: str, posts: Sequence[Post]) -> None:
        """See that the run exists, and that Test IT knows the tests after all.

        Somebody may have removed an autotest that we remember. Raises Unknown for the run.
        """
        await self.run_info(run)
        project = Project(run.destination, project_id)
        results = [post.result for post in posts]
        self.autotests.forget(project, results)
        await self.ensure_autotests(run, project_id, results)

    async def _with_binding(self, run: Run, found: Shown) -> Shown:
        key = (run.destination.base_url, found.id)
        is_bound = self._bound.get(key)
        if is_bound is None:
            is_bound = (await self._results.read(run, found.id)).is_bound
            self._bound.keep(key, is_bound)
        return replace(found, is_bound=is_bound)


@contextmanager
def _tried_once() -> Iterator[None]:
    """Hold what may have been done to be uncertain: an answer that says neither yes nor no."""
    try:
        yield
    except Conflict as error:
        raise Uncertain(str(error)) from error


@contextmanager
def _conflicts_pass() -> Iterator[None]:
    """Ask for another attempt later: whoever was faster is done by then."""
    try:
        yield
    except Conflict as error:
        raise Unavailable(str(error)) from error


def _lasting(error: Rejected | Conflict) -> Rejected | Unavailable:
    return error if isinstance(error, Rejected) else Unavailable(str(error))


def _run_info(body: Item) -> RunInfo:
    state = body.get("stateName") or STATES.get(str(body["status"]["type"]), "Completed")
    return RunInfo(_text(body["projectId"]), _text(state))


def _shown(item: Item) -> Shown:
    result = result_from(item)
    started = item.get("startedOn")
    return Shown(
        result.id,
        result.external_id,
        result.status_type,
        item.get("duration"),
        datetime.fromisoformat(started) if started else None,
        str(item["configurationId"]),
    )


def _mark(body: Item) -> str | None:
    mark = (body.get("properties") or {}).get(bodies.MARK)
    return None if mark is None else str(mark)


def _ids(body: Any, expected: int) -> Sequence[str]:
    if not isinstance(body, list) or len(body) != expected:
        raise TypeError("expected an id for each result")
    return [_text(each) for each in body]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("expected a text")
    return value
