"""What test data needs from outside: a place where it is kept for good."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol


class TestData(Protocol):
    """Keeps one piece of content for a run; a TestSync test is the run named by its number.

    All raise Unavailable when the place cannot be reached.
    """

    async def create(self, run: str, content: bytes, at: datetime) -> bool:
        """Store the content of a run that has none; False, and nothing stored, when it has.

        Of several at once exactly one succeeds.
        """
        ...

    async def replace(self, run: str, content: bytes, at: datetime) -> None:
        """Store the content of a run, in place of what there is."""
        ...

    async def read(self, run: str) -> bytes | None:
        """Give the content of a run; None when there is none."""
        ...

    async def older(self, before: datetime) -> Sequence[str]:
        """Name the runs whose content was last stored before a moment."""
        ...

    async def forget(self, before: datetime, runs: Collection[str]) -> int:
        """Remove the content of these runs, unless it was stored again; say how much that was."""
        ...
