"""A catalogue comes into step: syncsvc beside dlt, on one sandbox, in the same run.

python -m benchmarks.catalogue [--part speed|scale|all] [--rounds 3] [--postgres URL]

speed      50 products x 20 features x 40 tests at 200, 50 and 0 ms to every answer: by a command
           and two task workers, by the task workers alone, by the command alone without Redis,
           and by dlt's REST source with ten workers, merging into SQLite; first into a fresh
           database, then again with nothing new. dlt runs in an environment of its own; each
           side has run once before, so that Python's bytecode is there, as installed packages
           have it.
scale      100, 300 and 1,000 products x 200 tests: time of a test, memory of a task worker

wall is what a user waits, from the command's start to its end; run is the sync alone. CPU is the
sum over the command, task workers and Valkey while the command ran; `-start` is without the
command's start-up, `+crew` with the start-up of task workers and Valkey. peak is how many calls
were under way at once, tests how many of them were lists of tests.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.catalogue_dlt import environment
from benchmarks.catalogue_scale import scale
from benchmarks.catalogue_speed import Race, speed, warm_up
from benchmarks.catalogue_world import World, world
from benchmarks.machine import Others, conditions

PARTS = ("speed", "scale", "all")


def main() -> int:
    wanted = _wanted()
    state = f"Valkey, {'PostgreSQL' if wanted.postgres else 'SQLite'}"
    for name, value in conditions(state).items():
        print(f"{name:12} {value}")
    more = {"SYNCSVC_DATABASE_URL": wanted.postgres} if wanted.postgres else {}
    others = Others([])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="syncsvc-bench-") as name, world(Path(name)) as sandbox:
        os.environ["PYTHONPYCACHEPREFIX"] = f"{name}/bytecode"
        if wanted.part != "scale":
            _speed(Path(name), sandbox, wanted, more)
        if wanted.part != "speed":
            scale(Path(name) / "scale", sandbox, wanted.workers, more)
    print(f"\nload after {os.getloadavg()[0]:.2f}; others kept {others.cores():.2f} cores busy")
    return 0


def _wanted() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--part", choices=PARTS, default="speed")
    parser.add_argument("--rounds", type=int, default=3, help="of each side")
    parser.add_argument("--workers", type=int, default=2, help="task workers")
    parser.add_argument("--latencies", default="200,50,0", help="in ms, with commas between")
    parser.add_argument("--without-dlt", action="store_true")
    parser.add_argument("--postgres", help="URL of a database, for our side; rows are added to it")
    return parser.parse_args()


def _speed(
    folder: Path, sandbox: World, wanted: argparse.Namespace, more: Mapping[str, str]
) -> None:
    python = None if wanted.without_dlt else environment()
    warm_up(Race(folder / "first", sandbox, python, wanted.workers, more))
    for milliseconds in map(int, wanted.latencies.split(",")):
        race = Race(folder / str(milliseconds), sandbox, python, wanted.workers, more)
        speed(race, milliseconds / 1000, wanted.rounds)


if __name__ == "__main__":
    sys.exit(main())
