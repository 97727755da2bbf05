"""Task workers that share one record and one Redis, are killed, and start again at once.

`syncsvc up` would let one that dies often rest longer each time.
"""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any

from syncsvc.catalogue.model import SyncOptions
from syncsvc.catalogue.service import Request
from syncsvc.settings import Settings
from syncsvc.stores.sql.database import open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.telemetry import READY_FILE
from tests.cluster.catalogue.home import PLAIN, Home
from tests.support.ports import own_port
from tests.support.valkey import OwnValkey, own_valkey
from tests.support.waiting import apart, until

STARTING, STOPPING = 120, 15  # seconds
PORTS = ("api", "sync_storage", "testsync_http", "testsync_ws")
WORKER = ("worker", "--queues", "catalogue")


@dataclass
class Life:
    """A process of a crew, in its present life."""

    home: Home
    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def is_ready(self) -> bool:
        return self._ready_file.exists() and not self.is_over

    @property
    def log(self) -> Path:
        return self.home.folder / f"{self.name}.log"

    @property
    def _ready_file(self) -> Path:
        return self.home.folder / f"{self.name}.ready"

    @property
    def is_over(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def begin(self) -> None:
        self._ready_file.unlink(missing_ok=True)
        own = {READY_FILE: str(self._ready_file)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncsvc", *self.command],
                env={**self.home.environment, **own},
                stdout=log,
                stderr=log,
            )

    def end(self, how: Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(STOPPING)


@dataclass
class Crew:
    home: Home
    valkey: OwnValkey
    workers: list[Life]
    others: list[Life]

    def is_complete(self) -> None:
        """Begin those that are not there, as a supervisor does, and wait until all are."""
        until(self._is_ready, "the crew is ready", STARTING)

    def end(self) -> None:
        for life in (*self.others, *self.workers):
            life.end(SIGKILL)

    def kill(self, worker: Life) -> None:
        """Kill a task worker; another life of it begins at once."""
        worker.end(SIGKILL)
        worker.begin()

    def start(self, customer: str, options: SyncOptions = PLAIN) -> str:
        """Leave a sync to the task workers, and give the run's id."""
        request = Request(customer)
        begun = self.home.here(
            lambda syncing: syncing.syncs.start(options=options, request=request)
        )
        return begun.id

    def status(self, run_id: str) -> str:
        [(status,)] = self.look("SELECT status FROM sync_runs WHERE id = ?", run_id)
        return str(status)

    def has_ended(self, run_id: str, within: float = 120) -> str:
        """Wait for a run's end and give its status."""
        until(lambda: self.status(run_id) != "running", f"run {run_id} ends", within)
        return self.status(run_id)

    def events(self, run_id: str) -> list[str]:
        """Give what happened in a run, each event with its kind."""
        told = "SELECT kind || ': ' || message FROM sync_events WHERE run_id = ? ORDER BY id"
        return [str(row[0]) for row in self.look(told, run_id)]

    def look(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Ask the record."""
        with closing(self._database()) as database:
            return database.execute(query, values).fetchall()

    def _is_ready(self) -> bool:
        lives = (*self.others, *self.workers)
        for life in lives:
            if life.is_over:
                life.begin()
        return all(life.is_ready for life in lives)

    def _database(self) -> sqlite3.Connection:
        path = self.home.folder / "syncsvc.db"
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)


@contextmanager
def running_crew(home: Home, workers: int, *, gateway: bool = False) -> Iterator[Crew]:
    """Start so many task workers, with beat, on a Redis of their own; all end at the end."""
    home.folder.mkdir(parents=True, exist_ok=True)
    with own_valkey(home.folder) as valkey:
        ports = {f"{name}_port": own_port() for name in PORTS}
        home = Home(home.folder, {**home.settings, **ports, "redis_url": valkey.url})
        apart(_migrated(Settings(**home.settings)))
        names = [f"worker-{number}" for number in range(1, workers + 1)]
        crew = Crew(
            home,
            valkey,
            [Life(home, name, (*WORKER, "--name", name)) for name in names],
            [Life(home, name, (name,)) for name in ("beat", *["gateway"] * gateway)],
        )
        try:
            crew.is_complete()
            yield crew
        finally:
            crew.end()


async def _migrated(settings: Settings) -> None:
    database = open_database(settings.database)
    try:
        await migrate(database)
    finally:
        await database.close()
