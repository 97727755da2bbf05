"""A folder in which `syncsvc sync` keeps a catalogue, the commands that run there, and its rows."""

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from syncsvc.catalogue.model import SyncOptions, SyncResult, SyncRun, SyncScope
from syncsvc.catalogue.ports import RunFilter
from syncsvc.settings import PREFIX, Settings
from syncsvc.stores.sql.catalogue_tables import catalogue_tests
from syncsvc.stores.sql.database import open_database
from syncsvc.wiring.syncing import Syncing, open_syncing
from tests.cluster.catalogue.world import plain_environment
from tests.support.catalogue import catalogue_rows
from tests.support.waiting import apart

PATIENCE = 120  # seconds
PLAIN, EVERYTHING = SyncOptions(), SyncScope()
Answer = TypeVar("Answer")
Rows = dict[str, list[dict[str, object]]]


@dataclass(frozen=True)
class Ended:
    """What a command has said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Home:
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        named = {PREFIX + name.upper(): _spelled(value) for name, value in self.settings.items()}
        return {**plain_environment(), **named}

    def here(self, story: Callable[[Syncing], Awaitable[Answer]]) -> Answer:
        """Tell a story in this process, which costs less time than a command."""

        async def told() -> Answer:
            syncing = await open_syncing(Settings(**self.settings))
            try:
                return await story(syncing)
            finally:
                await syncing.close()

        return apart(told())

    def sync_here(self, options: SyncOptions = PLAIN, scope: SyncScope = EVERYTHING) -> SyncResult:
        """Sync in this process."""
        return self.here(lambda syncing: syncing.syncs.execute_sync(None, scope, options))

    def sync(self, *arguments: str, expect: int = 0) -> Any:
        """Run `syncsvc sync run --json`, see that it ends as expected, and give what it told."""
        ended = self.cli("run", "--json", *arguments)
        assert ended.code == expect, f"exit {ended.code}: {ended.err[-3000:]} {ended.out[-3000:]}"
        return ended.told

    def cli(self, *arguments: str, said: str | None = None) -> Ended:
        """Run a command of `syncsvc sync` to its end."""
        with self.begun(*arguments) as process:
            return ended(process, said)

    @contextmanager
    def begun(self, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
        """Begin a command of `syncsvc sync`; at the end it is not there any more."""
        with subprocess.Popen(
            [sys.executable, "-m", "syncsvc", "sync", *arguments],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def ask(self, *arguments: str) -> Any:
        """Give what a command that looks at something says in JSON."""
        ended = self.cli(*arguments, "--json")
        assert ended.code == 0, ended.err[-3000:]
        return ended.told

    def runs(self) -> Sequence[SyncRun]:
        """List the runs, newest first."""
        return self.here(lambda syncing: syncing.syncs.history(RunFilter()))

    def rows(self, customer: str = "default") -> Rows:
        """Give what readers see."""

        async def read() -> Rows:
            database = open_database(f"sqlite:///{self.folder / 'syncsvc.db'}")
            try:
                return await catalogue_rows(database, customer)
            finally:
                await database.close()

        return apart(read())

    def tests(self, customer: str = "default") -> int:
        """Count the tests that are there for readers."""
        return len(there(self.rows(customer)[catalogue_tests.name]))


def home(folder: Path, **settings: Any) -> Home:
    """Give a folder of its own to one who syncs; without `redis_url` nobody shares the work."""
    return Home(folder, {"data_dir": folder, "sync_by_itself": False, **settings})


def ended(process: "subprocess.Popen[str]", said: str | None = None) -> Ended:
    """Wait for a command's end."""
    out, err = process.communicate(said, timeout=PATIENCE)
    return Ended(process.returncode, out, err)


def there(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Leave out what is deleted."""
    return [row for row in rows if not row["deleted_at"]]


def differences(expected: Rows, found: Rows) -> dict[str, list[object]]:
    """Name the rows that are in one of two catalogues only, a few of each table."""
    apart_: dict[str, list[object]] = {}
    for table in expected.keys() | found.keys():
        ours, theirs = _comparable(expected[table]), _comparable(found[table])
        if ours != theirs:
            apart_[table] = [sorted(ours - theirs)[:3], sorted(theirs - ours)[:3]]
    return apart_


def _comparable(rows: list[dict[str, object]]) -> set[str]:
    return {str(sorted(row.items())) for row in rows}


def _spelled(value: object) -> str:
    return json.dumps(value) if isinstance(value, list) else str(value)
