"""Pushed results reach Test IT once, whatever goes wrong; each step may be repeated.

Entries are claimed in batches, several side by side; who dies leaves them to be claimed again.
Before a result whose outcome is unknown is posted again, one looks whether it is there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from syncsvc.results.pushed.attaching import Attaching
from syncsvc.results.pushed.batches import Batches
from syncsvc.results.pushed.ending import Claimed, Ending
from syncsvc.results.pushed.model import LARGEST_BATCH, Batch
from syncsvc.results.pushed.ports import Files, PushBoard, PushOutbox
from syncsvc.results.pushed.setbacks import PushTerms, Setbacks
from syncsvc.runs.ports import Runs
from syncsvc.sidebyside import SideBySide

__all__ = ["PushDelivery", "PushTerms"]


@dataclass
class PushDelivery:
    """Shows pushed results in Test IT and ends their runs.

    `room` says how many batches, or endings, are worth being out at this moment.
    """

    outbox: PushOutbox
    files: Files
    runs: Runs
    board: PushBoard
    terms: PushTerms
    clock: Callable[[], datetime]
    chance: Callable[[], float]  # in [0, 1)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    room: Callable[[], int] | None = None
    _batches: SideBySide[Batch] = field(init=False)
    _endings: SideBySide[Claimed] = field(init=False)

    def __post_init__(self) -> None:
        setbacks = Setbacks(self.outbox, self.terms, self.clock, self.chance)
        batches = Batches(
            self.outbox, self.files, self.runs, self.board, setbacks, self.clock, self.pause
        )
        attaching = Attaching(self.files, self.board)
        ending = Ending(self.outbox, self.runs, self.board, attaching, setbacks, self.clock)
        at_once = self.terms.at_once
        self._batches = SideBySide(
            self._claim, batches.deliver, at_once, self.clock, room=self.room
        )
        self._endings = SideBySide(
            self._claim_ending, ending.end, at_once, self.clock, room=self.room
        )

    async def deliver_due(self) -> int:
        """Deliver what is due, and count the entries that are settled now.

        Who asks while this process is at it already gets 0 at once: what is due is seen to.
        Raises Unavailable when the outbox cannot be reached.
        """
        return await self._batches.until_done()

    async def end_finished(self) -> int:
        """End the runs whose results are all delivered, and count them.

        Raises Unavailable when the outbox cannot be reached.
        """
        return await self._endings.until_done()

    def look_again(self) -> None:
        """See at once whether more may be out: there may be room."""
        self._batches.look_again()
        self._endings.look_again()

    async def _claim(self) -> Batch | None:
        return await self.outbox.claim(self.clock(), self.terms.claim, LARGEST_BATCH)

    async def _claim_ending(self) -> Claimed | None:
        now = self.clock()
        return await self.outbox.claim_ending(now, self.terms.claim, now - self.terms.idle_limit)
