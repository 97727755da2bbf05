"""What runs need from outside: a place for the runs, and one for who is there now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from syncsvc.runs.model import ANYBODY, Caller, Mastership, Roster, Run, WorkerStatus


class Runs(Protocol):
    """Keeps runs for good."""

    async def put(self, run: Run) -> None:
        """Store a run; where it is known, its destination becomes this one.

        Raises Unavailable.
        """
        ...

    async def get(self, run_id: str) -> Run | None:
        """Give a run. Raises Unavailable."""
        ...

    async def count(self, run: Run) -> None:
        """Store `result_count` and `counted_at` of a known run. Raises Unavailable."""
        ...

    async def closed_early(self, run_id: str, now: datetime) -> bool:
        """Note that Test IT closed the run before all was in; False when that was noted before.

        Raises Unavailable.
        """
        ...

    async def count_closed_early(self) -> int:
        """Count the runs that are noted so. Raises Unavailable."""
        ...

    async def newest(self, limit: int) -> Sequence[Run]:
        """Give the runs that registered last, newest first. Raises Unavailable."""
        ...


class Rosters(Protocol):
    """Keeps who is there now. Each call is atomic and may be repeated without harm.

    The master holds `master_lease` of its run: each sign of life makes it longer, and it ends
    when the master has completed or was silent for too long. Whoever observes it is told.
    All raise Unavailable when the place cannot be reached.
    """

    async def register(
        self, run_id: str, worker: str, now: datetime, caller: Caller = ANYBODY
    ) -> tuple[bool, Mastership | None]:
        """Add a worker, by the rule of `election`; a namesake is added as another worker.

        Gives whether it is the master, and if not, the mastership that gives way.
        """
        ...

    async def take_over(
        self,
        run_id: str,
        worker: str,
        gives_way: Mastership,
        now: datetime,
        caller: Caller = ANYBODY,
    ) -> bool:
        """Make a worker the master in place of this one.

        False when another was faster, or the master does not give way any more.
        """
        ...

    async def report(
        self,
        run_id: str,
        worker: str,
        status: WorkerStatus | None,
        now: datetime,
        caller: Caller = ANYBODY,
    ) -> bool | None:
        """Note a worker's status (None: only that it lives and sends beats).

        True: noted. False: the roster does not have this worker. None: there is no roster.
        """
        ...

    async def adopt(
        self, run_id: str, worker: str, status: WorkerStatus | None, now: datetime
    ) -> None:
        """Note a worker of a run whose roster was lost, and expect more such workers."""
        ...

    async def get(self, run_id: str) -> Roster | None:
        """Give the roster of a run; None when there is none, or it was lost."""
        ...


class Holdings(Protocol):
    """Knows what is held back."""

    async def is_held(self, run_id: str) -> bool:
        """Tell whether a result of this run waits for its final status. Raises Unavailable."""
        ...
