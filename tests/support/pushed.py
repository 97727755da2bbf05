"""A Test IT in memory for pushed results, with everything around their delivery.

It is honest: what it is asked to do it does, also where the answer is lost afterwards; it closes a
run when all results that it knows of are final; and it refuses what the real one refuses.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from itertools import count
from typing import Any, TypeVar

from syncsvc.errors import Rejected, SyncsvcError, Unavailable, Uncertain, Unknown
from syncsvc.results.held.model import FINAL, EntryState, FinalStatus
from syncsvc.results.pushed.delivery import PushDelivery, PushTerms
from syncsvc.results.pushed.memory import MemoryPushOutbox
from syncsvc.results.pushed.memory_files import MemoryFiles
from syncsvc.results.pushed.model import TYPES, AttachmentRef, Batch, Entry, Result
from syncsvc.results.pushed.ports import NewRun, Post, PushOutbox, RunInfo, Shown
from syncsvc.runs.memory import MemoryRuns
from syncsvc.runs.model import Destination, Run
from tests.support.builders import NOON, SECOND, Clock, ids, push, run

Answer = TypeVar("Answer")
ONE_REQUEST = 20 * SECOND
OVER = {"Stopped", "Completed"}
TERMS = PushTerms(idle_limit=timedelta(minutes=30))


class Killed(BaseException):
    """The process has died: nothing after this is done."""


class Fate(Enum):
    """What becomes of one step."""

    WELL = "it is done and answered"
    REFUSED = "it is not done, and may be asked again"
    UNHEARD = "it is done, and the answer is lost"
    KILLED_BEFORE = "whoever asks dies before it is done"
    KILLED_AFTER = "whoever asks dies after it is done"


@dataclass
class TestResultRow:
    __test__ = False  # not one of pytest's classes

    id: str
    external_id: str
    configuration_id: str
    status: str
    mark: str | None = None
    result: Result | None = None
    is_bound: bool = False
    attachments: Sequence[str] = ()

    @property
    def shown(self) -> Shown:
        result = self.result
        return Shown(
            self.id,
            self.external_id,
            self.status,
            result.duration_ms if result else None,
            result.started_at if result else None,
            self.configuration_id,
        )


@dataclass
class TestItRun:
    __test__ = False  # not one of pytest's classes

    state: str = "InProgress"
    rows: list[TestResultRow] = field(default_factory=list)
    closings: int = 0
    files: list[str] = field(default_factory=list)

    def settle(self) -> None:
        if self.state == "InProgress" and self.rows and all(r.status in FINAL for r in self.rows):
            self.state = "Completed"
            self.closings += 1


@dataclass
class PushBoardTwin:
    """Test IT; `fate` decides what becomes of the next call."""

    fate: Callable[[str], Fate | SyncsvcError] = lambda _call: Fate.WELL
    poison: set[str] = field(default_factory=set)  # tests whose results are refused
    bad_tests: set[str] = field(default_factory=set)  # tests that cannot be created
    breaking: set[str] = field(default_factory=set)  # tests that no code of ours can post
    breaks_after: bool = False  # they break it once Test IT has them
    bad_files: set[str] = field(default_factory=set)  # names
    takes_late: bool = False
    refuses_files: bool = False  # of runs
    runs: dict[str, TestItRun] = field(default_factory=lambda: {"run": TestItRun()})
    tests: set[str] = field(default_factory=set)
    uploads: dict[str, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    posts: list[Sequence[Post]] = field(default_factory=list)
    codes: Sequence[str] = ("Passed", "Failed", "Skipped")
    gate: asyncio.Event | None = None  # posts wait for it
    posting: int = 0
    most_posting: int = 0
    _ids: Any = field(default_factory=lambda: count(1))

    def rows(self, run_id: str = "run") -> list[TestResultRow]:
        return self.runs[run_id].rows

    def shows(self, run_id: str = "run") -> dict[str, str]:
        return {row.external_id: row.status for row in self.rows(run_id)}

    def marks(self, run_id: str = "run") -> Counter[str | None]:
        return Counter(row.mark for row in self.rows(run_id))

    def add(self, external_id: str, status: str = "InProgress", **more: Any) -> TestResultRow:
        row = TestResultRow(f"r{next(self._ids)}", external_id, "configuration", status, **more)
        self.rows().append(row)
        return row

    async def create_run(self, destination: Destination, new: NewRun) -> str:
        run_id = f"run-{next(self._ids)}"
        self.runs[run_id] = TestItRun("NotStarted")
        return run_id

    async def run_info(self, run: Run) -> RunInfo:
        return await self._do("run_info", lambda: RunInfo("project", self._run(run).state))

    async def start_run(self, run: Run) -> None:
        def start() -> None:
            if self._run(run).state == "NotStarted":
                self._run(run).state = "InProgress"

        await self._do("start_run", start)

    async def complete_run(self, run: Run) -> None:
        def complete() -> None:
            if self._run(run).state not in OVER:
                self._run(run).state = "Completed"
                self._run(run).closings += 1

        await self._do("complete_run", complete)

    async def ensure_autotests(self, run: Run, project_id: str, results: Sequence[Result]) -> None:
        def ensure() -> None:
            bad = self.bad_tests & {result.external_id for result in results}
            if bad:
                raise Rejected(f"autotest {min(bad)} cannot be created")
            self.tests |= {result.external_id for result in results}

        await self._do("ensure_autotests", ensure)

    async def post(self, run: Run, project_id: str, posts: Sequence[Post]) -> Sequence[str]:
        self.posting += 1
        self.most_posting = max(self.most_posting, self.posting)
        try:
            if self.gate is not None:
                await self.gate.wait()
            broken = sorted(self.breaking & {each.result.external_id for each in posts})
            if broken and not self.breaks_after:
                raise KeyError(broken[0])
            ids = await self._do("post", lambda: self._take(run, posts))
            if broken:
                raise KeyError(broken[0])
            return ids
        finally:
            self.posting -= 1

    async def shown(self, run: Run, project_id: str, results: Sequence[Result]) -> Sequence[Shown]:
        external_ids = {result.external_id for result in results}

        def show() -> Sequence[Shown]:
            return [r.shown for r in self._run(run).rows if r.external_id in external_ids]

        return await self._do("shown", show)

    async def mark_of(self, run: Run, result_id: str) -> str | None:
        return await self._do("mark_of", lambda: self._row(run, result_id).mark)

    async def waiting(self, run: Run) -> Sequence[Shown]:
        def wait() -> Sequence[Shown]:
            rows = [row for row in self._run(run).rows if row.status == "InProgress"]
            return [replace(row.shown, is_bound=row.is_bound) for row in rows]

        return await self._do("waiting", wait)

    async def fill(self, run: Run, result_id: str, project_id: str, post: Post) -> None:
        def write() -> None:
            if post.result.external_id in self.poison:
                raise Rejected(f"{post.result.external_id} is poison")
            row = self._row(run, result_id)
            row.status, row.result = _status(post), post.result
            row.attachments = post.attachment_ids
            self._run(run).settle()

        await self._do("fill", write)

    async def finalise(self, run: Run, result_id: str, status: FinalStatus) -> None:
        def write() -> None:
            self._row(run, result_id).status = str(status.type)
            self._run(run).settle()

        await self._do("finalise", write)

    async def upload(self, run: Run, name: str, size: int, content: AsyncIterator[bytes]) -> str:
        found = b"".join([piece async for piece in content])

        def keep() -> str:
            if name in self.bad_files or len(found) != size:
                raise Rejected("Test IT does not take this file")
            file_id = f"file-{next(self._ids)}"
            self.uploads[file_id] = found
            return file_id

        return await self._do("upload", keep)

    async def attach(self, run: Run, attachment_ids: Collection[str]) -> None:
        def assign() -> None:
            home = self._run(run)
            if self.refuses_files:
                raise Rejected("the run cannot be changed")
            home.files += [each for each in attachment_ids if each not in home.files]

        await self._do("attach", assign)

    async def status_codes(self, run: Run, project_id: str | None) -> Sequence[str]:
        return self.codes

    def _take(self, run: Run, posts: Sequence[Post]) -> Sequence[str]:
        home = self._run(run)
        self.posts.append(posts)
        names = [post.result.external_id for post in posts]
        if len(names) > 100 or len(set(names)) < len(names):
            raise Rejected("a request has each test once, and 100 results at most")
        if home.state in OVER and not (self.takes_late and home.state == "Completed"):
            raise Rejected("Test run is stopped")
        bad = sorted((self.poison | (set(names) - self.tests)) & set(names))
        if bad:
            raise Rejected(f"{bad[0]} is poison")
        if home.state == "NotStarted":
            home.state = "InProgress"
        rows = [
            TestResultRow(
                f"r{next(self._ids)}",
                post.result.external_id,
                post.configuration_id,
                _status(post),
                post.entry_id,
                post.result,
                attachments=post.attachment_ids,
            )
            for post in posts
        ]
        home.rows += rows
        home.settle()
        return [row.id for row in rows]

    async def _do(self, call: str, act: Callable[[], Answer]) -> Answer:
        self.calls.append(call)
        await asyncio.sleep(0)
        fate = self.fate(call)
        if isinstance(fate, SyncsvcError):
            raise fate
        if fate is Fate.KILLED_BEFORE:
            raise Killed
        if fate is Fate.REFUSED:
            raise Unavailable(f"{call}: 503")
        answer = act()
        if fate is Fate.KILLED_AFTER:
            raise Killed
        if fate is Fate.UNHEARD:
            raise Uncertain(f"{call}: no answer") if call == "post" else Unavailable("no answer")
        return answer

    def _run(self, run: Run) -> TestItRun:
        if run.id not in self.runs:
            raise Unknown(f"run {run.id} is unknown")
        return self.runs[run.id]

    def _row(self, run: Run, result_id: str) -> TestResultRow:
        found = next((row for row in self._run(run).rows if row.id == result_id), None)
        if found is None:
            raise Unknown(f"result {result_id} is unknown")
        return found


def _status(post: Post) -> str:
    return "InProgress" if post.provisional else str(TYPES[post.result.status])


class SmallBatches:
    """An outbox whose batches are small, and before and after each step of which one may die."""

    def __init__(
        self,
        outbox: PushOutbox,
        limit: int = 100,
        fate: Callable[[str], Fate] = lambda _step: Fate.WELL,
    ) -> None:
        self._outbox, self._limit, self._fate = outbox, limit, fate

    async def claim(self, now: Any, term: timedelta, limit: int) -> Batch | None:
        return await self._step("claim", now, term, min(limit, self._limit))

    def __getattr__(self, name: str) -> Any:
        async def step(*args: Any, **more: Any) -> Any:
            return await self._step(name, *args, **more)

        return step

    async def _step(self, name: str, *args: Any, **more: Any) -> Any:
        fate = self._fate(name)
        if fate is Fate.KILLED_BEFORE:
            raise Killed
        if fate is Fate.REFUSED:
            raise Unavailable("the database cannot be reached")
        answer = await getattr(self._outbox, name)(*args, **more)
        if fate is Fate.KILLED_AFTER:
            raise Killed
        if fate is Fate.UNHEARD:
            raise Unavailable("the database did not answer")
        return answer


@dataclass
class PushHouse:
    """A delivery of pushed results with its surroundings in memory."""

    limit: int = 100  # of a batch
    terms: PushTerms = TERMS
    clock: Clock = field(default_factory=Clock)
    board: PushBoardTwin = field(default_factory=PushBoardTwin)
    runs: MemoryRuns = field(default_factory=MemoryRuns)
    fate: Callable[[str], Fate] = lambda _step: Fate.WELL

    def __post_init__(self) -> None:
        self.outbox = MemoryPushOutbox(ids())
        self.files = MemoryFiles(self.outbox)
        self.restart()

    def restart(self) -> None:
        """Begin anew, as a task worker that was started after another has died."""
        outbox: Any = SmallBatches(self.outbox, self.limit, self._decide)
        self.delivery = PushDelivery(
            outbox,
            self.files,
            self.runs,
            self.board,
            self.terms,
            self.clock,
            lambda: 0.5,
            self._pause,
        )

    async def _pause(self, seconds: float) -> None:
        self.clock.pass_(timedelta(seconds=seconds))

    def _decide(self, step: str) -> Fate:
        return self.fate(step)

    async def accept(self, *results: Result | str, run_id: str = "run") -> None:
        await self.runs.put(run(run_id))
        if run_id not in self.outbox.pushes:
            await self.outbox.open(push(run_id))
        whole = [pushed(each) if isinstance(each, str) else each for each in results]
        await self.outbox.accept(run_id, whole, self.clock())

    async def complete(self, run_id: str = "run") -> None:
        await self.outbox.ask_complete(run_id, self.clock())

    async def tick(self, after: timedelta = timedelta()) -> int:
        self.clock.pass_(after)
        settled = await self.delivery.deliver_due()
        await self.delivery.end_finished()
        return settled

    def entry(self, external_id: str) -> Entry:
        return next(e for e in self.outbox.rows.values() if e.result.external_id == external_id)

    def states(self) -> Counter[EntryState]:
        return Counter(entry.state for entry in self.outbox.rows.values())


def pushed(external_id: str, status: Any = "passed", **more: Any) -> Result:
    told = {"duration_ms": 17, "started_at": NOON}
    return Result(external_id=external_id, status=status, **{**told, **more})


def file(digest: str, name: str) -> AttachmentRef:
    return AttachmentRef(digest=digest, name=name)


AFTER_CLAIM = TERMS.claim + SECOND


async def eventually(look: Callable[[], bool], what: str) -> None:
    """Let the others on this loop go on until something is seen."""
    for _ in range(2000):
        if look():
            return
        await asyncio.sleep(0)
    raise AssertionError(f"never: {what}")
