"""A module of ours as a process of its own, spoken to in lines of JSON; it may be killed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass
class Spoken:
    """The process, as seen by whoever started it."""

    name: str
    process: subprocess.Popen[str]

    def say(self, what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """Wait for a line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{self.name} ended by itself: {self.process.wait()}"
        return json.loads(line)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def spoken_to(module: str, orders: Any, log: Path) -> Iterator[Spoken]:
    """Start a module with its orders as JSON, and kill it at the end, paused or not."""
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(orders)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Spoken(log.stem, process)
        finally:
            process.kill()


def say(what: Any) -> None:
    """Print a line to whoever started this process."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
