"""What every home of test data promises."""

import asyncio

import pytest
from sqlalchemy import insert

from syncsvc.coordination.testdata.memory import MemoryTestData
from syncsvc.coordination.testdata.sql import SqlTestData
from syncsvc.stores.sql.tables import test_data
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.postgres import elsewhere, until_waiting


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def data(request):
    if request.param == "memory":
        return MemoryTestData()
    return SqlTestData(request.getfixturevalue(request.param))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def two_processes(request):
    database = request.getfixturevalue(request.param)
    return SqlTestData(database), SqlTestData(database)


async def test_a_run_without_content_has_none(data):
    assert await data.read("42") is None


@pytest.mark.parametrize("content", [b"", b"plain", bytes(range(256)), b"\x00" * 100_000], ids=len)
async def test_content_comes_back_byte_for_byte(data, content):
    assert await data.create("42", content, NOON) is True

    assert await data.read("42") == content


async def test_content_is_created_only_once(data):
    await data.create("42", b"first", NOON)

    assert await data.create("42", b"second", NOON) is False

    assert await data.read("42") == b"first"


async def test_even_empty_content_is_content(data):
    await data.create("42", b"", NOON)

    assert await data.create("42", b"second", NOON) is False


async def test_content_is_replaced_whether_or_not_there_is_some(data):
    await data.replace("42", b"first", NOON)
    await data.replace("42", b"second", NOON)

    assert await data.read("42") == b"second"
    assert await data.create("42", b"third", NOON) is False


async def test_of_many_that_create_at_once_exactly_one_wins(data):
    names = [b"%d" % number for number in range(300)]

    won = await asyncio.gather(*(data.create("42", name, NOON) for name in names))

    assert won.count(True) == 1
    assert await data.read("42") == names[won.index(True)]


async def test_what_is_asked_in_one_moment_happens_in_the_order_asked(data):
    answers = await asyncio.gather(
        data.create("new", b"created", NOON),
        data.replace("new", b"replaced", NOON),
        data.replace("old", b"replaced", NOON),
        data.create("old", b"created", NOON),
        data.replace("old", b"again", NOON),
    )

    assert answers == [True, None, None, False, None]
    assert [await data.read(run) for run in ("new", "old")] == [b"replaced", b"again"]


async def test_many_runs_at_once_keep_their_contents_apart(data):
    runs = [str(number) for number in range(600)]

    created = await asyncio.gather(*(data.create(run, run.encode(), NOON) for run in runs))
    found = await asyncio.gather(*(data.read(run) for run in [*runs, "stranger", "0"]))

    assert all(created)
    assert found == [*(run.encode() for run in runs), None, b"0"]


async def test_only_what_is_older_than_the_moment_is_forgotten(data):
    await data.create("old", b"", NOON)
    await data.create("young", b"", NOON + SECOND)

    assert await data.older(NOON + SECOND) == ["old"]
    assert await data.forget(NOON + SECOND, ["old", "young"]) == 1

    assert [await data.read(run) for run in ("old", "young")] == [None, b""]


async def test_writing_again_makes_content_young(data):
    await data.create("42", b"", NOON)
    await data.replace("42", b"", NOON + MINUTE)

    assert await data.forget(NOON + MINUTE, ["42"]) == 0


async def test_only_the_runs_that_are_named_lose_their_content(data):
    await data.create("used", b"", NOON)
    await data.create("unused", b"", NOON)

    assert await data.forget(NOON + MINUTE, {"unused", "unknown"}) == 1

    assert [await data.read(run) for run in ("used", "unused")] == [b"", None]


async def test_any_number_of_runs_is_forgotten_and_may_begin_anew(data):
    runs = [str(number) for number in range(1200)]
    await asyncio.gather(*(data.create(run, b"", NOON) for run in runs))

    assert await data.forget(NOON + MINUTE, runs[100:]) == 1100

    assert await data.create(runs[-1], b"anew", NOON)


async def test_two_processes_that_write_the_same_runs_agree_who_was_first(two_processes):
    one, two = two_processes
    runs = [str(number) for number in range(200)]

    mine, theirs = await asyncio.gather(
        asyncio.gather(*(one.create(run, b"one", NOON) for run in runs)),
        asyncio.gather(*(two.create(run, b"two", NOON) for run in reversed(runs))),
    )

    assert [a != b for a, b in zip(mine, reversed(theirs), strict=True)] == [True] * 200


async def test_writers_and_upkeep_never_block_each_other(two_processes):
    one, two = two_processes
    runs = [str(number) for number in range(100)]

    for _ in range(5):
        await asyncio.gather(
            *(one.replace(run, b"one", NOON) for run in runs),
            *(two.replace(run, b"two", NOON + MINUTE) for run in reversed(runs)),
            *(one.create(run, b"", NOON) for run in reversed(runs)),
            two.forget(NOON + SECOND, runs),
        )

    assert {await one.read(run) for run in runs} <= {b"one", b"two", b"", None}


@pytest.mark.postgres
async def test_who_waits_for_a_run_holds_none_that_comes_after_it(postgres):
    """Two groups go up through the runs; the first has passed one that was forgotten since."""
    one, two = SqlTestData(postgres), SqlTestData(postgres)
    await one.create("a", b"", NOON)

    async with _written_elsewhere(postgres, "b") as b, _written_elsewhere(postgres, "c") as c:
        first = _replacing(one, b"one", "abd")
        await until_waiting(postgres)  # for b; it has seen that there is an a
        await two.forget(NOON + SECOND, ["a"])
        second = _replacing(two, b"two", "acd")
        await until_waiting(postgres, 2)  # the second for c; it has added a
        await b.rollback()
        await until_waiting(postgres, pattern="%DO UPDATE%")  # the first for a
        await c.rollback()
        await asyncio.wait_for(asyncio.gather(first, second), 60)

    assert [await one.read(run) for run in "abcd"] == [b"one", b"one", b"two", b"two"]


def _replacing(data: SqlTestData, content: bytes, runs: str) -> asyncio.Future[list[None]]:
    return asyncio.gather(*(data.replace(run, content, NOON) for run in runs))


def _written_elsewhere(postgres, run):
    """Hold a run that another process is writing; give the transaction that does."""
    return elsewhere(postgres, insert(test_data), {"run": run, "content": b"", "written_at": NOON})
