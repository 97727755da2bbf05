"""Whichever home the outbox has, faults and deaths cost no result and make none twice."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from syncsvc.errors import Unavailable
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.pushed.delivery import PushDelivery
from tests.support.builders import Clock, push, run
from tests.support.pushed import (
    AFTER_CLAIM,
    TERMS,
    Fate,
    Killed,
    PushBoardTwin,
    SmallBatches,
    pushed,
)

RESULTS, TESTS, LIMIT, MOST_TICKS = 40, 30, 5, 300
ODDS = {Fate.WELL: 80, Fate.REFUSED: 6, Fate.UNHEARD: 6, Fate.KILLED_BEFORE: 4}
ODDS[Fate.KILLED_AFTER] = 4


class Play:
    """Tries to deliver, with faults and deaths by chance, until the run has ended."""

    def __init__(self, home, seed: int) -> None:
        self.runs, self.outbox, self.files = home
        self.clock, self.chance = Clock(), random.Random(seed)
        self.board = PushBoardTwin(fate=self.fate)

    def fate(self, _step: str) -> Fate:
        return self.chance.choices(list(ODDS), list(ODDS.values()))[0]

    async def accept(self) -> None:
        await self.runs.put(run())
        await self.outbox.open(push())
        results = [pushed(f"test {number % TESTS}", duration_ms=None) for number in range(RESULTS)]
        await self.outbox.accept("run", results, self.clock())
        await self.outbox.ask_complete("run", self.clock())

    async def to_the_end(self) -> None:
        for _ in range(MOST_TICKS):
            try:
                await self.tick()
            except* (Killed, Unavailable):  # another task worker begins when the claims end
                self.clock.pass_(AFTER_CLAIM)
            if (await self.outbox.push("run")).completed_at:
                return
        pytest.fail(f"not over after {MOST_TICKS} ticks: {await self.outbox.counts()}")

    async def pause(self, seconds: float) -> None:
        self.clock.pass_(timedelta(seconds=seconds))

    async def tick(self) -> None:
        self.clock.pass_(AFTER_CLAIM)
        outbox = SmallBatches(self.outbox, LIMIT, self.fate)
        delivery = PushDelivery(
            outbox,
            self.files,
            self.runs,
            self.board,
            TERMS,
            self.clock,
            self.chance.random,
            self.pause,
        )
        await delivery.deliver_due()
        await delivery.end_finished()


@pytest.mark.parametrize("seed", range(5))
async def test_each_result_is_in_test_it_once(push_home, seed):
    play = Play(push_home, seed)
    play.board.add("test 3", is_bound=True)
    play.board.add("test 4", "Succeeded")  # somebody else's
    await play.accept()

    await play.to_the_end()

    entries = await play.outbox.entries(Filter(run_id="run"))
    assert Counter(entry.state for entry in entries) == {EntryState.DELIVERED: RESULTS}
    assert len({entry.target_id for entry in entries}) == RESULTS
    assert len(play.board.rows()) == RESULTS + 1  # one was written into what the plan had made
    assert play.board.runs["run"].closings == 1
    assert all(row.status == "Succeeded" for row in play.board.rows())
