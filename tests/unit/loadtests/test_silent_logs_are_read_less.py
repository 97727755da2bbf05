"""Logs without news wait longer and longer; whatever ends is read at once."""

from datetime import timedelta

import pytest

from syncsvc.loadtests.model import LogsState
from syncsvc.loadtests.pacing import LONGEST_WAIT, Pace
from tests.support.builders import NOON, SECOND
from tests.support.clusters import stamped
from tests.support.loadtest_cycles import World

INTERVAL = 20 * SECOND


def reads_of(pace: Pace, cycles: int) -> list[int]:
    """Give the cycles in which a log that never has news is read."""
    found, now = [], NOON
    for cycle in range(cycles):
        if pace.is_due("log", now):
            pace.read("log", now, has_news=False)
            found.append(cycle)
        now += INTERVAL
    return found


def test_a_silent_log_is_read_in_every_third_cycle_at_last():
    assert reads_of(Pace(), 16) == [0, 1, 2, 3, 5, 8, 11, 14]


def test_no_log_waits_longer_than_a_minute():
    pace = Pace()
    for _ in range(1000):
        pace.read("log", NOON, has_news=False)

    assert not pace.is_due("log", NOON + LONGEST_WAIT - SECOND)
    assert pace.is_due("log", NOON + LONGEST_WAIT)
    assert timedelta(minutes=1) > LONGEST_WAIT


def test_news_bring_a_log_back_into_every_cycle():
    pace = Pace()
    reads_of(pace, 10)

    pace.read("log", NOON, has_news=True)

    assert pace.is_due("log", NOON)


def test_a_read_that_fails_is_no_silence():
    pace = Pace()
    for _ in range(100):
        pace.tried("log", NOON)

    assert pace.is_due("log", NOON)
    assert pace.last_read("log") == NOON


@pytest.fixture
def world() -> World:
    world = World()
    world.launch(runners=1)
    return world


async def test_a_runner_that_writes_nothing_costs_few_reads(world):
    for _ in range(16):
        await world.cycle()

    assert world.main.calls["log"] == 8


async def test_a_silent_runner_that_ends_is_read_to_its_end_in_the_next_cycle(world):
    for _ in range(10):
        await world.cycle()
    world.main.emit("checkout", stamped(1, "the last word", at=world.now))
    world.main.end("checkout", 0)

    await world.cycle()

    assert world.log_of().state is LogsState.COMPLETE
    assert b"the last word" in world.text_of()
