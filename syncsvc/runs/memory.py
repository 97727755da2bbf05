"""Runs and rosters in this process: the twin that unit tests use."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.runs.model import Election, Roster, Run, Worker, WorkerStatus, election


@dataclass
class MemoryRuns:
    rows: dict[str, Run] = field(default_factory=dict)

    async def put(self, run: Run) -> None:
        known = self.rows.pop(run.id, None)
        if known is not None:
            run = replace(known, destination=run.destination)
        self.rows[run.id] = run

    async def get(self, run_id: str) -> Run | None:
        return self.rows.get(run_id)

    async def count(self, run: Run) -> None:
        self.rows[run.id] = replace(
            self.rows[run.id], result_count=run.result_count, counted_at=run.counted_at
        )

    async def newest(self, limit: int) -> Sequence[Run]:
        return list(reversed(self.rows.values()))[:limit]


@dataclass
class MemoryRosters:
    auto: bool
    idle_limit: timedelta
    rosters: dict[str, Roster] = field(default_factory=dict)
    adopting: set[str] = field(default_factory=set)

    async def register(self, run_id: str, worker: str, now: datetime) -> tuple[bool, str | None]:
        roster = self.rosters.get(run_id, Roster(()))
        stale = now - self.idle_limit
        outcome = election(roster, worker, auto=self.auto, stale_before=stale)
        heir_of = roster.master if outcome is Election.HEIR else None
        if outcome is Election.MASTER:
            roster = replace(roster, master=worker)
        known = roster.worker(worker)
        added = Worker(worker, WorkerStatus.REGISTERED, now, known.beats if known else False)
        self.rosters[run_id] = roster.with_worker(added)
        return outcome is Election.MASTER, heir_of

    async def take_over(self, run_id: str, worker: str, master: str) -> bool:
        roster = self.rosters.get(run_id)
        free = roster is not None and roster.master == master
        if roster is not None and free:
            self.rosters[run_id] = replace(roster, master=worker)
        return free

    async def report(
        self, run_id: str, worker: str, status: WorkerStatus | None, now: datetime
    ) -> bool | None:
        roster = self.rosters.get(run_id)
        if roster is None:
            return None
        known = roster.worker(worker)
        if known is None and run_id not in self.adopting:
            return False
        self._note(run_id, worker, status, now)
        return True

    async def adopt(
        self, run_id: str, worker: str, status: WorkerStatus | None, now: datetime
    ) -> None:
        self.adopting.add(run_id)
        self._note(run_id, worker, status, now)

    async def get(self, run_id: str) -> Roster | None:
        return self.rosters.get(run_id)

    def lose(self, run_id: str) -> None:
        """Forget a roster, as a Redis without persistence does when it restarts."""
        self.rosters.pop(run_id, None)

    def _note(self, run_id: str, name: str, status: WorkerStatus | None, now: datetime) -> None:
        roster = self.rosters.get(run_id, Roster(()))
        known = roster.worker(name) or Worker(name, WorkerStatus.REGISTERED, now)
        noted = replace(
            known,
            status=status or known.status,
            seen_at=now,
            beats=known.beats or status is None,
        )
        self.rosters[run_id] = roster.with_worker(noted)
