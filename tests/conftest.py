"""Servers that tests use: an embedded Valkey always, PostgreSQL where there is one.

A PostgreSQL that is absent skips its tests here and fails them in CI.
"""

import os
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from syncsvc.embedded.valkey import configuration, find_server
from syncsvc.settings import Settings
from syncsvc.stores.sql.database import Database, open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.stores.sql.tables import metadata
from tests.support.waiting import apart, until_connects

POSTGRES = os.environ.get("SYNCSVC_TEST_POSTGRES_URL", "postgresql://localhost/postgres")


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
    connection = await asyncpg.connect(POSTGRES, timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def sqlite(tmp_path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    await migrate(database)
    yield database
    await database.close()


@pytest.fixture
async def postgres(postgres_url) -> AsyncIterator[Database]:
    database = open_database(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    await migrate(database)
    yield database
    tables = ", ".join(metadata.tables)
    await database.write(lambda connection: connection.execute(text(f"TRUNCATE {tables}")))
    await database.close()
