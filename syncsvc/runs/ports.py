"""What runs need from outside: a place for the runs, and one for who is there now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from syncsvc.runs.model import Roster, Run, WorkerStatus


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

    async def newest(self, limit: int) -> Sequence[Run]:
        """Give the runs that registered last, newest first. Raises Unavailable."""
        ...


class Rosters(Protocol):
    """Keeps who is there now. Each call is atomic and may be repeated without harm.

    All raise Unavailable when the place cannot be reached.
    """

    async def register(self, run_id: str, worker: str, now: datetime) -> bool:
        """Add a worker and tell whether it is the master, by `may_be_master`."""
        ...

    async def report(
        self, run_id: str, worker: str, status: WorkerStatus | None, now: datetime
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

    async def hold(self, run_id: str, *, held: bool) -> None:
        """Note whether a result of this run is held back, in a roster that exists."""
        ...
