import asyncio

import pytest

from syncsvc.catalogue.model import RunStatus, SyncPhase
from tests.support.builders import MINUTE, SECOND
from tests.support.executing import ExecutingHouse
from tests.support.virtual_time import settle


@pytest.fixture
def house() -> ExecutingHouse:
    return ExecutingHouse()


class Stuck:
    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.cancelled = 0

    async def __call__(self, desk) -> None:
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def stuck_in_tests(house, process=None):
    process, stuck = process or house.process(), Stuck()
    process.tests.instead = stuck
    working = process.starts(process.executor.work_due())
    await settle()
    assert len(process.tests.began) == 2
    return process, stuck, working


async def test_a_long_unit_stays_with_the_process_that_works_on_it(house):
    await house.begin()
    process, stuck, working = await stuck_in_tests(house)
    other = house.process()

    for _ in range(10):
        await house.time.pass_(6 * SECOND)
        assert await other.executor.work_due() == 0
    stuck.free.set()
    await working

    assert sorted(process.tests.ended) == [1, 2]
    assert (await house.run()).status is RunStatus.SUCCESS


async def test_a_long_unit_keeps_its_run_and_its_lock(house):
    await house.begin()
    process, _, _ = await stuck_in_tests(house)

    await house.time.pass_(9 * SECOND)

    assert (await house.run()).heartbeat_at == house.time.now
    assert house.lock.renewed == [("run-1", 1)] * 3
    await process.stops()


async def test_a_lost_claim_ends_its_work_and_commits_nothing(house):
    await house.begin()
    process, stuck, working = await stuck_in_tests(house)
    before = len(process.units.committed)
    process.units.is_away = True
    await house.time.pass_(11 * SECOND)
    other = house.process()
    await other.executor.work_due()

    process.units.is_away = False
    await house.time.pass_(3 * SECOND)
    await working

    assert stuck.cancelled == 2
    assert len(process.units.committed) == before
    assert process.units.refused == []
    assert sorted(other.tests.ended) == [1, 2]


async def test_a_moment_without_the_store_costs_no_claim(house):
    await house.begin()
    process, stuck, working = await stuck_in_tests(house)
    process.units.is_away = True
    await house.time.pass_(7 * SECOND)
    process.units.is_away = False
    await house.time.pass_(20 * SECOND)

    stuck.free.set()
    await working

    assert sorted(process.tests.ended) == [1, 2]


async def test_a_lost_lock_is_taken_again(house):
    await house.begin()
    _, stuck, working = await stuck_in_tests(house)
    house.lock.held.clear()

    await house.time.pass_(7 * SECOND)
    assert house.lock.held == {"acme": ("run-1", 2)}
    assert house.lock.renewed[-1] == ("run-1", 2)

    stuck.free.set()
    await working
    assert house.lock.held == {}


async def test_a_lock_that_others_have_taken_is_left_to_them(house):
    await house.begin()
    _, stuck, working = await stuck_in_tests(house)
    house.lock.held["acme"] = ("run-2", 9)

    await house.time.pass_(7 * SECOND)
    stuck.free.set()
    await working

    assert house.lock.held == {"acme": ("run-2", 9)}


async def test_a_lock_that_was_given_back_with_the_runs_end_is_not_taken_again(house):
    await house.begin()
    process, _, _ = await stuck_in_tests(house)
    await house.store.close("run-1", RunStatus.CANCELLED, house.time.now, reason="told to")
    house.lock.held.clear()
    process.units.keep = keeps_all

    await house.time.pass_(4 * SECOND)

    assert house.lock.held == {}
    await process.stops()


async def keeps_all(*_asked):
    return []


async def test_a_lock_that_cannot_be_reached_costs_no_claim(house):
    await house.begin()
    process, stuck, working = await stuck_in_tests(house)
    house.lock.is_away = True
    await house.time.pass_(MINUTE)

    stuck.free.set()
    await working

    assert sorted(process.tests.ended) == [1, 2]


async def test_a_defect_in_giving_signs_of_life_does_not_end_them(house):
    await house.begin()
    process, _, _ = await stuck_in_tests(house)
    kept, process.units.keep = process.units.keep, breaks
    await house.time.pass_(3 * SECOND)

    process.units.keep = kept
    await house.time.pass_(3 * SECOND)

    assert len(process.units.kept) == 1
    await process.stops()


async def breaks(*_asked):
    raise KeyError("x")


async def test_who_works_on_nothing_gives_no_signs_of_life(house):
    await house.begin()
    process = house.process()
    await process.executor.work_due()

    await house.time.pass_(MINUTE)

    assert process.units.kept == []


async def test_a_driver_keeps_its_run_while_nothing_can_be_claimed(house):
    await house.begin(SyncPhase.PRODUCTS, holder="host:1")
    await house.store.claim(house.time.now, 5 * MINUTE, "run-1")
    process = house.process()
    process.starts(process.executor.drive("run-1"))

    await house.time.pass_(9 * SECOND)

    assert (await house.run()).heartbeat_at == house.time.now
    await process.stops()
