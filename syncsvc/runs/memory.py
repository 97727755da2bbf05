"""Runs and rosters in this process: the twin that unit tests use."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from syncsvc.coordination.leases.memory import MemoryLeases, milliseconds
from syncsvc.coordination.leases.permits import Permits
from syncsvc.runs.model import (
    ANYBODY,
    Caller,
    Election,
    Mastership,
    Roster,
    Run,
    Worker,
    WorkerStatus,
    election,
    master_lease,
)


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

    async def closed_early(self, run_id: str, now: datetime) -> bool:
        is_new = self.rows[run_id].closed_early_at is None
        if is_new:
            self.rows[run_id] = replace(self.rows[run_id], closed_early_at=now)
        return is_new

    async def count_closed_early(self) -> int:
        return sum(run.closed_early_at is not None for run in self.rows.values())

    async def newest(self, limit: int) -> Sequence[Run]:
        return list(reversed(self.rows.values()))[:limit]


@dataclass
class MemoryRosters:
    auto: bool
    idle_limit: timedelta
    beat_silence: timedelta | None = None
    leases: MemoryLeases = field(default_factory=lambda: MemoryLeases(_now))
    rosters: dict[str, Roster] = field(default_factory=dict)
    adopting: set[str] = field(default_factory=set)
    peers: dict[tuple[str, str], str] = field(default_factory=dict)

    async def register(
        self, run_id: str, worker: str, now: datetime, caller: Caller = ANYBODY
    ) -> tuple[bool, Mastership | None]:
        worker = self._registered_as(run_id, worker, caller)
        self.peers[run_id, worker] = caller.peer or self.peers.get((run_id, worker), "")
        known = self._roster(run_id).worker(worker)
        with self._mastership(run_id, worker, now) as permits:
            outcome, mastership = self._election(run_id, worker, now)
            if outcome is Election.MASTER:
                permits.lead(worker, self._silence(known), milliseconds(now))
            beats = known.beats if known else False
            kind = caller.kind or (known.kind if known else "")
            self._put(run_id, Worker(worker, WorkerStatus.REGISTERED, now, beats, kind))
        return outcome is Election.MASTER, mastership if outcome is Election.HEIR else None

    async def take_over(
        self,
        run_id: str,
        worker: str,
        gives_way: Mastership,
        now: datetime,
        caller: Caller = ANYBODY,
    ) -> bool:
        worker = self._known_as(run_id, worker, caller)
        with self._mastership(run_id, worker, now) as permits:
            if permits.owner == worker and worker in permits.held:
                permits.claim(worker, "", milliseconds(now))
                return True
            outcome, mastership = self._election(run_id, worker, now)
            if outcome is not Election.HEIR or mastership != gives_way:
                return False
            permits.held.pop(gives_way.worker, None)
            heir = self._roster(run_id).worker(worker)
            permits.lead(worker, self._silence(heir), milliseconds(now))
            return True

    async def report(
        self,
        run_id: str,
        worker: str,
        status: WorkerStatus | None,
        now: datetime,
        caller: Caller = ANYBODY,
    ) -> bool | None:
        worker = self._known_as(run_id, worker, caller)
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
        return self._roster(run_id) if run_id in self.rosters else None

    def lose(self, run_id: str) -> None:
        """Forget a run, as a Redis without persistence does when it restarts."""
        self.rosters.pop(run_id, None)
        self.leases.leases.pop(master_lease(run_id), None)

    def _known_as(self, run_id: str, worker: str, caller: Caller) -> str:
        is_namesake = self._roster(run_id).worker(caller.namesake(worker)) is not None
        return caller.namesake(worker) if caller.peer and is_namesake else worker

    def _registered_as(self, run_id: str, worker: str, caller: Caller) -> str:
        name = self._known_as(run_id, worker, caller)
        known, peer = self._roster(run_id).worker(name), self.peers.get((run_id, name), "")
        if known is None or known.status is WorkerStatus.COMPLETED:
            return name
        is_another = peer and caller.peer and peer != caller.peer
        return caller.namesake(worker) if is_another else name

    def _mastership(
        self, run_id: str, worker: str, now: datetime
    ) -> AbstractContextManager[Permits]:
        return self.leases.changing(master_lease(run_id), milliseconds(now), worker)

    def _election(
        self, run_id: str, worker: str, now: datetime
    ) -> tuple[Election, Mastership | None]:
        roster = self._roster(run_id)
        if roster.master is None or roster.token is None:
            return Election.MASTER, None
        outcome = election(
            roster,
            worker,
            auto=self.auto,
            stale_before=now - self._silence(roster.worker(roster.master)),
            is_led=self.leases.permits(master_lease(run_id)).led is not None,
        )
        return outcome, Mastership(roster.master, roster.token)

    def _silence(self, worker: Worker | None) -> timedelta:
        beats = worker is not None and worker.beats
        return self.beat_silence if beats and self.beat_silence else self.idle_limit

    def _roster(self, run_id: str) -> Roster:
        permits = self.leases.permits(master_lease(run_id))
        known = self.rosters.get(run_id, Roster(()))
        return replace(known, master=permits.owner, token=permits.token or None)

    def _put(self, run_id: str, worker: Worker) -> None:
        self.rosters[run_id] = self.rosters.get(run_id, Roster(())).with_worker(worker)

    def _note(self, run_id: str, name: str, status: WorkerStatus | None, now: datetime) -> None:
        known = self._roster(run_id).worker(name) or Worker(name, WorkerStatus.REGISTERED, now)
        noted = replace(
            known,
            status=status or known.status,
            seen_at=now,
            beats=known.beats or status is None,
        )
        self._put(run_id, noted)
        if self.leases.permits(master_lease(run_id)).owner == name:
            self._live(run_id, noted, now, completed=status is WorkerStatus.COMPLETED)

    def _live(self, run_id: str, worker: Worker, now: datetime, *, completed: bool) -> None:
        """Note a sign of life of the master, or its last one."""
        lease = master_lease(run_id)
        with self.leases.changing(lease, milliseconds(now), worker.name) as permits:
            if permits.owner == worker.name and not completed:
                permits.lead(worker.name, self._silence(worker), milliseconds(now))
            elif completed:
                permits.held.pop(worker.name, None)
                self.leases.settle(lease, milliseconds(now))


def _now() -> datetime:
    return datetime.now(UTC)
