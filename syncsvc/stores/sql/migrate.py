"""Brings a database to the tables of this release; running it twice changes nothing."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from syncsvc.errors import Rejected
from syncsvc.stores.sql.database import Database

ADVISORY_LOCK = 7_365_923  # any number, the same in every process that migrates


def newest() -> str:
    """Name the revision that this release needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise Rejected("this installation has no migrations: install the package again")
    return head


async def current(database: Database) -> str | None:
    """Name the revision that the database is at; None when it is empty.

    Raises Unavailable when the database cannot be reached.
    """
    return await database.read(
        lambda connection: MigrationContext.configure(connection).get_current_revision()
    )


async def migrate(database: Database) -> str:
    """Run what is missing, one process at a time, and name the revision reached.

    Raises Unavailable when the database cannot be reached.
    """
    await database.write(_upgrade)
    return newest()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
