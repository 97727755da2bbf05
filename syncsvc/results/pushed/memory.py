"""The outbox of pushed results in this process: the twin that unit tests use."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.pushed.model import Batch, Entry, FileState, Phase, Push, Result, unkeepable
from syncsvc.results.pushed.ports import Accepted, RunFile, Upload
from syncsvc.runs.memory import MemoryRuns

_BEFORE = {  # the states from which each may be reached
    EntryState.HELD: {EntryState.PENDING},
    EntryState.DELIVERED: {EntryState.PENDING, EntryState.HELD},
    EntryState.DEAD: {EntryState.PENDING, EntryState.HELD},
}


@dataclass
class MemoryPushOutbox:
    new_id: Callable[[], str]
    runs: MemoryRuns | None = None  # None: every run is known
    pushes: dict[str, Push] = field(default_factory=dict)
    rows: dict[str, Entry] = field(default_factory=dict)
    uploads: dict[tuple[str, str], Upload] = field(default_factory=dict)
    kept_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    run_files: dict[tuple[str, str], RunFile] = field(default_factory=dict)
    contents: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    served_at: dict[str, datetime] = field(default_factory=dict)
    ending_due_at: dict[str, datetime] = field(default_factory=dict)

    async def open(self, push: Push) -> Push:
        if self.runs is not None and push.run_id not in self.runs.rows:
            raise Unknown(f"run: expected one that is known here, found {push.run_id[:80]!r}")
        known = self.pushes.get(push.run_id)
        if known is not None:
            push = replace(
                known,
                project_id=push.project_id or known.project_id,
                configuration_id=push.configuration_id or known.configuration_id,
            )
        self.pushes[push.run_id] = push
        return push

    async def push(self, run_id: str) -> Push | None:
        return self.pushes.get(run_id)

    async def accept(self, run_id: str, results: Sequence[Result], now: datetime) -> Accepted:
        if run_id not in self.pushes:
            raise Unknown(f"run: expected one that is open for results, found {run_id[:80]!r}")
        if reason := unkeepable(results):
            raise Rejected(reason)
        self._check_attachments(run_id, results)
        keys = {e.result.key for e in self._where(run_id=run_id)}
        new = 0
        for result in results:
            if result.key is not None and result.key in keys:
                continue
            keys.add(result.key)
            entry = Entry(self.new_id(), run_id, result, accepted_at=now, due_at=now)
            self.rows[entry.id] = entry
            new += 1
        if new:
            self._note_accepted(self.pushes[run_id], now)
        return Accepted(new, len(results) - new)

    async def ask_complete(self, run_id: str, now: datetime) -> Push | None:
        known = self.pushes.get(run_id)
        if known is not None and known.complete_asked_at is None:
            known = self._change_push(run_id, complete_asked_at=now)
        return known

    async def claim(self, now: datetime, term: timedelta, limit: int) -> Batch | None:
        due = [e for e in self._where(state=EntryState.PENDING) if _is_due(e, now)]
        runs = {e.run_id for e in due} - self._opening(now)
        if not runs:
            return None
        run_id = min(runs, key=lambda run: (run in self.served_at, self.served_at.get(run), run))
        chosen: dict[str, Entry] = {}
        for entry in sorted(due, key=lambda e: (e.due_at, e.id)):
            if entry.run_id == run_id and len(chosen) < limit:
                chosen.setdefault(entry.result.external_id, entry)
        self.served_at[run_id] = now
        return self._batch(run_id, list(chosen.values()), now + term)

    async def sending(self, entries: Sequence[Entry], now: datetime) -> bool:
        if len(self._claimed(entries)) < len(entries):
            return False
        for entry in entries:
            self._change(entry, sent_at=now)
        return True

    async def looked(self, run_id: str, *, planned: bool) -> None:
        if run_id in self.pushes:
            self._change_push(run_id, planned=planned)

    async def aim(self, run_id: str, targets: Mapping[str, str]) -> set[str]:
        owners = {e.target_id: e.id for e in self._where(run_id=run_id) if e.target_id}
        aimed = set()
        for entry_id, target in targets.items():
            entry = self.rows.get(entry_id)
            if entry is None or entry.run_id != run_id or entry.target_id not in (None, target):
                continue
            if owners.setdefault(target, entry_id) == entry_id:
                self._change(entry, target_id=target)
                aimed.add(entry_id)
        return aimed

    async def opened(self, run_id: str) -> None:
        if run_id in self.pushes and self.pushes[run_id].phase is Phase.NEW:
            self._change_push(run_id, phase=Phase.OPEN)

    async def settle(
        self,
        entries: Mapping[str, str | None],
        state: EntryState,
        now: datetime,
        reason: str | None,
    ) -> int:
        found = [self.rows[name] for name in entries if name in self.rows]
        open_ = [entry for entry in found if entry.state in _BEFORE[state]]
        for entry in open_:
            self._change(
                entry,
                state=state,
                target_id=entries[entry.id] or entry.target_id,
                due_at=None,
                claim=None,
                attempt=entry.attempt + 1,
                reason=reason,
                settled_at=None if state is EntryState.HELD else now,
            )
        return len(open_)

    async def retry_later(
        self, entries: Sequence[Entry], due_at: datetime, reason: str, *, count: bool
    ) -> None:
        for entry in self._claimed(entries):
            attempt = entry.attempt + int(count)
            self._change(entry, due_at=due_at, claim=None, attempt=attempt, reason=reason)

    async def not_sent(self, entries: Sequence[Entry]) -> None:
        for entry in self._claimed(entries):
            self._change(entry, sent_at=None)

    async def claim_ending(
        self, now: datetime, term: timedelta, idle_before: datetime
    ) -> tuple[Push, Sequence[Entry]] | None:
        ready = [
            push
            for push in self.pushes.values()
            if self._may_end(push, idle_before) and self.ending_due_at.get(push.run_id, now) <= now
        ]
        if not ready:
            return None
        push = min(ready, key=lambda p: (p.accepted_at, p.run_id))
        self.ending_due_at[push.run_id] = now + term
        return push, self._where(run_id=push.run_id, state=EntryState.HELD)

    async def ended(self, run_id: str, accepted_at: datetime, now: datetime) -> bool:
        known = self.pushes.get(run_id)
        if known is None:
            return False
        waits = self._open_entries(run_id) or self._waiting_files(run_id)
        if known.accepted_at != accepted_at or waits:
            self._change_push(run_id, phase=Phase.NEW, planned=None)
            return False
        self._change_push(run_id, phase=Phase.COMPLETED, completed_at=now, reason=None)
        self.ending_due_at.pop(run_id, None)
        return True

    async def end_later(self, run_id: str, due_at: datetime, reason: str) -> None:
        if run_id in self.pushes:
            self._change_push(run_id, attempt=self.pushes[run_id].attempt + 1, reason=reason)
            self.ending_due_at[run_id] = due_at

    async def targets(self, run_id: str, external_ids: Collection[str]) -> set[str]:
        return {
            entry.target_id
            for entry in self._where(run_id=run_id)
            if entry.target_id is not None and entry.result.external_id in external_ids
        }

    async def contested(self, run_id: str, external_ids: Collection[str]) -> set[str]:
        posted = [
            entry.result.external_id
            for entry in self._where(run_id=run_id)
            if entry.sent_at is not None and entry.target_id is None
        ]
        return {test for test in external_ids if posted.count(test) > 1}

    async def lost(self, entries: Sequence[Entry], now: datetime) -> None:
        for entry in [self.rows[e.id] for e in entries if e.id in self.rows]:
            pending = entry.state is EntryState.PENDING and entry.target_id is not None
            if pending or entry.state is EntryState.HELD:
                anew = {"claim": None, "sent_at": None, "target_id": None}
                self._change(entry, state=EntryState.PENDING, due_at=now, **anew)

    async def entries(self, which: Filter) -> Sequence[Entry]:
        found = self._where(state=which.state, run_id=which.run_id)
        found.sort(key=lambda e: e.id, reverse=True)
        return [e for e in found if which.before is None or e.id < which.before][: which.limit]

    async def get(self, entry_id: str) -> Entry | None:
        return self.rows.get(entry_id)

    async def oldest_pending(self, run_id: str) -> Entry | None:
        pending = self._where(state=EntryState.PENDING, run_id=run_id)
        return min(pending, key=lambda entry: entry.id, default=None)

    async def counts(self, run_id: str | None = None) -> dict[EntryState, int]:
        counts: dict[EntryState, int] = {}
        for entry in self._where(run_id=run_id):
            counts[entry.state] = counts.get(entry.state, 0) + 1
        return counts

    async def revive(self, entry_id: str | None, run_id: str | None, now: datetime) -> int:
        dead = self._dead(entry_id, run_id)
        for entry in dead:
            self._change(
                entry,
                state=EntryState.PENDING,
                due_at=now,
                revived_at=now,
                attempt=0,
                settled_at=None,
            )
            self._reopen(entry.run_id)
        return len(dead)

    async def drop(self, entry_id: str | None, run_id: str | None) -> int:
        return self._remove(self._dead(entry_id, run_id))

    async def forget(self, before: datetime) -> int:
        delivered = self._where(state=EntryState.DELIVERED)
        forgotten = self._remove([e for e in delivered if e.settled_at and e.settled_at < before])
        for name in [name for name, at in self.kept_at.items() if at < before]:
            if not self._needs(*name):
                self._forget_file(name)
        for push in list(self.pushes.values()):
            old = push.completed_at is not None and push.completed_at < before
            if old and not self._where(run_id=push.run_id) and not self._has_files(push.run_id):
                del self.pushes[push.run_id]
        return forgotten

    def note_file(self, run_id: str, now: datetime) -> None:
        """Have a run ended again, with the file that it got now."""
        push = self.pushes[run_id]
        if push.phase is Phase.COMPLETED:
            self._change_push(run_id, complete_asked_at=push.complete_asked_at or push.accepted_at)
        self._reopen(run_id)
        self._change_push(run_id, accepted_at=max(push.accepted_at, now))

    def _check_attachments(self, run_id: str, results: Sequence[Result]) -> None:
        for result in results:
            for file in result.attachments:
                if (run_id, file.digest) not in self.uploads:
                    raise Rejected(
                        f"attachments: expected files that run {run_id[:80]!r} has, "
                        f"found {file.digest}: upload it first"
                    )

    def _note_accepted(self, push: Push, now: datetime) -> None:
        if push.phase is Phase.COMPLETED:
            self._change_push(push.run_id, complete_asked_at=None)
        self._reopen(push.run_id)
        self._change_push(push.run_id, accepted_at=max(push.accepted_at, now))

    def _reopen(self, run_id: str) -> None:
        if self.pushes[run_id].phase is Phase.COMPLETED:
            self._change_push(run_id, phase=Phase.NEW, completed_at=None, attempt=0, reason=None)
            self._change_push(run_id, planned=None)

    def _opening(self, now: datetime) -> set[str]:
        """Name the runs that are new and have a batch out."""
        return {
            e.run_id
            for e in self._where(state=EntryState.PENDING)
            if e.claim and not _is_due(e, now) and self.pushes[e.run_id].phase is Phase.NEW
        }

    def _batch(self, run_id: str, entries: Sequence[Entry], ends_at: datetime) -> Batch:
        claim = self.new_id()
        claimed = [self._change(entry, claim=claim, due_at=ends_at) for entry in entries]
        push = self.pushes[run_id]
        waiting = self._where(run_id=run_id, state=EntryState.PENDING)
        more = len(waiting) > len(claimed) or bool(self._waiting_files(run_id))
        return Batch(push, claimed, push.phase is Phase.NEW, more)

    def _may_end(self, push: Push, idle_before: datetime) -> bool:
        asked = push.complete_asked_at is not None or push.accepted_at < idle_before
        waiting = self._where(run_id=push.run_id, state=EntryState.PENDING)
        return asked and push.phase is not Phase.COMPLETED and not waiting

    def _open_entries(self, run_id: str) -> list[Entry]:
        return [
            entry
            for entry in self._where(run_id=run_id)
            if entry.state in {EntryState.PENDING, EntryState.HELD}
        ]

    def _dead(self, entry_id: str | None, run_id: str | None) -> list[Entry]:
        dead = self._where(state=EntryState.DEAD, run_id=run_id)
        return [entry for entry in dead if entry_id in (None, entry.id)]

    def _remove(self, entries: Sequence[Entry]) -> int:
        for entry in entries:
            del self.rows[entry.id]
        return len(entries)

    def _needs(self, run_id: str, digest: str) -> bool:
        files = (f for e in self._where(run_id=run_id) for f in e.result.attachments)
        return (run_id, digest) in self._waiting_files(run_id) or any(
            file.digest == digest for file in files
        )

    def _waiting_files(self, run_id: str) -> list[tuple[str, str]]:
        return [
            name
            for name, file in self.run_files.items()
            if name[0] == run_id and file.state is FileState.WAITING
        ]

    def _has_files(self, run_id: str) -> bool:
        return any(run == run_id for run, _ in self.uploads)

    def _forget_file(self, name: tuple[str, str]) -> None:
        del self.uploads[name], self.kept_at[name]
        self.contents.pop(name, None)
        self.run_files.pop(name, None)

    def _claimed(self, entries: Sequence[Entry]) -> list[Entry]:
        """Give those, as they stand, whose claim is still theirs."""
        stored = [(self.rows.get(entry.id), entry) for entry in entries]
        return [row for row, entry in stored if row and row.claim == entry.claim is not None]

    def _where(self, *, state: EntryState | None = None, run_id: str | None = None) -> list[Entry]:
        return [
            entry
            for entry in self.rows.values()
            if state in (None, entry.state) and run_id in (None, entry.run_id)
        ]

    def _change(self, entry: Entry, **changes: object) -> Entry:
        self.rows[entry.id] = changed = replace(self.rows[entry.id], **changes)  # type: ignore[arg-type]
        return changed

    def _change_push(self, run_id: str, **changes: object) -> Push:
        self.pushes[run_id] = changed = replace(self.pushes[run_id], **changes)  # type: ignore[arg-type]
        return changed


def _is_due(entry: Entry, now: datetime) -> bool:
    return entry.due_at is not None and entry.due_at <= now
