"""Load tests are looked at: a cycle by a task worker, beside the serial way of the dashboard.

python -m benchmarks.loadtests [--steps 1000] [--runners 4] [--latency 20] [--serial 60]

A sandbox (Kubernetes with the k6-operator) answers each call so many ms late. Its TestRuns run,
each with so many runners, whose logs have 200 lines. One task worker runs the cycles:

first      every log is read from its beginning
no news    nothing has happened since: each container that runs is read on all the same
some news  a tenth of the steps has written 20 lines a runner
all ended  every TestRun has finished: the last read of each log, verdicts and summaries

The serial way looks at one step after another, with two GETs of its TestRun, a list of its pods and
the last 1,000 lines of each log; it is measured on some steps and scaled to all of them.
Beside it stands a ceiling: the same log reads over bare sockets, where nothing is kept (raw).
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.catalogue_world import world
from benchmarks.loadtests_cluster import Running
from benchmarks.loadtests_ours import Worker, worker
from benchmarks.loadtests_seed import raw, serially
from benchmarks.machine import Others, conditions

LONGEST_CYCLE, MEMORY_MB = 5.0, 200
LINES = 200  # of a log when it starts


def main() -> int:
    wanted = _wanted()
    for name, value in conditions("PostgreSQL" if wanted.postgres else "SQLite").items():
        print(f"{name:12} {value}")
    others = Others([])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="syncsvc-bench-") as name:
        folder = Path(name)
        with world(folder) as sandbox:
            running = Running(sandbox, wanted.steps, wanted.runners)
            running.start(LINES)
            running.slow_down(wanted.latency / 1000)
            with worker(folder / "ours", running, wanted.postgres) as ours:
                _ours(ours, running)
            _others(running, wanted.serial)
    print(f"\nload after {os.getloadavg()[0]:.2f}; others kept {others.cores():.2f} cores busy")
    return 0


def _ours(ours: Worker, running: Running) -> None:
    print(f"\n{running}, one task worker")
    print(
        f"{'cycle':12}{'seconds':>9}{'worker CPU':>12}{'calls':>8}{'of lists':>9}{'MB read':>9}"
        f"{'with logs':>11}{'errors':>8}{'memory MB':>11}"
    )
    slowest = 0.0
    for name, happens in (
        ("first", None),
        ("no news", None),
        ("some news", running.emit_some),
        ("no news", None),
        ("all ended", running.end_all),
        ("after it", None),
    ):
        if happens is not None:
            happens()
        cycle = ours.cycle()
        slowest = max(slowest, cycle.seconds if name in ("no news", "some news") else 0.0)
        print(
            f"{name:12}{cycle.seconds:9.2f}{cycle.cpu:12.2f}{cycle.calls:8,}{cycle.lists:9}"
            f"{cycle.megabytes:9.1f}{cycle.with_logs:11,}{cycle.errors:8}{cycle.peak_mb:11.0f}"
        )
    print(f"goal: a cycle {slowest:.2f} s <= {LONGEST_CYCLE:g} s {_met(slowest <= LONGEST_CYCLE)}")
    print(
        f"goal: memory of the task worker {ours.peak_mb():.0f} MB <= {MEMORY_MB} "
        f"{_met(ours.peak_mb() <= MEMORY_MB)}"
    )
    ours.check()


def _others(running: Running, steps: int) -> None:
    serial = serially(running, steps)
    scale = running.steps / steps
    print(
        f"\nserial way   {serial.seconds:.1f} s and {serial.calls} calls for {steps} steps: "
        f"{serial.seconds * scale:.0f} s and {serial.calls * scale:,.0f} calls for all"
    )
    ceiling = raw(running)
    print(
        f"raw reads    {ceiling.seconds:.2f} s for {ceiling.calls:,} log reads, nothing kept "
        f"(CPU {ceiling.cpu:.2f} s)"
    )


def _met(is_met: bool) -> str:  # noqa: FBT001 - it only names the two
    return "met" if is_met else "NOT MET"


def _wanted() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--runners", type=int, default=4, help="of each step")
    parser.add_argument("--latency", type=int, default=20, help="of each answer, in ms")
    parser.add_argument("--serial", type=int, default=60, help="steps for the serial way")
    parser.add_argument("--postgres", help="URL of an empty database")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
