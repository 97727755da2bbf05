"""What a database refuses, and how it says so."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from syncsvc.errors import Rejected, Unavailable
from syncsvc.stores.sql.tables import runs


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
