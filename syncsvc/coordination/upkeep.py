"""What nobody uses any more goes, once it is older than its life."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.coordination.testdata.ports import TestData


@dataclass(frozen=True)
class TestDataUpkeep:
    """Forgets test data.

    `in_use` picks the runs that agents are connected to: theirs stays, however old.
    """

    __test__ = False  # a name that pytest would take for a test

    data: TestData
    in_use: Callable[[Sequence[str]], Awaitable[Collection[str]]]
    clock: Callable[[], datetime]
    life: timedelta

    async def forget_old(self) -> int:
        """Remove what nobody wrote for its life and nobody uses; say how much that was.

        Raises Unavailable, with nothing removed, when it cannot be known who uses what.
        """
        before = self.clock() - self.life
        old = await self.data.older(before)
        used = await self.in_use(old)
        return await self.data.forget(before, {run for run in old if run not in used})
