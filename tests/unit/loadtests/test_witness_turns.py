"""While a process witnesses something the turns are its own, and it runs cycles by itself."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from syncsvc.errors import Conflict, Unavailable
from syncsvc.loadtests.model import Result
from syncsvc.loadtests.polling import TERM
from tests.support.builders import MINUTE, SECOND
from tests.support.virtual_time import settle
from tests.support.witnessing import WitnessWorld


@pytest.fixture
async def world():
    world = WitnessWorld()
    yield world
    await world.polling.close()


async def is_witnessed(world: WitnessWorld) -> None:
    world.launch(cleans_up=True)
    await world.poll()


async def test_nobody_else_takes_the_turn_of_a_witness(world):
    await is_witnessed(world)
    other = world.another("other")

    reports = []
    for _ in range(100):
        await world.passes(SECOND)
        reports.append(await other.poll())

    assert reports == [None] * 100
    assert world.job.busy_by == "process 1"
    assert world.home.fence >= 5


async def test_a_witness_runs_cycles_when_they_are_due_without_being_told(world):
    await is_witnessed(world)

    await world.passes(5 * MINUTE)

    assert world.home.fence == pytest.approx(1 + 5 * 3, abs=1)


async def test_the_end_of_all_runners_and_the_removal_bring_a_cycle_at_once(world):
    await is_witnessed(world)
    fences = [world.home.fence]

    world.main.end("checkout", 0)
    await world.passes(2 * SECOND)
    fences.append(world.home.fence)
    world.main.remove("checkout")
    step = await world.is_settled()

    assert fences == [1, 2]
    assert step.result is Result.SUCCEEDED
    assert world.clock() < step.registered_at + 20 * SECOND


async def test_the_turn_is_free_once_nothing_is_to_be_witnessed(world):
    await is_witnessed(world)
    world.main.end("checkout", 0)
    world.main.remove("checkout")
    await world.is_settled()
    await world.passes(20 * SECOND)

    report = await world.another("other").poll()

    assert report is not None


async def test_the_turn_of_a_witness_that_died_is_free_after_its_term(world):
    await is_witnessed(world)
    await world.passes(9 * SECOND)
    await world.is_killed()
    world.shelf.job = replace(world.job, next_due_at=None)

    early = await world.poll()
    await world.passes(TERM)
    late = await world.poll()

    assert early is None
    assert late is not None


async def test_a_witness_that_is_asked_for_a_cycle_runs_it_soon(world):
    await is_witnessed(world)
    other = world.another("cli")

    asked = asyncio.create_task(other.poll_now(5 * SECOND))
    await world.passes(3 * SECOND)

    report = await asked
    assert (report.total, world.home.fence) == (1, 2)
    assert world.job.busy_by == "process 1"


async def test_a_cycle_that_is_asked_for_is_refused_when_the_witness_runs_none_in_time(world):
    await is_witnessed(world)
    world.main.lists_wait = asyncio.Event()

    asked = asyncio.create_task(world.another("cli").poll_now(5 * SECOND))
    await world.passes(6 * SECOND)

    with pytest.raises(Conflict, match="runs already"):
        await asked
    assert world.job.busy_by == "process 1"


async def test_who_is_asked_for_one_cycle_witnesses_nothing(world):
    world.launch(cleans_up=True)

    await world.polling.poll_now(SECOND)
    await settle()

    assert world.main.streams == 0
    assert world.job.busy_by is None


async def test_a_process_that_ends_well_gives_the_turn_back_and_leaves_nothing_open(world):
    await is_witnessed(world)
    before = asyncio.all_tasks()

    await world.polling.close()

    assert world.job.busy_by is None
    assert world.main.streams == 0
    assert len(asyncio.all_tasks() & before) == 1


async def test_a_job_that_is_stopped_is_witnessed_no_more_until_it_starts(world):
    await is_witnessed(world)
    world.shelf.job = replace(world.job, enabled=False)
    await world.passes(30 * SECOND)
    stopped = world.main.streams, world.job.busy_by

    world.shelf.job = replace(world.job, enabled=True)
    await world.poll()

    assert stopped == (0, None)
    assert world.main.streams == 1 + 2  # a log and two watches


async def test_who_has_lost_the_turn_witnesses_nothing_more(world):
    await is_witnessed(world)
    world.shelf.job = replace(world.job, busy_by="other", busy_until=world.clock() + MINUTE)

    await world.passes(10 * SECOND)

    assert world.main.streams == 0
    assert world.job.busy_by == "other"


async def test_a_record_that_is_away_for_a_while_is_waited_for(world):
    await is_witnessed(world)
    places = world.home.places
    world.home.places = away
    world.main.end("checkout", 0)
    await world.passes(10 * SECOND)
    world.home.places = places
    world.main.remove("checkout")

    step = await world.is_settled()

    assert step.result is Result.SUCCEEDED


async def away() -> None:
    raise Unavailable("the database is away")


async def test_many_ends_at_once_do_not_bring_cycle_upon_cycle(world):
    for number in range(30):
        world.launch(f"run-{number}", cleans_up=True)
    await world.poll()
    for number in range(30):
        world.main.end(f"run-{number}", 0)
        await world.passes(timedelta(milliseconds=100))

    await world.passes(SECOND)

    assert world.home.fence <= 1 + 5
