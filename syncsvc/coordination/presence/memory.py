"""Presence in this process: the twin that unit tests use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncsvc.coordination.names import subject
from syncsvc.coordination.presence.model import Arriving, Attendance, Present


@dataclass
class _Run:
    known: dict[str, tuple[Arriving, Present]] = field(default_factory=dict)
    until: dict[str, datetime] = field(default_factory=dict)
    version: int = 0


@dataclass
class MemoryAttendances:
    clock: Callable[[], datetime]
    announce: Callable[[str, str], None]
    runs: dict[str, _Run] = field(default_factory=dict)

    async def join(self, run: str, arriving: Arriving) -> int:
        there, name = self._settled(run), arriving.worker
        before = there.known.get(name)
        since = before[1].since if before else self.clock()
        there.known[name] = (arriving, Present(name, since, arriving.about))
        there.until[name] = self.clock() + arriving.lasts
        if before is None or before[1].about != arriving.about:
            self._changed(run)
        return there.version

    async def beat(self, run: str, workers: Sequence[str]) -> Sequence[str]:
        there = self._settled(run)
        for worker in there.known.keys() & set(workers):
            there.until[worker] = self.clock() + there.known[worker][0].lasts
        return [worker for worker in workers if worker not in there.known]

    async def leave(self, run: str, worker: str) -> int:
        there = self._settled(run)
        if there.known.pop(worker, None):
            del there.until[worker]
            self._changed(run)
        return there.version

    async def list(self, run: str) -> Attendance:
        there = self._settled(run)
        workers = tuple(there.known[name][1] for name in sorted(there.known))
        first = min(there.until.values(), default=None)
        changes_in = None if first is None else first - self.clock()
        return Attendance(there.version, workers, changes_in)

    def _settled(self, run: str) -> _Run:
        there = self.runs.setdefault(run, _Run())
        gone = [worker for worker, until in there.until.items() if until <= self.clock()]
        for worker in gone:
            del there.until[worker], there.known[worker]
        if gone:
            self._changed(run)
        return there

    def _changed(self, run: str) -> None:
        there = self.runs[run]
        there.version = max(there.version + 1, int(self.clock().timestamp() * 1_000_000))
        self.announce(subject("presence", run), str(there.version))
