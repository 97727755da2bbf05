"""Workers leave things for each other, and see what others leave."""

from collections.abc import Sequence
from dataclasses import dataclass

from syncsvc.coordination.board.model import (
    Change,
    Listed,
    State,
    check_size,
    refusal,
    unknown,
)
from syncsvc.coordination.board.ports import Board
from syncsvc.coordination.names import check_name, subject
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.waiting import LOOK_AGAIN, Look, wait_until_enough


@dataclass(frozen=True)
class BoardService:
    """The blackboard of every run; all of it raises Rejected for names, and Unavailable."""

    board: Board
    signals: Signals

    async def change(self, run: str, change: Change) -> int:
        """Put or delete an entry and give its new version.

        Raises Conflict when the version or the fence is not as expected or the board is full,
        TooLarge for the value, Unknown when what should be deleted is not there.
        """
        check_name("run", run)
        check_name("name", change.name)
        check_size(change.value or "")
        outcome, number = await self.board.change(run, change)
        refused = refusal(change, outcome, number)
        if refused is not None:
            raise refused
        return number

    async def get(self, run: str, name: str) -> State:
        """Give an entry. Raises Unknown when there is none."""
        state = await self._look(run, name, 0)
        if state.value is None:
            raise unknown(name)
        return state

    async def page(self, run: str, prefix: str, after: str, limit: int) -> Sequence[Listed]:
        """Give entries whose names begin so and come after that one, in the order of names."""
        return await self.board.page(check_name("run", run), prefix, after, limit)

    async def watch(self, run: str, name: str, known: int, seconds: float) -> State:
        """Wait until the version of a name is another one; gives its state, also when it is not."""

        async def look() -> Look[State]:
            state = await self._look(run, name, known)
            ends = LOOK_AGAIN if state.ends_in is None else state.ends_in.total_seconds()
            return Look(state, enough=state.version != known, changes_in=ends)

        return await wait_until_enough(self.signals, subject("data", run, name), seconds, look)

    async def _look(self, run: str, name: str, known: int) -> State:
        return await self.board.look(check_name("run", run), check_name("name", name), known)
