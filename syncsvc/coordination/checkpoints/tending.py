"""Those who wait here are looked after: who lives, what was missed, what the store forgot."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncsvc.coordination.checkpoints.leaving import Leaving, Owed
from syncsvc.coordination.checkpoints.model import Cause, Standing
from syncsvc.coordination.checkpoints.ports import Checkpoints, Timers, Waited
from syncsvc.coordination.checkpoints.waiting import Meeting, Waitings, members_of
from syncsvc.errors import Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

ROUNDS_OF_A_SIGN = 5  # of life, for agents whose death would be noticed
ROUNDS_UNSEEN = 3  # after which a checkpoint is lost; a server that came back is told in time
RESTARTED = "the server that keeps checkpoints lost who had arrived at {!r}: arrive again"
DELETED = "checkpoint {!r} was deleted while agents waited: arrive again"


@dataclass
class Tending:
    """Looks at every checkpoint that is waited for here, in one call each."""

    store: Checkpoints
    waitings: Waitings
    leaving: Leaving
    longest_wait: timedelta
    timers: Timers
    begin: Callable[[Coroutine[Any, Any, None]], None]
    _round: int = 0
    _is_behind: bool = False

    async def look(self) -> None:
        """Look once at all of them."""
        self._round += 1
        self._time_out_overdue()
        await self.leaving.pay()
        if self._is_behind:
            await self.catch_up()
        looks = [
            self._look_at(meeting, generation)
            for meeting in self.waitings
            for generation in meeting.generations()
        ]
        await asyncio.gather(*looks)

    def lose_everything(self) -> None:
        """Tell all who wait that the store has forgotten them."""
        for meeting in self.waitings:
            for generation in meeting.generations():
                self._lose(meeting, generation, RESTARTED)

    async def catch_up(self) -> None:
        """Remind the store of what agents were told, and of those who wait."""
        self._is_behind = False
        endings = [self.store.restore(place, said) for place, said in self.waitings.lately_told()]
        waited = [
            self._again(meeting, meeting.waited(generation, meeting.counted(generation)))
            for meeting in self.waitings
            for generation in meeting.generations()
        ]
        try:
            await asyncio.gather(*endings, *waited)
        except Unavailable as error:
            log.warning("store not reminded yet", reason=str(error))
            self._is_behind = True

    def _time_out_overdue(self) -> None:
        earliest = self.timers.time() - self.longest_wait.total_seconds()
        for meeting in self.waitings:
            for waiting in list(meeting.waiting.values()):
                if waiting.since > earliest:
                    break
                self.leaving.time_out(waiting)

    async def _look_at(self, meeting: Meeting, generation: int) -> None:
        is_sign = self._round % ROUNDS_OF_A_SIGN == 0 and not meeting.is_ignored
        living = meeting.counted(generation) if is_sign else ()
        waited = meeting.waited(generation, living)
        try:
            found = await self.store.tend(waited, self.leaving.resume_within)
        except Unavailable as error:
            log.warning("checkpoint not looked at", reason=str(error))
            return
        self._seen(meeting, generation, found)

    async def _again(self, meeting: Meeting, waited: Waited) -> None:
        self._seen(meeting, waited.generation, await self.store.again(waited))

    def _seen(self, meeting: Meeting, generation: int, found: Standing | None) -> None:
        if found is not None:
            meeting.unseen = 0
            self.waitings.stands(meeting, generation, found)
            return
        meeting.unseen += 1
        if meeting.unseen >= ROUNDS_UNSEEN:
            self._lose(meeting, generation, DELETED)

    def _lose(self, meeting: Meeting, generation: int, why: str) -> None:
        told = self.waitings.lose(meeting, generation, why.format(meeting.place.name))
        self.begin(self._forget(Owed(meeting.place, members_of(told), Cause.FORGOTTEN)))

    async def _forget(self, owed: Owed) -> None:
        await self.leaving.withdraw(owed)
