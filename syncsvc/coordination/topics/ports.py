"""What topics need from outside: a place for what is published."""

from typing import Protocol

from syncsvc.coordination.once import Once
from syncsvc.coordination.topics.model import Batch, Place


class Topics(Protocol):
    """Keeps what is published. Each call is atomic and may be repeated; all raise Unavailable."""

    async def publish(self, run: str, name: str, payload: str, once: Once) -> int:
        """Add an entry, once for each request, announce it and give its offset."""
        ...

    async def read(self, place: Place) -> Batch:
        """Give entries after a place, oldest first; from the start if the topic is shorter."""
        ...
