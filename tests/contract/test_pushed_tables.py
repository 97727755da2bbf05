"""What only the SQL homes of pushed results promise."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, func, inspect, select, text

from syncsvc.errors import Unavailable
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


def _differences(connection) -> list[object]:
    asked = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=asked), metadata))


async def test_migrated_columns_have_the_types_and_defaults_that_the_code_names(database):
    assert await database.read(_differences) == []


def _made(connection, schema=None) -> dict[str, list[object]]:
    """Tell all that a database says of its tables, also which rows an index holds."""
    seen = inspect(connection)
    return {name: _told(seen, name, schema) for name in metadata.tables}


def _told(seen, table, schema) -> list[object]:
    columns = [
        (each["name"], str(each["type"]), each["nullable"], each["default"])
        for each in seen.get_columns(table, schema)
    ]
    indexes = [
        (each["name"], each["column_names"], each["unique"], *map(str, _where(each)))
        for each in seen.get_indexes(table, schema)
    ]
    foreign = [
        (each["constrained_columns"], each["referred_table"], each["options"])
        for each in seen.get_foreign_keys(table, schema)
    ]
    key = seen.get_pk_constraint(table, schema)["constrained_columns"]
    return [sorted(columns), sorted(indexes), sorted(foreign, key=str), key]


def _where(index) -> list[object]:
    options = index.get("dialect_options", {})
    return [where for name, where in options.items() if name.endswith("_where")]


def _fresh_sqlite(_connection) -> dict[str, list[object]]:
    with create_engine("sqlite://").begin() as fresh:
        metadata.create_all(fresh)
        return _made(fresh)


def _fresh_postgres(connection) -> dict[str, list[object]]:
    connection.execute(text("CREATE SCHEMA fresh"))
    connection.execute(text("SET LOCAL search_path TO fresh"))
    metadata.create_all(connection, checkfirst=False)
    fresh = _made(connection, "fresh")
    connection.execute(text("DROP SCHEMA fresh CASCADE"))
    return fresh


async def test_what_the_migrations_make_is_what_the_code_would_make_at_once(database):
    fresh = _fresh_sqlite if database.is_sqlite else _fresh_postgres

    assert await database.read(_made) == await database.write(fresh)


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


async def test_a_file_that_was_given_up_just_before_its_end_is_to_be_sent_again(database, pushed):
    files = SqlFiles(database, ids("content"), 1000, 1000)

    async def slow():
        await pushed.forget(NOON + LONGEST_UPLOAD)
        async for piece in _nothing():
            yield piece

    with pytest.raises(Unavailable, match="send it again"):
        await files.keep("run", EMPTY, slow(), NOON)

    assert await files.find("run", [EMPTY]) == {}


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing


async def _nothing():
    for piece in ():
        yield piece
