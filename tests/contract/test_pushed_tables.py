"""What only the SQL homes of pushed results promise."""

import pytest
from sqlalchemy import func, inspect, select

from syncsvc.results.held.sql import SqlOutbox
from syncsvc.results.pushed.sql import SqlPushOutbox
from syncsvc.results.pushed.sql_files import LONGEST_UPLOAD, SqlFiles
from syncsvc.runs.sql import SqlRuns
from syncsvc.stores.sql.sealing import Seal
from syncsvc.stores.sql.tables import attachment_contents, attachment_pieces, metadata
from tests.support.builders import NOON, SECOND, ids, push, run


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
async def pushed(database) -> SqlPushOutbox:
    await SqlRuns(database, Seal("a key")).put(run())
    outbox = SqlPushOutbox(database, ids())
    await outbox.open(push())
    return outbox


def _shape(connection) -> dict[str, tuple[dict[str, bool], set[str]]]:
    seen = inspect(connection)
    return {
        name: (
            {column["name"]: bool(column["nullable"]) for column in seen.get_columns(name)},
            {str(index["name"]) for index in seen.get_indexes(name)},
        )
        for name in metadata.tables
    }


async def test_the_migrations_make_the_tables_that_the_code_names(database):
    made = await database.read(_shape)

    assert made == {
        name: (
            {column.name: bool(column.nullable) for column in table.columns},
            {str(index.name) for index in table.indexes},
        )
        for name, table in metadata.tables.items()
    }


async def test_an_idle_run_with_a_push_is_not_forgotten_with_the_held_results(database, pushed):
    await SqlOutbox(database, ids()).forget(NOON + SECOND)

    assert await pushed.push("run") is not None


@pytest.mark.parametrize("by", ["forgetting", "the next upload"])
async def test_what_a_process_that_died_had_stored_of_a_file_is_removed(database, pushed, by):
    files = SqlFiles(database, ids("content"), 1000, 1000)
    left = {"id": "left", "size": 1000, "begun_at": NOON}
    piece = {"content_id": "left", "number": 0, "piece": b"x"}
    await database.write(lambda c: c.execute(attachment_contents.insert(), left))
    await database.write(lambda c: c.execute(attachment_pieces.insert(), piece))

    if by == "forgetting":
        await pushed.forget(NOON + SECOND)
    else:
        await files.keep("run", EMPTY, _nothing(), NOON + LONGEST_UPLOAD + SECOND)

    count = select(func.count()).select_from(attachment_pieces)
    assert await database.read(lambda c: c.scalar(count)) == 0


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing


async def _nothing():
    for piece in ():
        yield piece
