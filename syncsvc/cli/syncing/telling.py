"""Says how far a sync is: a bar for each phase on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from syncsvc.catalogue.model import Counts, PhaseProgress, SyncPhase, SyncRun

SELDOM = 5.0  # seconds between two lines
CALLED = {
    SyncPhase.PRODUCTS: "products",
    SyncPhase.FEATURES: "features",
    SyncPhase.NEW_TESTS: "tests",
}


class Teller:
    """Hears how far it is, and knows which run it was told of."""

    def __init__(self) -> None:
        self.run_id: str | None = None

    def tell(self, run: SyncRun, phases: Sequence[PhaseProgress]) -> None:
        """Say it, if it is worth saying now."""
        self.run_id = run.id

    def say(self, line: str) -> None:
        """Say something else, once."""


class Lines(Teller):
    def __init__(self) -> None:
        super().__init__()
        self._said = ""
        self._said_at = monotonic()

    def tell(self, run: SyncRun, phases: Sequence[PhaseProgress]) -> None:
        if self.run_id is None:
            self.say(f"sync {run.id} of {run.order.customer} runs")
        super().tell(run, phases)
        line = "; ".join(_line(phase) for phase in phases if phase.planned)
        is_news = bool(line) and line != self._said and not run.status.is_over
        if is_news and monotonic() - self._said_at >= SELDOM:
            self.say(line)
            self._said = line

    def say(self, line: str) -> None:
        typer.echo(line, err=True)
        self._said_at = monotonic()


class Bars(Teller):
    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._bars: dict[SyncPhase, TaskID] = {}

    def tell(self, run: SyncRun, phases: Sequence[PhaseProgress]) -> None:
        super().tell(run, phases)
        for phase in phases:
            if phase.phase not in self._bars:
                self._bars[phase.phase] = self._progress.add_task(CALLED[phase.phase], total=None)
            self._progress.update(
                self._bars[phase.phase],
                completed=phase.done + phase.failed,
                total=phase.planned or None,
                description=f"{CALLED[phase.phase]}{_so_far(phase)}",
            )

    def say(self, line: str) -> None:
        self._progress.console.print(line, highlight=False, soft_wrap=True)


@contextmanager
def teller(*, quiet: bool) -> Iterator[Teller]:
    """Give who tells on stderr."""
    if quiet:
        yield Teller()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        columns = (
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            yield Bars(progress)


def changes(counts: Counts) -> str:
    """Say in words what was changed."""
    words = {
        "new": counts.created,
        "changed": counts.updated,
        "unchanged": counts.unchanged,
        "deleted": counts.deleted,
        "quarantined": counts.quarantined,
    }
    return ", ".join(f"{count} {word}" for word, count in words.items() if count) or "nothing"


def _line(phase: PhaseProgress) -> str:
    return f"{CALLED[phase.phase]} {phase.done + phase.failed}/{phase.planned}{_so_far(phase)}"


def _so_far(phase: PhaseProgress) -> str:
    """Say what a phase has done, if it has done anything."""
    failed = f", {phase.failed} failed" if phase.failed else ""
    done = changes(phase.counts)
    return failed + ("" if done == "nothing" else f" ({done})")
