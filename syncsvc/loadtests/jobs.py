"""The sync job: whether load tests are looked at by themselves, and how often.

What the settings say holds until somebody says otherwise; that is then so for every process,
and for good.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.errors import Conflict, Rejected, Unavailable
from syncsvc.loadtests.ports import Control, JobChange, Origin, SyncJob

SHORTEST, LONGEST = timedelta(seconds=5), timedelta(seconds=300)  # between cycles
TRIES = 5  # to change what somebody else is changing too


@dataclass(frozen=True, slots=True)
class JobDefaults:
    """What the settings say; `origin` is where they have the interval from."""

    enabled: bool = True
    interval: timedelta = timedelta(seconds=20)
    origin: Origin = Origin.DEFAULT


@dataclass(frozen=True, slots=True)
class JobState:
    """The job as it is; `next_in` is None while it is stopped."""

    is_running: bool
    interval: timedelta
    origin: Origin
    next_in: timedelta | None
    auto_enabled: bool
    version: int
    updated_at: datetime | None
    updated_by: str | None
    last_begun_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a wish: the job as it is now, and a sentence for a person."""

    state: JobState
    told: str


def state_of(job: SyncJob, defaults: JobDefaults, now: datetime) -> JobState:
    is_running = defaults.enabled if job.enabled is None else job.enabled
    due_in = (job.next_due_at or now) - now
    return JobState(
        is_running=is_running,
        interval=job.interval or defaults.interval,
        origin=defaults.origin if job.interval is None else Origin.RUNTIME,
        next_in=max(due_in, timedelta(0)) if is_running else None,
        auto_enabled=defaults.enabled,
        version=job.version,
        updated_at=job.updated_at,
        updated_by=job.updated_by,
        last_begun_at=job.last_begun_at,
    )


def checked_interval(interval: timedelta | None) -> timedelta | None:
    """Raises Rejected for one out of range, or with parts of a second."""
    if interval is None:
        return None
    is_whole = interval == timedelta(seconds=interval // timedelta(seconds=1))
    if not (is_whole and SHORTEST <= interval <= LONGEST):
        raise Rejected(
            f"intervalSeconds: expected a whole number from {SHORTEST.seconds} to "
            f"{LONGEST.seconds}, found {interval.total_seconds():.9g}"
        )
    return interval


@dataclass(frozen=True)
class SyncJobs:
    """Shows and changes the one job; each wish may be repeated."""

    control: Control
    defaults: JobDefaults
    clock: Callable[[], datetime]

    async def state(self) -> JobState:
        return state_of(await self.control.job(), self.defaults, self.clock())

    async def start(self, interval: timedelta | None, by: str | None) -> Answer:
        """Start it, at once; one that runs takes the new interval, if it is told one."""
        checked_interval(interval)

        def wish(job: SyncJob, state: JobState) -> tuple[JobChange | None, str]:
            every = f"every {_seconds(interval or state.interval)}"
            if not state.is_running:
                return self._on(interval, by), f"Sync job started, {_every(self._meant(interval))}"
            if interval in (None, state.interval):
                return None, f"Sync job is already running, {every}"
            due_at = self._due(job, interval or state.interval)
            return self._on(interval, by, due_at), f"Sync job goes on {every}"

        return await self._change(wish)

    async def restart(self, interval: timedelta | None, by: str | None) -> Answer:
        """Start it anew, at once: without an interval, with that of the settings."""
        checked_interval(interval)
        told = f"Sync job restarted, {_every(self._meant(interval))}"
        return await self._change(lambda _job, _state: (self._on(interval, by), told))

    async def stop(self, by: str | None) -> Answer:
        """Stop it; a cycle that runs goes on to its end."""

        def wish(_job: SyncJob, state: JobState) -> tuple[JobChange | None, str]:
            if not state.is_running:
                return None, "Sync job is not running"
            change = JobChange(
                enabled=False, interval=None, origin=self.defaults.origin, due_at=None, by=by
            )
            return change, "Sync job stopped"

        return await self._change(wish)

    async def _change(
        self, wish: Callable[[SyncJob, JobState], tuple[JobChange | None, str]]
    ) -> Answer:
        for _ in range(TRIES):
            job = await self.control.job()
            state = state_of(job, self.defaults, self.clock())
            change, told = wish(job, state)
            if change is None:
                return Answer(state, told)
            try:
                job = await self.control.change(job.version, change, self.clock())
            except Conflict:
                continue
            return Answer(state_of(job, self.defaults, self.clock()), told)
        raise Unavailable("the sync job is being changed by others again and again: try later")

    def _on(
        self, interval: timedelta | None, by: str | None, due_at: datetime | None = None
    ) -> JobChange:
        origin = self.defaults.origin if interval is None else Origin.RUNTIME
        return JobChange(
            enabled=True,
            interval=interval,
            origin=origin,
            due_at=due_at or self.clock(),
            by=by,
        )

    def _due(self, job: SyncJob, interval: timedelta) -> datetime:
        now = self.clock()
        return max(now, (job.last_begun_at or now) + interval)

    def _meant(self, interval: timedelta | None) -> timedelta:
        return interval or self.defaults.interval


def _seconds(interval: timedelta) -> str:
    return f"{interval.total_seconds():g} seconds"


def _every(interval: timedelta) -> str:
    return f"every {_seconds(interval)}"
