import asyncio
from itertools import pairwise

import pytest

from syncsvc.catalogue.model import RunStatus, SyncPhase
from syncsvc.errors import Unavailable, Unknown
from tests.support.builders import MINUTE, SECOND
from tests.support.executing import ExecutingHouse
from tests.support.virtual_time import settle


@pytest.fixture
def house() -> ExecutingHouse:
    return ExecutingHouse()


async def test_a_driver_carries_out_its_run_and_gives_it_once_it_is_over(house):
    await house.begin()
    process = house.process()

    driven = process.starts(process.executor.drive("run-1"))
    await house.time.pass_(SECOND)

    assert (await driven).status is RunStatus.SUCCESS
    assert sorted(process.tests.ended) == [1, 2]


async def test_a_driver_of_a_run_that_is_over_has_nothing_to_do(house):
    await house.begin()
    await house.process().executor.work_due()

    run = await house.process().executor.drive("run-1")

    assert run.status is RunStatus.SUCCESS


async def test_a_driver_of_a_run_that_does_not_exist_is_told_so(house):
    with pytest.raises(Unknown):
        await house.process().executor.drive("run-9")


async def test_a_driver_returns_when_another_process_finishes_the_run(house):
    await house.begin(SyncPhase.PRODUCTS)
    claimed = await house.store.claim(house.time.now, 5 * MINUTE, "run-1")
    waiting = house.process()
    driven = waiting.starts(waiting.executor.drive("run-1"))
    await house.time.pass_(5 * SECOND)
    assert not driven.done()

    other = house.process()
    await other.executor._carrying.carry_out(claimed)
    await house.time.pass_(SECOND)

    assert driven.done()
    assert (await driven).status is RunStatus.SUCCESS
    assert waiting.units.committed == []


async def test_a_driver_looks_at_least_every_half_second(house):
    moments = []

    async def looked(_run) -> None:
        moments.append(house.time.now)

    await house.begin(SyncPhase.PRODUCTS)
    await house.store.claim(house.time.now, 5 * MINUTE, "run-1")
    process = house.process()
    process.starts(process.executor.drive("run-1", looked))

    await house.time.pass_(MINUTE)

    gaps = [later - sooner for sooner, later in pairwise(moments)]
    assert max(gaps) <= SECOND / 2
    assert min(gaps) >= SECOND / 20
    await process.stops()


async def test_a_driver_shows_progress_while_its_own_units_are_under_way(house):
    seen, free = [], asyncio.Event()

    async def looked(run) -> None:
        seen.append(run.status)

    async def stuck(_desk) -> None:
        await free.wait()

    await house.begin()
    process = house.process()
    process.tests.instead = stuck
    driven = process.starts(process.executor.drive("run-1", looked))
    await house.time.pass_(10 * SECOND)
    assert len(seen) >= 20

    free.set()
    await house.time.pass_(SECOND)
    assert (await driven).status is RunStatus.SUCCESS
    assert seen[-1] is RunStatus.SUCCESS


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.ABANDONED])
async def test_a_driver_ends_its_work_when_somebody_else_ends_the_run(house, status):
    began = asyncio.Event()

    async def stuck(_desk) -> None:
        began.set()
        await asyncio.Event().wait()

    await house.begin()
    process = house.process()
    process.tests.instead = stuck
    driven = process.starts(process.executor.drive("run-1"))
    await house.time.pass_(SECOND)
    assert began.is_set()

    await house.store.close("run-1", status, house.time.now, reason="told to")
    await house.time.pass_(SECOND)

    assert driven.done()
    assert (await driven).status is status
    assert process.tests.ended == []


async def test_a_driver_gives_up_when_nothing_moves_for_a_quarter_of_an_hour(house):
    await house.begin(SyncPhase.PRODUCTS)
    await house.store.claim(house.time.now, 60 * MINUTE, "run-1")
    process = house.process()
    driven = process.starts(process.executor.drive("run-1"))

    await house.time.pass_(14 * MINUTE)
    assert not driven.done()

    await house.time.pass_(2 * MINUTE)
    with pytest.raises(Unavailable, match="has not moved for 15 minutes"):
        await driven


async def test_a_driver_waits_for_a_store_that_is_away_for_a_while(house):
    await house.begin()
    process = house.process()
    process.units.is_away = True
    driven = process.starts(process.executor.drive("run-1"))
    await house.time.pass_(MINUTE)
    assert not driven.done()

    process.units.is_away = False
    await house.time.pass_(SECOND)

    assert (await driven).status is RunStatus.SUCCESS


async def test_a_driver_takes_up_what_others_have_opened_while_its_own_unit_lasts(house):
    free = asyncio.Event()

    async def stuck(desk) -> None:
        if desk.claimed.product == 1:
            await free.wait()

    await house.begin()
    claimed = await house.store.claim(house.time.now, 5 * MINUTE, "run-1")
    process, other = house.process(), house.process()
    process.tests.instead = stuck
    process.starts(process.executor.drive("run-1"))
    await other.executor._carrying.carry_out(claimed)
    await house.time.pass_(SECOND)
    await settle()

    assert process.tests.ended == [2]
    assert sorted(process.tests.began) == [1, 2]
    await process.stops()


async def test_a_driver_that_is_stopped_in_its_first_moment_leaves_no_work_behind(house):
    began = asyncio.Event()

    async def stuck(_desk) -> None:
        began.set()
        await asyncio.Event().wait()

    await house.begin()
    process = house.process()
    process.tests.instead = stuck
    before = asyncio.all_tasks()
    driven = asyncio.create_task(process.executor.drive("run-1"))
    async with asyncio.timeout(5):
        await began.wait()

    driven.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driven

    assert asyncio.all_tasks() == before
