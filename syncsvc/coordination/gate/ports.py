"""What whoever calls a foreign server needs of the gate before it."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from syncsvc.coordination.gate.model import Terms, Turn


class Gate(Protocol):
    """Lets so many requests at once through to a place, and none while the place has a pause."""

    def passing(self, place: str) -> AbstractAsyncContextManager[None]:
        """Wait for a turn, and hold it while a request is under way.

        Raises Unavailable, with `retry_after` when it is known, if the turn does not come within
        the gate's patience or the memory of the gates cannot be reached.
        """
        ...

    async def pause(self, place: str, length: timedelta) -> None:
        """Let nobody through for a time; the longest pause that was asked for counts."""
        ...


class Turns(Protocol):
    """Where the turns at every place are counted; asking again with a ticket does no harm.

    Every method raises Unavailable when that cannot be reached.
    """

    async def ask(self, place: str, ticket: str, terms: Terms) -> Turn:
        """Take a turn if there is one, else stand in line until the ticket is given back."""
        ...

    async def give_back(self, place: str, ticket: str) -> None:
        """End a turn, or leave the line."""
        ...

    async def pause(self, place: str, length: timedelta) -> None:
        """Let no turn come for a time; the longest pause counts."""
        ...
