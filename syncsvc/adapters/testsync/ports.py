"""What the WebSocket side of TestSync needs from the rooms it speaks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncsvc.coordination.checkpoints.model import Arrival
from syncsvc.coordination.checkpoints.ports import Waiter
from syncsvc.coordination.connections.service import ConnectionCounts
from syncsvc.coordination.operations.operation import Operations
from syncsvc.coordination.presence.model import Arriving


class Meetings(Protocol):
    """Where agents arrive and wait."""

    def arrive(self, arrival: Arrival, waiter: Waiter) -> None:
        """Take in an arrival; its waiter is told sooner or later, perhaps before this returns."""
        ...

    def gone(self, arrival: Arrival) -> None:
        """Take note that the connection of an arrival has ended before it was told."""
        ...


class TestData(Protocol):
    """Keeps one piece of content for a run. Both raise Unavailable."""

    async def replace(self, run: str, content: bytes, at: datetime) -> None: ...

    async def read(self, run: str) -> bytes | None: ...


class Presence(Protocol):
    """Knows which workers are there. All raise a SyncsvcError."""

    async def join(self, run: str, arriving: Arriving) -> int: ...

    async def leave(self, run: str, worker: str) -> int: ...

    async def beat_all(self, run: str, workers: Sequence[str]) -> Sequence[str]:
        """Renew the terms of workers, and give those that are not there."""
        ...


@dataclass(frozen=True, slots=True)
class Rooms:
    """All that the messages of a connection reach."""

    meetings: Meetings
    data: TestData
    operations: Operations
    presence: Presence
    connections: ConnectionCounts
    clock: Callable[[], datetime]
    gateway_id: str
