"""Upkeep of test data: what is old and unused goes."""

from datetime import timedelta

import pytest

from syncsvc.coordination.testdata.memory import MemoryTestData
from syncsvc.coordination.upkeep import TestDataUpkeep
from syncsvc.errors import Unavailable
from tests.support.builders import SECOND, Clock

LIFE = timedelta(hours=12)


@pytest.fixture
async def data(clock):
    kept = MemoryTestData()
    await kept.create("used", b"", clock())
    await kept.create("unused", b"", clock())
    return kept


@pytest.fixture
def clock():
    return Clock()


async def used(runs):
    return [run for run in runs if run == "used"]


async def test_data_stays_for_its_whole_life(data, clock):
    clock.pass_(LIFE)

    assert await TestDataUpkeep(data, used, clock, LIFE).forget_old() == 0


async def test_after_its_life_only_data_in_use_stays(data, clock):
    clock.pass_(LIFE + SECOND)

    assert await TestDataUpkeep(data, used, clock, LIFE).forget_old() == 1

    assert list(data.rows) == ["used"]


async def test_nothing_goes_while_it_is_not_known_what_is_in_use(data, clock):
    async def unknown(_runs):
        raise Unavailable("redis is away")

    clock.pass_(LIFE + SECOND)

    with pytest.raises(Unavailable):
        await TestDataUpkeep(data, unknown, clock, LIFE).forget_old()

    assert len(data.rows) == 2
