"""Waiting for held results, hurrying them, repairing them."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.memory import MemoryOutbox
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.held.service import Patience, ResultService
from syncsvc.runs.memory import MemoryRosters, MemoryRuns
from syncsvc.runs.model import WorkerStatus
from tests.support.builders import LIVENESS, MINUTE, SECOND, Clock, cut, ids, run
from tests.support.fakes import Nudges

SHORT, LONG = 12 * SECOND, 90 * SECOND
PATIENCE = Patience(at_work=SHORT, done=LONG)


@dataclass
class House:
    clock: Clock = field(default_factory=Clock)
    nudges: Nudges = field(default_factory=Nudges)
    runs: MemoryRuns = field(default_factory=MemoryRuns)
    at: dict[timedelta, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rosters = MemoryRosters(auto=True, idle_limit=LIVENESS.idle_limit)
        self.outbox = MemoryOutbox(self.runs, ids())
        self.start = self.clock.now
        self.service = ResultService(
            self.outbox, self.rosters, self.nudges, LIVENESS, self.clock, self.pause
        )

    @property
    def waited(self) -> timedelta:
        return self.clock.now - self.start

    async def pause(self, seconds: float) -> None:
        self.clock.pass_(timedelta(seconds=seconds))
        for moment in [moment for moment in self.at if moment <= self.waited]:
            await self.at.pop(moment)()

    async def hold(self) -> str:
        await self.runs.put(run())
        await self.rosters.register("run", "worker", self.clock())
        await self.rosters.report("run", "worker", WorkerStatus.IN_PROGRESS, self.clock())
        return await self.service.hold(cut())

    async def end(self, state: EntryState = EntryState.DELIVERED) -> None:
        await self.outbox.release("run", self.clock(), forced=True)
        for entry in await self.outbox.claim_due(self.clock(), MINUTE, 10):
            await self.outbox.settle(entry, state, self.clock(), "because")

    async def complete(self) -> None:
        await self.rosters.report("run", "worker", WorkerStatus.COMPLETED, self.clock())


@pytest.fixture
def house() -> House:
    return House()


async def test_waiting_ends_as_soon_as_the_result_is_final(house):
    await house.hold()
    house.at[5 * SECOND] = house.end

    completion = await house.service.wait("run", PATIENCE)

    assert completion.completed
    assert house.waited == 5 * SECOND


async def test_waiting_while_others_work_is_short(house):
    await house.hold()

    completion = await house.service.wait("run", PATIENCE)

    assert (completion.completed, completion.message) == (False, "1 held result not final yet")
    assert house.waited == SHORT


async def test_waiting_once_all_are_done_is_long(house):
    await house.hold()
    await house.complete()

    await house.service.wait("run", PATIENCE)

    assert house.waited == LONG


async def test_waiting_for_all_runs_needs_no_name(house):
    await house.hold()

    assert not (await house.service.wait(None, PATIENCE)).completed


async def test_a_dead_result_is_told_and_not_waited_for(house):
    await house.hold()
    await house.end(EntryState.DEAD)

    completion = await house.service.wait("run", PATIENCE)

    assert not completion.completed
    assert "syncsvc results list --dead" in completion.message
    assert house.waited == timedelta(0)


async def test_forcing_makes_due_and_nudges(house):
    entry_id = await house.hold()

    completion = await house.service.force("run")

    assert (completion.waiting, house.nudges.count) == (1, 1)
    assert house.outbox.rows[entry_id].forced


async def test_forcing_nothing_nudges_nobody(house):
    assert (await house.service.force("run")).completed
    assert house.nudges.count == 0


async def test_a_dead_result_is_tried_again_at_once(house):
    entry_id = await house.hold()
    await house.end(EntryState.DEAD)

    assert await house.service.retry(entry_id) == 1

    assert house.outbox.rows[entry_id].state is EntryState.PENDING
    assert house.nudges.count == 1


async def test_retrying_what_is_not_dead_says_what_it_is(house):
    entry_id = await house.hold()

    with pytest.raises(Rejected, match="expected one that is dead, found held"):
        await house.service.retry(entry_id)
    with pytest.raises(Unknown, match="'stranger'"):
        await house.service.retry("stranger")
    assert await house.service.retry(None) == 0


async def test_a_cut_without_a_test_is_rejected(house):
    with pytest.raises(Rejected, match="autoTestExternalId: expected 1 to 1000 characters"):
        await house.service.hold(cut(""))


async def test_a_page_has_a_size(house):
    with pytest.raises(Rejected, match="limit: expected 1 to 1000, found 0"):
        await house.service.entries(Filter(limit=0))


async def test_what_was_delivered_long_ago_is_forgotten(house):
    await house.hold()
    await house.end()
    house.clock.pass_(31 * timedelta(days=1))

    assert await house.service.forget(timedelta(days=30)) == 1


async def test_a_store_that_does_not_answer_ends_the_wait_too(house):
    await house.hold()

    async def never(_run_id=None):
        await asyncio.Event().wait()

    house.outbox.counts = never
    completion = await house.service.wait("run", Patience(timedelta(0), timedelta(0)))

    assert not completion.completed
    assert "ask again" in completion.message


async def test_a_cut_that_comes_while_a_run_is_forced_is_held_for_later(house):
    await house.hold()
    await house.service.force("run")

    later = await house.service.hold(cut("later"))

    assert house.outbox.rows[later].state is EntryState.HELD
