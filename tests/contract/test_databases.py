"""What a database refuses, and how it says so."""

import asyncio
from functools import partial

import pytest
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from syncsvc.errors import Rejected, Unavailable
from syncsvc.stores.sql.tables import runs, test_data
from tests.support.builders import NOON


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request):
    return request.getfixturevalue(request.param)


@pytest.mark.postgres
async def test_a_text_with_nul_is_refused_by_postgresql_in_our_words(postgres):
    query = select(runs.c.id).where(runs.c.id == "a\0b")

    with pytest.raises(Rejected, match="expected text without NUL"):
        await postgres.read(lambda connection: connection.execute(query))


async def test_a_text_with_nul_is_nowhere_in_sqlite(sqlite):
    query = select(runs.c.id).where(runs.c.id == "a\0b")

    assert await sqlite.read(lambda connection: connection.scalar(query)) is None


async def test_an_error_of_a_database_shows_no_values(database):
    broken = text("SELECT :secret FROM nowhere").bindparams(secret="hush")

    with pytest.raises((DBAPIError, Unavailable)) as raised:
        await database.read(lambda connection: connection.execute(broken))

    assert "hush" not in f"{raised.value} {raised.value.__cause__}"


@pytest.mark.postgres
async def test_of_two_that_wait_for_each_other_one_is_told_to_come_again(postgres):
    rows = [{"run": run, "content": b"", "written_at": NOON} for run in "ab"]
    await postgres.write(lambda connection: connection.execute(insert(test_data), rows))
    each_has_one = asyncio.Barrier(2)

    answers = await asyncio.gather(
        postgres.write(partial(_changed_in_turn, "ab", each_has_one)),
        postgres.write(partial(_changed_in_turn, "ba", each_has_one)),
        return_exceptions=True,
    )

    (refused,) = [answer for answer in answers if answer is not None]
    assert isinstance(refused, Unavailable)
    assert "waited for each other" in str(refused)


def _changed_in_turn(runs: str, each_has_one: asyncio.Barrier, connection: Connection) -> None:
    first, second = (update(test_data).where(test_data.c.run == run) for run in runs)
    connection.execute(first.values(content=b"1"))
    await_only(asyncio.wait_for(each_has_one.wait(), 60))
    connection.execute(second.values(content=b"2"))
