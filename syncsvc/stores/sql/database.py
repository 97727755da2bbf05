"""One database, SQLite or PostgreSQL, with the same promises from both.

`write()` is a transaction: all of it is kept, on disk, or none. On SQLite it takes the
write lock at once, so it cannot fail half-way for being late. `read()` holds no lock.
A database that cannot be reached, or stays busy, is Unavailable.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import event, select
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from syncsvc.errors import Rejected, Unavailable
from syncsvc.stores.sql.tables import runs

BUSY_SECONDS = 10  # how long a SQLite writer waits for another one
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30


class Database:
    """A pool of connections to one database."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is committed at the end, or undone on any error.

        Raises Unavailable when the database cannot be reached or stays busy.
        """
        with _translated():
            async with self.engine.connect() as connection:
                if self.is_sqlite:
                    async with _immediate(connection):
                        yield connection
                else:
                    async with connection.begin():
                        yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection for reading.

        Raises Unavailable when the database cannot be reached or stays busy.
        """
        with _translated():
            async with self.engine.connect() as connection:
                yield connection

    async def ping(self) -> None:
        """See that the database answers and has its tables. Raises Unavailable."""
        try:
            async with self.read() as connection:
                await connection.execute(select(runs.c.id).limit(1))
        except DBAPIError as error:
            raise Unavailable("the database has no tables yet: run 'syncsvc migrate'") from error

    async def close(self) -> None:
        await self.engine.dispose()


@asynccontextmanager
async def _immediate(connection: AsyncConnection) -> AsyncIterator[None]:
    await connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        await connection.exec_driver_sql("ROLLBACK")
        raise
    await connection.exec_driver_sql("COMMIT")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, NoConnectionFree, OSError) as error:
        raise Unavailable(f"the database did not serve: {_first_line(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(f"the database went away: {_first_line(error)}") from error
        raise


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]


def _engine(url: str) -> AsyncEngine:
    expected = "SYNCSVC_DATABASE_URL: expected postgresql://... or sqlite:///..."
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(url, parsed.database)
        if parsed.get_backend_name() == "postgresql":
            return _postgresql(url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise Rejected(expected) from error
    raise Rejected(f"{expected}, found {parsed.drivername}://...")


def _sqlite(url: str, file: str | None) -> AsyncEngine:
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_async_engine(
        url, isolation_level="AUTOCOMMIT", connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a success reply means it is on disk
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def _postgresql(url: str) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=CONNECT_SECONDS,
        connect_args={"timeout": CONNECT_SECONDS, "command_timeout": STATEMENT_SECONDS},
    )
