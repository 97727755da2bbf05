"""Servers that tests use: an embedded Valkey always, PostgreSQL where there is one.

A PostgreSQL that is absent skips its tests here and fails them in CI.
"""

import gc
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog
from sqlalchemy import Connection, text

from syncsvc.embedded.valkey import configuration, find_server
from syncsvc.settings import Settings
from syncsvc.stores.sql.database import Database, open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.stores.sql.tables import metadata

# A helper's assertion that fails tells its values, too.
pytest.register_assert_rewrite("tests.clients", "tests.cluster", "tests.support.stack")

from tests.support.waiting import apart, until_connects  # noqa: E402 - after the line above

# Processes that tests start keep their bytecode, or each would spend seconds on reading sources.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell makes what it runs in the background deaf to Ctrl-C, and so would be all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# As in the product: what draws the locals of every frame takes seconds for a traceback.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

POSTGRES = os.environ.get("SYNCSVC_TEST_POSTGRES_URL", "postgresql://localhost/postgres")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the collector from walking ten thousand tests again and again.

    It would stand everything that runs in this process still for a second, while tests measure
    how soon a gateway answers.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def absent(what: str) -> None:
    """Skip on a developer's machine, fail in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is absent, and CI must have it")
    pytest.skip(f"{what} is absent")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch, tmp_path_factory):
    """Keep the developer's own SYNCSVC_ variables out, and what tests write out of their home."""
    for name in [name for name in os.environ if name.startswith("SYNCSVC_")]:
        if not name.startswith("SYNCSVC_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """An embedded server of our own, with an empty database."""
    with tempfile.TemporaryDirectory(prefix="syncsvc-test-") as name:
        folder = Path(name)
        conf = folder / "valkey.conf"
        conf.write_text(configuration(folder, folder / "s"))
        binary = apart(find_server(Settings()))
        with subprocess.Popen([binary, conf], stdout=subprocess.DEVNULL) as server:
            until_connects(folder / "s")
            yield f"unix://{folder / 's'}?db=0"
            server.terminate()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty database in the PostgreSQL at SYNCSVC_TEST_POSTGRES_URL."""
    name = f"syncsvc_test_{uuid.uuid4().hex[:12]}"
    try:
        apart(_postgres(f"CREATE DATABASE {name}"))
    except (OSError, asyncpg.PostgresError):
        absent("PostgreSQL")
    yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    apart(_postgres(f"DROP DATABASE {name} WITH (FORCE)"))


async def _postgres(statement: str) -> None:
    connection = await asyncpg.connect(POSTGRES, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _migrated(url: str) -> None:
    database = open_database(url)
    await migrate(database)
    await database.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with its tables, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "syncsvc.db"
    apart(_migrated(f"sqlite:///{file}"))
    return file


@pytest.fixture
async def sqlite(tmp_path, migrated) -> AsyncIterator[Database]:
    shutil.copy(migrated, tmp_path / "test.db")
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    yield database
    await database.close()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url) -> str:
    """The database above, with its tables."""
    apart(_migrated(postgres_url))
    return postgres_url


@pytest.fixture
async def postgres(migrated_postgres) -> AsyncIterator[Database]:
    database = open_database(migrated_postgres.replace("postgresql://", "postgresql+asyncpg://"))
    yield database
    await database.write(_emptied)
    await database.close()


def _emptied(connection: Connection) -> None:
    """Delete all rows; on tables that are all but empty that is far quicker than to truncate."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # in any order
    statements = (f"DELETE FROM {table}" for table in metadata.tables)
    connection.execute(text(f"DO $$ BEGIN {'; '.join(statements)}; END $$"))
