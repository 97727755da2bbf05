"""What the blackboard needs from outside: a place for the entries."""

from collections.abc import Sequence
from typing import Protocol

from syncsvc.coordination.board.model import Change, Listed, Outcome, State


class Board(Protocol):
    """Keeps entries. Each call is atomic and may be repeated; all raise Unavailable.

    Whatever changes an entry, also its end by itself, gives it a new version and is announced.
    """

    async def change(self, run: str, change: Change) -> tuple[Outcome, int]:
        """Carry out a change, once for each request, and give the outcome and its number."""
        ...

    async def look(self, run: str, name: str, known: int) -> State:
        """Give what is known of a name; whoever looks keeps it.

        `known` is the version that the caller knows (0: none): if nothing is known of the
        name any more, that it went becomes a new version.
        """
        ...

    async def page(self, run: str, prefix: str, after: str, limit: int) -> Sequence[Listed]:
        """Give entries whose names begin so and come after that one, in the order of names."""
        ...
