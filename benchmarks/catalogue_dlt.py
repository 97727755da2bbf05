"""The rival: dlt's REST source on the same sandbox, in an environment of its own."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.catalogue_ours import own_environment
from benchmarks.catalogue_sample import Sample
from benchmarks.catalogue_spent import carried_out
from benchmarks.catalogue_world import World, token
from benchmarks.machine import cpu_seconds
from tests.clients.environments import CannotInstall, python_with

PACKAGES = ("dlt[sqlalchemy]==1.31.*",)
SCRIPT = Path(__file__).parent / "rivals" / "dlt_sync.py"
TABLES = ("products", "features", "exploratory_tests")


def environment() -> Path | None:
    """Give the python that has dlt; None, said in one line, where it cannot be installed."""
    try:
        return python_with("dlt-1.31", PACKAGES)
    except CannotInstall as error:
        print(f"dlt is left out: the package index does not give {PACKAGES[0]}: {error}")
        return None


def loaded(python: Path, folder: Path, world: World, *, whole_items: bool) -> Sample:
    """Run the pipeline; in a folder that has its state it merges once more."""
    folder.mkdir(parents=True, exist_ok=True)
    world.forget()
    sandbox = cpu_seconds([world.pid])
    more = ["--whole-items"] if whole_items else []
    command = [str(python), str(SCRIPT), str(folder), world.testio, *more]
    spent = carried_out(command, {**own_environment(), "TESTIO_TOKEN": token()})
    told = json.loads(spent.output.splitlines()[-1])
    outside = cpu_seconds([world.pid]) - sandbox
    return Sample(
        wall=spent.seconds,
        run=told["seconds"],
        cpu=spent.cpu,
        starting=told["cpu_before"],
        asked=world.asked(),
        rows=_rows(folder / "catalogue.db"),
        command_mb=spent.peak_mb,
        shares={"command": spent.cpu, "and sandbox": outside},
    )


def _rows(path: Path) -> tuple[int, ...]:
    with closing(sqlite3.connect(path)) as connection:
        counts = (connection.execute(f"SELECT count(*) FROM {table}") for table in TABLES)
        return tuple(int(count.fetchone()[0]) for count in counts)
