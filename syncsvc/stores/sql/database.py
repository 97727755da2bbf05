"""One database, SQLite or PostgreSQL, with the same promises from both.

What is to be done is a plain function of a connection. PostgreSQL runs it on the event loop,
through asyncpg; SQLite runs it in a thread, whole, because one hop a transaction costs half
of one hop a statement (docs/adr/0004). A database that cannot be reached, or stays busy, is
Unavailable.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import ConnectionPoolEntry

from syncsvc.errors import Rejected, Unavailable
from syncsvc.stores.sql.tables import runs

BUSY_SECONDS = 10  # how long a SQLite writer waits for one in another process
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
NO_SUCH_CHARACTER = "22021"  # PostgreSQL's word for a text with NUL
DEADLOCK = "40P01"  # and for two that waited for each other, of which it sent one away
ROWS_AT_ONCE = 500  # to be forgotten; keeps a transaction short for those who want to write
READERS = 4  # threads, and connections, of one process to SQLite

Answer = TypeVar("Answer")
Work = Callable[[Connection], Answer]


class Database(Protocol):
    """A pool of connections to one database."""

    is_sqlite: bool

    async def write(self, work: Work[Answer]) -> Answer:
        """Do the work in a transaction: all of it is kept, on disk, or none.

        Raises what the work raises, and Unavailable.
        """
        ...

    async def read(self, work: Work[Answer]) -> Answer:
        """Do work that only reads; it keeps nobody from writing.

        Raises what the work raises, and Unavailable.
        """
        ...

    async def close(self) -> None: ...


def open_database(url: str) -> Database:
    """Give a database; it connects when it is first used.

    Raises Rejected for a URL that names neither kind.
    """
    expected = "SYNCSVC_DATABASE_URL: expected postgresql://... or sqlite:///..."
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Rejected(expected) from error
    if parsed.get_backend_name() == "sqlite":
        return Sqlite(parsed)
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return Postgresql(parsed)
    raise Rejected(f"{expected}, found {parsed.drivername}://...")


async def ping(database: Database) -> None:
    """See that the database answers and has its tables. Raises Unavailable."""
    try:
        await database.read(lambda connection: connection.execute(select(runs.c.id).limit(1)))
    except DBAPIError as error:
        raise Unavailable("the database has no tables yet: run 'syncsvc migrate'") from error


class Sqlite:
    """SQLite in WAL mode; one writer at a time, and a commit is on disk."""

    is_sqlite = True

    def __init__(self, url: URL) -> None:
        if url.database and url.database != ":memory:":
            _make(Path(url.database).parent)
        self._engine = _sqlite_engine(url.set(drivername="sqlite"))
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite")
        self._one_writer = threading.Lock()  # to wait for it costs less than SQLite's own naps

    async def write(self, work: Work[Answer]) -> Answer:
        return await self._in_thread(lambda: self._written(work))

    async def read(self, work: Work[Answer]) -> Answer:
        return await self._in_thread(lambda: self._looked_up(work))

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    async def _in_thread(self, step: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, step)

    def _looked_up(self, work: Work[Answer]) -> Answer:
        with _translated(), self._engine.connect() as connection:
            return work(connection)

    def _written(self, work: Work[Answer]) -> Answer:
        with _translated(), self._one_writer, self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # or a later lock could fail half-way
            try:
                answer = work(connection)
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
            return answer


class Postgresql:
    """PostgreSQL through asyncpg."""

    is_sqlite = False

    def __init__(self, url: URL) -> None:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - SQLite needs none

        self._engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            hide_parameters=True,  # an error must not show results, or a token
            pool_pre_ping=True,
            pool_timeout=CONNECT_SECONDS,
            connect_args={"timeout": CONNECT_SECONDS, "command_timeout": STATEMENT_SECONDS},
        )

    async def write(self, work: Work[Answer]) -> Answer:
        with _translated():
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)

    async def read(self, work: Work[Answer]) -> Answer:
        with _translated():
            async with self._engine.connect() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Rejected(
            f"SYNCSVC_DATA_DIR: expected a folder that can be written, cannot make {folder}: "
            f"{error.strerror}"
        ) from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, NoConnectionFree, OSError) as error:
        raise Unavailable(f"the database did not serve: {_first_line(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(f"the database went away: {_first_line(error)}") from error
        state = getattr(error.orig, "sqlstate", None)
        if state == DEADLOCK:
            raise Unavailable("the database refused two that waited for each other") from error
        if state == NO_SUCH_CHARACTER:
            raise Rejected("a text: expected text without NUL, found one that has it") from error
        raise


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",  # transactions are begun by hand
        hide_parameters=True,
        pool_size=READERS,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a success reply means it is on disk
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine
