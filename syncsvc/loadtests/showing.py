"""What people read of load tests: their state, logs line by line, summaries, and two compared."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncsvc.errors import Rejected, Unknown
from syncsvc.loadtests.clean import Line, line
from syncsvc.loadtests.comparing import Compared, differences, paired
from syncsvc.loadtests.merging import Merged, merged
from syncsvc.loadtests.model import LoadTest, Step
from syncsvc.loadtests.ports import (
    Chunk,
    Cycle,
    Cycles,
    KeptLog,
    LoadTests,
    Logs,
    LogSource,
    Which,
)
from syncsvc.loadtests.seen import Role
from syncsvc.loadtests.stamps import nanoseconds_of, split
from syncsvc.patterns import Pattern

CUT = "... {lines} lines ({size} bytes) were left out here: the log is too large ..."
CUT_MEANWHILE = "... lines that were here are not kept any more: they went while they were read ..."


@dataclass(frozen=True, slots=True)
class Shown:
    """A load test with its steps, in their order."""

    test: LoadTest
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class WhichLogs:
    """Which containers of a step to read; None is any."""

    container: str | None = None
    role: Role | None = None
    runner: int | None = None

    def takes(self, source: LogSource) -> bool:
        wanted = (
            (self.container, source.container),
            (self.role, source.role),
            (self.runner, source.index),
        )
        return all(asked in (None, found) for asked, found in wanted)


@dataclass(frozen=True)
class WhichLines:
    """Which lines of a log to read: from a moment on, those that a pattern is found in."""

    since: datetime | None = None
    grep: Pattern | None = None
    with_progress: bool = False

    def takes(self, line: Line) -> bool:
        if self._is_too_old(line) or (line.is_progress and not self.with_progress):
            return False
        return self.grep is None or self.grep.is_in(line.text)

    def _is_too_old(self, line: Line) -> bool:
        if self.since is None or line.nanoseconds is None:
            return False
        return line.nanoseconds < nanoseconds_of(self.since)


@dataclass(frozen=True, slots=True)
class Told:
    """A line of one container's log; `is_cut` stands for the middle that was left out.

    That is so many `lines`, or 0 where they were not counted.
    """

    source: LogSource
    line: Line
    raw: bytes
    is_cut: bool = False
    lines: int = 1


@dataclass(frozen=True)
class Showing:
    """Reads what is kept."""

    tests: LoadTests
    cycles: Cycles
    logs: Logs

    async def listed(self, which: Which) -> Sequence[Shown]:
        """List load tests, newest first. Raises Unknown for a `before` that is not there."""
        tests = await self.tests.tests(which)
        steps = await self.tests.steps_of([test.id for test in tests])
        return [Shown(test, [step for step in steps if step.test_id == test.id]) for test in tests]

    async def test(self, named: str) -> Shown:
        """Find a load test by its id, or the newest of that name. Raises Unknown."""
        try:
            test = await self.tests.test(named)
        except Unknown:
            found = await self.tests.tests(Which(named=named, limit=1))
            if not found:
                raise
            test = found[0]
        return Shown(test, await self.tests.steps_of([test.id]))

    async def step(self, named: str, step: str | None = None) -> Step:
        """Find a step: by its id, the name of its TestRun, or that of a load test (and `step`).

        Raises Unknown, and Rejected where a load test has several and none is named.
        """
        if step is None:
            found = await self._step_itself(named)
            if found is not None:
                return found
        shown = await self.test(named)
        return _the_step(shown, step)

    async def kept(self, step: Step, which: WhichLogs) -> Sequence[KeptLog]:
        """Give the logs of a step. Raises Unknown when it has some, but none that is asked for."""
        logs = await self.logs.logs([step.id])
        found = [log for log in logs if which.takes(log.source)]
        if logs and not found:
            there = ", ".join(f"{log.source.pod}/{log.source.container}" for log in logs)
            raise Unknown(f"logs of {step.name!r}: expected one of {there}, found none that fits")
        return found

    async def lines(self, log: KeptLog, which: WhichLines) -> AsyncIterator[Told]:
        """Give what is kept of a log as it was when it was asked for, line by line."""
        since = None if which.since is None else nanoseconds_of(which.since)
        after = log.first - 1
        async for chunk in self._chunks(log, since):
            cut = _cut(log, after, chunk.number, since)
            if cut is not None and await self._is_seen(log, chunk, since):
                yield cut
            for raw in split(chunk.log):
                told = Told(log.source, line(raw), raw)
                if which.takes(told.line):
                    yield told
            after = chunk.number
        if since is None and after < log.last:
            yield _gone(log)

    async def _chunks(self, log: KeptLog, since: int | None) -> AsyncIterator[Chunk]:
        after = log.first - 1
        while chunks := await self.logs.chunks(log.source.id, after, since=since):
            for chunk in chunks:
                if chunk.number > log.last:  # added meanwhile, or in place of what was kept
                    return
                yield chunk
                after = chunk.number

    async def _is_seen(self, log: KeptLog, chunk: Chunk, since: int | None) -> bool:
        """Say whether some of what was left out before a chunk may be as new as is asked for."""
        if since is None or log.left_out is None or chunk.first_moment is None:
            return True
        if chunk.first_moment < since:
            return False
        behind = await self.logs.chunks(log.source.id, log.left_out.after, limit=1)
        return [each.number for each in behind] == [chunk.number]

    async def summary(self, step: Step) -> Sequence[Merged]:
        """Give the end-of-test summary over all runners of a step."""
        return merged(await self.logs.summaries(step.id))

    async def compared(self, before: str, after: str) -> Sequence[Compared]:
        """Compare two load tests step by step. Raises Unknown."""
        old, new = await self.test(before), await self.test(after)
        return [await self._difference(one, other) for one, other in paired(old.steps, new.steps)]

    async def latest_cycles(self, limit: int) -> Sequence[Cycle]:
        return await self.cycles.latest(limit)

    async def _difference(self, before: Step | None, after: Step | None) -> Compared:
        rows = [await self.summary(step) if step else [] for step in (before, after)]
        name = (after or before).name  # type: ignore[union-attr]  # one of them is there
        found = differences(*rows) if before and after else []
        return Compared(name, before, after, found)

    async def _step_itself(self, named: str) -> Step | None:
        try:
            return await self.tests.step(named)
        except Unknown:
            found = await self.tests.steps(Which(named=named, limit=1))
        return found[0] if found else None


def _the_step(shown: Shown, name: str | None) -> Step:
    names = ", ".join(repr(step.name) for step in shown.steps)
    if name is None:
        if len(shown.steps) == 1:
            return shown.steps[0]
        raise Rejected(f"step: load test {shown.test.name!r} has several, name one of {names}")
    for step in shown.steps:
        if name in (step.name, step.id, step.test_run):
            return step
    raise Unknown(f"step of {shown.test.name!r}: expected one of {names}, found {name[:80]!r}")


def _cut(log: KeptLog, after: int, number: int, since: int | None) -> Told | None:
    """Mark what is not there between a chunk and the one that was told before it."""
    left = log.left_out
    if left is not None and after <= left.after < number:
        return _mark(log, CUT.format(lines=left.lines, size=left.size), left.lines)
    return _gone(log) if since is None and number > after + 1 else None


def _gone(log: KeptLog) -> Told:
    return _mark(log, CUT_MEANWHILE, 0)


def _mark(log: KeptLog, text: str, lines: int) -> Told:
    return Told(log.source, Line(text), text.encode() + b"\n", is_cut=True, lines=lines)
