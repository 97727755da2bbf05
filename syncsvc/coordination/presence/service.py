"""Workers come, stay while they beat, and go; others see who is there."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from syncsvc.coordination.names import check_name, subject
from syncsvc.coordination.presence.model import Arriving, Attendance, absent, check_size
from syncsvc.coordination.presence.ports import Attendances
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.waiting import LOOK_AGAIN, Look, Shared, wait_until_enough


@dataclass
class PresenceService:
    """Who is there in every run; all of it raises Rejected for names, and Unavailable."""

    attendances: Attendances
    signals: Signals
    _list: Shared[str, Attendance] = field(init=False)

    def __post_init__(self) -> None:
        self._list = Shared(self.attendances.list)

    async def join(self, run: str, arriving: Arriving) -> int:
        """Add a worker, or renew it, and give the version. Raises TooLarge."""
        check_name("run", run)
        check_name("worker", arriving.worker)
        check_size(arriving.about)
        return await self.attendances.join(run, arriving)

    async def beat(self, run: str, worker: str) -> None:
        """Renew a worker's term. Raises Unknown when it is not there: it has to join again."""
        check_name("worker", worker)
        if await self.attendances.beat(check_name("run", run), [worker]):
            raise absent(worker)

    async def beat_all(self, run: str, workers: Sequence[str]) -> Sequence[str]:
        """Renew the terms of many workers at once, and give those that are not there."""
        return await self.attendances.beat(check_name("run", run), workers)

    async def leave(self, run: str, worker: str) -> int:
        """Let a worker go, if it is there, and give the version."""
        check_name("worker", worker)
        return await self.attendances.leave(check_name("run", run), worker)

    async def names(self, run: str) -> list[str]:
        """Give the names of those who are there, in order."""
        attendance = await self._list(check_name("run", run))
        return [present.worker for present in attendance.workers]

    async def list(self, run: str, known: int | None, seconds: float) -> Attendance:
        """Wait until the version is another than the known one, and give who is there then."""
        check_name("run", run)

        async def look() -> Look[Attendance]:
            found = await self._list(run)
            changes = LOOK_AGAIN if found.changes_in is None else found.changes_in.total_seconds()
            return Look(found, enough=found.version != known, changes_in=changes)

        return await wait_until_enough(self.signals, subject("presence", run), seconds, look)
