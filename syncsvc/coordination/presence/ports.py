"""What presence needs from outside: a place that knows who is there."""

from collections.abc import Sequence
from typing import Protocol

from syncsvc.coordination.presence.model import Arriving, Attendance


class Attendances(Protocol):
    """Knows who is there. Each call is atomic and may be repeated; all raise Unavailable.

    Whoever asks or comes makes those be missed whose time has passed; each change is announced.
    """

    async def join(self, run: str, arriving: Arriving) -> int:
        """Add a worker, or renew it, and give the version."""
        ...

    async def beat(self, run: str, workers: Sequence[str]) -> Sequence[str]:
        """Renew the terms of workers that are there, and give those that are not."""
        ...

    async def leave(self, run: str, worker: str) -> int:
        """Let a worker go, if it is there, and give the version."""
        ...

    async def list(self, run: str) -> Attendance:
        """Give who is there."""
        ...
