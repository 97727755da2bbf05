"""Load tests, cycles and the sync job in memory, for tests and for what needs no server."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import TypeVar

from syncsvc.errors import Conflict, Rejected
from syncsvc.loadtests.memory_rows import Shelf, not_known
from syncsvc.loadtests.model import LoadTest, LogsState, Step
from syncsvc.loadtests.ports import (
    ERRORS_KEPT,
    Cycle,
    CycleReport,
    Group,
    JobChange,
    Place,
    Pulse,
    SyncJob,
    Turn,
    Which,
)
from syncsvc.loadtests.recognizing import recognized

Item = TypeVar("Item", LoadTest, Step)


@dataclass(frozen=True)
class MemoryLoadTests:
    shelf: Shelf

    async def register(self, test: LoadTest, steps: Sequence[Step]) -> Sequence[Step]:
        if not steps:
            raise Rejected(f"load test {test.name[:80]!r}: expected at least one step, found none")
        given, new = recognized(steps, self.shelf.steps.values())
        if new:
            self.shelf.tests.setdefault(test.id, test)
            self.shelf.steps |= {step.id: step for step in new}
            self.shelf.derive({step.test_id for step in new})
        return given

    async def register_all(self, groups: Sequence[Group]) -> Sequence[Sequence[Step]]:
        if any(not group.steps for group in groups):
            raise Rejected("load tests: expected at least one step of each, found none")
        return [await self.register(group.test, group.steps) for group in groups]

    async def test(self, test_id: str) -> LoadTest:
        if test_id not in self.shelf.tests:
            raise not_known("load test", test_id)
        return self.shelf.tests[test_id]

    async def tests(self, which: Which) -> Sequence[LoadTest]:
        found = [test for test in self.shelf.tests.values() if self._fits(test, which)]
        return _listed(found, self.shelf.tests, lambda test: test.created_at, which)

    async def step(self, step_id: str) -> Step:
        if step_id not in self.shelf.steps:
            raise not_known("step", step_id)
        return self.shelf.steps[step_id]

    async def steps(self, which: Which) -> Sequence[Step]:
        found = [
            step
            for step in self.shelf.steps.values()
            if _is_at(step, which)
            and _says(which.text, step.name, step.test_run)
            and which.named in (None, step.test_run)
        ]
        return _listed(found, self.shelf.steps, lambda step: step.registered_at, which)

    async def steps_of(self, test_ids: Collection[str]) -> Sequence[Step]:
        return [step for test_id in sorted(set(test_ids)) for step in self.shelf.steps_of(test_id)]

    async def places(self) -> Sequence[Place]:
        found = {(step.cluster, step.namespace) for step in self._watched()}
        return [Place(*each) for each in sorted(found)]

    async def pulses(self) -> Sequence[Pulse]:
        places = await self.places()
        return [_pulse(place, await self.under_way(*astuple(place))) for place in places]

    async def under_way(self, cluster: str, namespace: str) -> Sequence[Step]:
        place = Which(cluster=cluster, namespace=namespace)
        found = [step for step in self._watched() if _is_at(step, place)]
        return sorted(found, key=lambda step: (step.registered_at, step.id))

    async def save(self, fence: int, steps: Sequence[Step], at: datetime) -> None:
        self.shelf.check(fence)
        known = [step for step in steps if step.id in self.shelf.steps]
        going = {step.test_id for step in known if not self.shelf.steps[step.id].is_over}
        for step in known:
            self.shelf.steps[step.id] = _later(self.shelf.steps[step.id], step)
        self.shelf.derive(going)

    async def forget(self, before: datetime) -> int:
        tests = self.shelf.tests.values()
        old = [test.id for test in tests if test.completed_at and test.completed_at < before]
        for test_id in old:
            self.shelf.forget(test_id)
        newest = max(self.shelf.cycles, default=0)
        for cycle in list(self.shelf.cycles.values()):
            if cycle.began_at < before and cycle.fence != newest:
                del self.shelf.cycles[cycle.fence]
        return len(old)

    def _watched(self) -> Iterable[Step]:
        unread = (LogsState.NONE, LogsState.PARTIAL)
        return (s for s in self.shelf.steps.values() if not s.is_over or s.logs in unread)

    def _fits(self, test: LoadTest, which: Which) -> bool:
        steps = self.shelf.steps_of(test.id)
        says = _says(which.text, test.name) or any(
            _says(which.text, step.name, step.test_run) for step in steps
        )
        is_named = which.named in (None, test.name)
        return says and is_named and any(_is_at(step, which) for step in steps)


@dataclass(frozen=True)
class MemoryCycles:
    shelf: Shelf

    async def begin(self, at: datetime) -> int:
        self.shelf.fence += 1
        self.shelf.cycles[self.shelf.fence] = Cycle(self.shelf.fence, at)
        return self.shelf.fence

    async def end(self, fence: int, report: CycleReport) -> None:
        if fence not in self.shelf.cycles:
            raise not_known("cycle", str(fence))
        cycle = self.shelf.cycles[fence]
        kept = replace(report, step_errors=tuple(report.step_errors[:ERRORS_KEPT]))
        self.shelf.cycles[fence] = replace(cycle, report=cycle.report or kept)

    async def latest(self, limit: int) -> Sequence[Cycle]:
        return [self.shelf.cycles[fence] for fence in sorted(self.shelf.cycles)[::-1][:limit]]

    async def last_ended(self) -> Cycle | None:
        for cycle in await self.latest(len(self.shelf.cycles)):
            if cycle.report is not None:
                return replace(cycle, report=replace(cycle.report, step_errors=()))
        return None


@dataclass(frozen=True)
class MemoryControl:
    shelf: Shelf

    async def job(self) -> SyncJob:
        return self.shelf.job

    async def change(self, version: int, change: JobChange, at: datetime) -> SyncJob:
        job = self.shelf.job
        if version != job.version:
            raise Conflict(
                f"sync job: expected version {job.version}, found {version}: read it again"
            )
        self.shelf.job = replace(
            job,
            enabled=change.enabled,
            interval=change.interval,
            origin=change.origin,
            next_due_at=change.due_at,
            updated_by=change.by,
            updated_at=at,
            version=version + 1,
        )
        return self.shelf.job

    async def take_due(self, turn: Turn, now: datetime) -> bool:
        job = self.shelf.job
        is_taken = _is_ahead(job.busy_until, now) and job.busy_by != turn.holder
        waits = not turn.at_once and _is_ahead(job.next_due_at, now)
        if is_taken or waits or turn.version != job.version:
            return False
        self.shelf.job = replace(
            job,
            last_begun_at=now,
            next_due_at=now + turn.interval,
            busy_until=now + turn.term,
            busy_by=turn.holder,
        )
        return True

    async def keep(self, holder: str, until: datetime) -> bool:
        if self.shelf.job.busy_by != holder:
            return False
        self.shelf.job = replace(self.shelf.job, busy_until=until)
        return True

    async def hurry(self, at: datetime) -> None:
        if _is_ahead(self.shelf.job.next_due_at, at):
            self.shelf.job = replace(self.shelf.job, next_due_at=at)

    async def done(self, holder: str, reserved_until: datetime | None = None) -> None:
        if self.shelf.job.busy_by == holder:
            self.shelf.job = replace(
                self.shelf.job,
                busy_until=reserved_until,
                busy_by=holder if reserved_until else None,
            )


def _is_ahead(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now


def _pulse(place: Place, steps: Sequence[Step]) -> Pulse:
    going = [step for step in steps if not step.is_over]
    stale = sum(step.stale is not None for step in going)
    stalled = sum(step.stalled is not None for step in going)
    return Pulse(place, len(going), stale, stalled, unread=len(steps) - len(going))


def _later(stored: Step, new: Step) -> Step:
    if stored.is_over:
        return replace(stored, logs=new.logs, logs_detail=new.logs_detail)
    return replace(
        new,
        test_id=stored.test_id,
        name=stored.name,
        order=stored.order,
        cluster=stored.cluster,
        namespace=stored.namespace,
        test_run=stored.test_run,
        registered_at=stored.registered_at,
    )


def _is_at(step: Step, which: Which) -> bool:
    asked = ((step.cluster, which.cluster), (step.namespace, which.namespace))
    return all(wanted in (None, found) for found, wanted in asked)


def _says(text: str | None, *names: str) -> bool:
    return text is None or text.casefold() in "\n".join(names).casefold()


def _listed(
    found: Iterable[Item], known: dict[str, Item], since: Callable[[Item], datetime], which: Which
) -> list[Item]:
    """List newest first what has the status, and is older than the one that was named."""
    if which.before is not None and which.before not in known:
        raise not_known("before", which.before)
    last = known[which.before] if which.before is not None else None
    fitting = [
        each
        for each in found
        if (which.status is None or each.status is which.status)
        and (last is None or (since(each), each.id) < (since(last), last.id))
    ]
    newest = sorted(fitting, key=lambda each: (since(each), each.id), reverse=True)
    return newest[: which.limit]
