"""Processes that share a database of load tests, and want the same at the same moment."""

import asyncio

import pytest

from syncsvc.errors import Conflict
from syncsvc.loadtests.ports import SyncJob, Which
from syncsvc.loadtests.sql import SqlControl, SqlCycles, SqlLoadTests, SqlLogs
from syncsvc.stores.sql.database import Database, open_database
from tests.support.builders import NOON
from tests.support.load_tests import (
    LARGE,
    a_change,
    a_step,
    a_test,
    a_turn,
    an_addition,
    an_ended_step,
    some_lines,
)

PROCESSES = 4


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request, tmp_path) -> str:
    """Give a database in which nothing is yet."""
    request.getfixturevalue(request.param)
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
async def processes(url):
    """Connect each process by itself."""
    opened: list[Database] = [open_database(url) for _ in range(PROCESSES)]
    yield opened
    for database in opened:
        await database.close()


async def test_one_process_gets_the_first_turn_of_all(processes):
    calls = [
        SqlControl(database).take_due(a_turn(f"process {number}"), NOON)
        for number, database in enumerate(processes)
    ]

    taken = await asyncio.gather(*calls)

    assert taken.count(True) == 1
    job = await SqlControl(processes[0]).job()
    assert job.busy_by == f"process {taken.index(True)}"


async def test_one_process_makes_the_first_change_of_all(processes):
    calls = [SqlControl(database).change(0, a_change(), NOON) for database in processes]

    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert sorted(type(each).__name__ for each in answers) == [
        *[Conflict.__name__] * (PROCESSES - 1),
        SyncJob.__name__,
    ]


async def test_cycles_of_many_processes_have_fences_of_their_own(processes):
    calls = [SqlCycles(database).begin(NOON) for database in processes for _ in range(3)]

    fences = await asyncio.gather(*calls)

    assert sorted(fences) == list(range(1, 3 * PROCESSES + 1))


async def test_what_many_processes_register_at_once_is_watched_once(processes):
    names = [f"run-{number}" for number in range(10)]

    async def register(number: int, database: Database):
        test_id = f"test-{number}"
        steps = [a_step(f"{test_id} {name}", test_id=test_id, test_run=name) for name in names]
        return await SqlLoadTests(database).register(a_test(test_id), steps)

    calls = [register(number, database) for number, database in enumerate(processes)]
    answers = await asyncio.gather(*calls)

    assert all(answer == answers[0] for answer in answers)
    tests = SqlLoadTests(processes[0])
    assert len(await tests.tests(Which())) == 1
    assert len(await tests.steps(Which())) == len(names)


async def test_a_cycle_that_begins_while_another_writes_lets_it_write_all_or_nothing(processes):
    one, other = processes[:2]
    tests, logs = SqlLoadTests(one), SqlLogs(one)
    names = [f"s{number}" for number in range(50)]
    await tests.register(a_test(), [a_step(name) for name in names])
    fence = await SqlCycles(one).begin(NOON)

    writing = tests.save(fence, [an_ended_step(name) for name in names], NOON)
    answers = await asyncio.gather(writing, SqlCycles(other).begin(NOON), return_exceptions=True)

    ended = [step for step in await tests.steps_of(["test"]) if step.is_over]
    assert len(ended) == (0 if isinstance(answers[0], Conflict) else 50)
    with pytest.raises(Conflict):
        await logs.append(fence, [an_addition(some_lines(0))], LARGE, NOON)
