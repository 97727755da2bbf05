"""Says how far a push is: a bar on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

SELDOM = 5.0  # seconds between two lines


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is, in numbers of results."""

    accepted: int
    delivered: int = 0
    dead: int = 0
    expected: int = 0  # how many results there are to push; 0: nobody knows

    def __str__(self) -> str:
        dead = f", {self.dead} dead" if self.dead else ""
        return f"{self.accepted} accepted, {self.delivered} delivered{dead}"


class Teller:
    """Hears how far it is."""

    def tell(self, standing: Standing) -> None:
        """Say it, if it is worth saying now."""


class Lines(Teller):
    def __init__(self) -> None:
        self._said = ""
        self._said_at = float("-inf")

    def tell(self, standing: Standing) -> None:
        line = str(standing)
        if standing.accepted and line != self._said and monotonic() - self._said_at >= SELDOM:
            typer.echo(line, err=True)
            self._said, self._said_at = line, monotonic()


class Bar(Teller):
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, standing=Standing(0))

    def tell(self, standing: Standing) -> None:
        total = max(standing.expected, standing.accepted) or None
        done = standing.delivered + standing.dead
        self._progress.update(self._task, completed=done, total=total, standing=standing)


@contextmanager
def teller(*, quiet: bool) -> Iterator[Teller]:
    """Give who tells on stderr."""
    if quiet:
        yield Teller()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        columns = (BarColumn(), TextColumn("{task.fields[standing]}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            yield Bar(progress)
