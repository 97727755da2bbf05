"""The outbox in this process: the twin that unit tests use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.errors import Unknown
from syncsvc.results.held.model import Cut, Entry, EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.runs.memory import MemoryRuns


@dataclass
class MemoryOutbox:
    runs: MemoryRuns
    new_id: Callable[[], str]
    rows: dict[str, Entry] = field(default_factory=dict)

    async def hold(self, cut: Cut, now: datetime) -> str:
        if cut.run_id not in self.runs.rows:
            raise Unknown(
                "testRunId: expected a run that a worker has registered for, "
                f"found {cut.run_id[:80]!r}"
            )
        entry = Entry(self.new_id(), cut, held_at=now)
        self.rows[entry.id] = entry
        return entry.id

    async def held_runs(self) -> Sequence[tuple[str, datetime]]:
        newest: dict[str, datetime] = {}
        for entry in self._where(state=EntryState.HELD):
            newest[entry.cut.run_id] = max(
                entry.held_at, newest.get(entry.cut.run_id, entry.held_at)
            )
        return list(newest.items())

    async def release(self, run_id: str, now: datetime, *, forced: bool) -> int:
        states = {EntryState.HELD, EntryState.PENDING} if forced else {EntryState.HELD}
        released = [e for e in self._where(run_id=run_id) if e.state in states]
        for entry in released:
            self._change(
                entry,
                state=EntryState.PENDING,
                forced=entry.forced or forced,
                due_at=now,
                released_at=now,
            )
        return len(released)

    async def claim_due(self, now: datetime, term: timedelta, limit: int) -> Sequence[Entry]:
        claim = self.new_id()
        states = {EntryState.PENDING, EntryState.DELIVERED}
        due = [e for e in self._where() if e.state in states and e.due_at and e.due_at <= now]
        due.sort(key=lambda e: (e.cut.run_id, e.due_at))
        return [self._change(e, claim=claim, due_at=now + term) for e in due[:limit]]

    async def aim(self, targets: Mapping[str, str]) -> None:
        for entry_id, target_id in targets.items():
            self._change(self.rows[entry_id], target_id=target_id)

    async def aimed(self, run_id: str) -> Sequence[str]:
        return [e.target_id for e in self._where(run_id=run_id) if e.target_id is not None]

    async def put_back(self, entry: Entry, state: EntryState, due_at: datetime | None) -> bool:
        return self._change_claimed(entry, state=state, due_at=due_at, claim=None, settled_at=None)

    async def retry_later(self, entry: Entry, due_at: datetime, reason: str) -> bool:
        attempt = entry.attempt + 1
        return self._change_claimed(
            entry, due_at=due_at, claim=None, attempt=attempt, reason=reason
        )

    async def written(
        self, entry: Entry, now: datetime, look_again_at: datetime, remark: str | None
    ) -> bool:
        return self._change_claimed(
            entry,
            state=EntryState.DELIVERED,
            due_at=look_again_at,
            claim=None,
            attempt=entry.attempt + 1,
            writes=entry.writes + 1,
            reason=remark,
            settled_at=now,
        )

    async def settle(
        self, entry: Entry, state: EntryState, now: datetime, reason: str | None
    ) -> bool:
        return self._change_claimed(
            entry,
            state=state,
            due_at=None,
            claim=None,
            attempt=entry.attempt + 1,
            reason=reason,
            settled_at=now,
        )

    async def revive(self, entry_id: str | None, now: datetime) -> int:
        dead = [e for e in self._where(state=EntryState.DEAD) if entry_id in (None, e.id)]
        for entry in dead:
            self._change(
                entry,
                state=EntryState.PENDING,
                due_at=now,
                released_at=now,
                attempt=0,
                writes=0,
                settled_at=None,
            )
        return len(dead)

    async def drop(self, entry_id: str | None, run_id: str | None) -> int:
        dead = self._where(state=EntryState.DEAD, run_id=run_id)
        dropped = [e.id for e in dead if entry_id in (None, e.id)]
        for dropped_id in dropped:
            del self.rows[dropped_id]
        return len(dropped)

    async def entries(self, which: Filter) -> Sequence[Entry]:
        found = self._where(state=which.state, run_id=which.run_id)
        found.sort(key=lambda e: e.id, reverse=True)
        older = [e for e in found if which.before is None or e.id < which.before]
        return older[: which.limit]

    async def get(self, entry_id: str) -> Entry | None:
        return self.rows.get(entry_id)

    async def counts(self, run_id: str | None = None) -> dict[EntryState, int]:
        counts: dict[EntryState, int] = {}
        for entry in self._where(run_id=run_id):
            counts[entry.state] = counts.get(entry.state, 0) + 1
        return counts

    async def is_held(self, run_id: str) -> bool:
        return any(entry.is_open for entry in self._where(run_id=run_id))

    async def forget(self, before: datetime) -> int:
        old = [
            e
            for e in self._where(state=EntryState.DELIVERED)
            if e.settled_at is not None and e.settled_at < before and e.due_at is None
        ]
        for entry in old:
            del self.rows[entry.id]
        return len(old)

    def _where(self, *, state: EntryState | None = None, run_id: str | None = None) -> list[Entry]:
        return [
            entry
            for entry in self.rows.values()
            if state in (None, entry.state) and run_id in (None, entry.cut.run_id)
        ]

    def _change(self, entry: Entry, **changes: object) -> Entry:
        self.rows[entry.id] = changed = replace(self.rows[entry.id], **changes)  # type: ignore[arg-type]
        return changed

    def _change_claimed(self, entry: Entry, **changes: object) -> bool:
        kept = self.rows[entry.id].claim == entry.claim is not None
        if kept:
            self._change(entry, **changes)
        return kept
