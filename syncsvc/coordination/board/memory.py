"""The blackboard in this process: the twin that unit tests use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.coordination.board.model import MOST_ENTRIES, Change, Fence, Listed, Outcome, State
from syncsvc.coordination.names import subject


@dataclass(frozen=True, slots=True)
class _Entry:
    version: int
    value: str
    worker: str | None
    lasts: timedelta | None
    due_at: datetime


@dataclass
class _Run:
    entries: dict[str, _Entry] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)  # names and the version they went at
    done: dict[str, int] = field(default_factory=dict)
    revision: int = 0


@dataclass
class MemoryBoard:
    """`newest_token` tells the newest token of a lease: of a run, a kind and a name."""

    clock: Callable[[], datetime]
    announce: Callable[[str, str], None]
    newest_token: Callable[[str, str, str], int]
    life: timedelta
    most_entries: int = MOST_ENTRIES
    runs: dict[str, _Run] = field(default_factory=dict)

    async def change(self, run: str, change: Change) -> tuple[Outcome, int]:
        board = self._settled(run)
        if change.once.id in board.done:
            return Outcome.DONE, board.done[change.once.id]
        refused = self._fenced(run, change.fence) or self._unfit(board, change)
        if refused is not None:
            return refused
        version = self._carry_out(run, board, change)
        board.done[change.once.id] = version
        return Outcome.DONE, version

    async def look(self, run: str, name: str, known: int) -> State:
        board = self._settled(run)
        entry = board.entries.get(name)
        if entry is None:
            if known and name not in board.gone:
                self._bury(run, name)
            return State(board.gone.get(name, 0))
        if entry.lasts is not None:
            return State(entry.version, entry.value, entry.worker, entry.due_at - self.clock())
        due_at = self.clock() + self.life
        board.entries[name] = _Entry(entry.version, entry.value, entry.worker, None, due_at)
        return State(entry.version, entry.value, entry.worker)

    async def page(self, run: str, prefix: str, after: str, limit: int) -> Sequence[Listed]:
        entries = self._settled(run).entries
        names = sorted(name for name in entries if name.startswith(prefix) and name > after)
        return [Listed(name, entries[name].version, entries[name].worker) for name in names[:limit]]

    def _settled(self, run: str) -> _Run:
        board = self.runs.setdefault(run, _Run())
        for name, entry in list(board.entries.items()):
            if entry.due_at <= self.clock():
                self._bury(run, name)
        return board

    def _fenced(self, run: str, fence: Fence | None) -> tuple[Outcome, int] | None:
        if fence is None:
            return None
        newest = self.newest_token(run, fence.kind, fence.name)
        return None if fence.token == newest != 0 else (Outcome.FENCED, newest)

    def _unfit(self, board: _Run, change: Change) -> tuple[Outcome, int] | None:
        entry = board.entries.get(change.name)
        version = entry.version if entry else 0
        if change.if_version not in (None, version):
            return Outcome.OTHER_VERSION, version
        if change.value is None and entry is None:
            return Outcome.ABSENT, 0
        if entry is None and len(board.entries) >= self.most_entries:
            return Outcome.FULL, self.most_entries
        return None

    def _carry_out(self, run: str, board: _Run, change: Change) -> int:
        if change.value is None:
            return self._bury(run, change.name)
        version = self._next_version(board)
        due_at = self.clock() + (self.life if change.lasts is None else change.lasts)
        entry = _Entry(version, change.value, change.worker, change.lasts, due_at)
        board.entries[change.name] = entry
        board.gone.pop(change.name, None)
        self.announce(subject("data", run, change.name), str(version))
        return version

    def _bury(self, run: str, name: str) -> int:
        board = self.runs[run]
        version = self._next_version(board)
        board.entries.pop(name, None)
        board.gone[name] = version
        self.announce(subject("data", run, name), str(version))
        return version

    def _next_version(self, board: _Run) -> int:
        micros = int(self.clock().timestamp() * 1_000_000)
        board.revision = max(board.revision + 1, micros)
        return board.revision
