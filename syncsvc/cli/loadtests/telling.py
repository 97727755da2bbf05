"""Says how steps get on: a table that changes on a terminal, a line for each news elsewhere."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from syncsvc.cli.loadtests.showing import troubles
from syncsvc.cli.loadtests.wording import NOTHING, few, runners, took
from syncsvc.cli.plain import table
from syncsvc.loadtests.model import Step

MOST_ROWS = 30


class Teller:
    """Hears how steps are; this one keeps it."""

    def tell(self, steps: Sequence[Step]) -> None:
        """Say it, if it is worth saying now."""

    def say(self, line: str) -> None:
        """Say something else, once."""
        typer.echo(line, err=True)


class Lines(Teller):
    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def tell(self, steps: Sequence[Step]) -> None:
        for step in steps:
            line = _line(step)
            if self._said.get(step.id) != line:
                self._said[step.id] = line
                self.say(line)


class Rows(Teller):
    def __init__(self, live: Live) -> None:
        self._live = live

    def tell(self, steps: Sequence[Step]) -> None:
        now = datetime.now(UTC)
        rows = table("step", "phase", "result", "took", "runners", "logs")
        for step in _worth_a_row(steps):
            cells = (took(step, now), runners(step) or NOTHING, step.logs)
            rows.add_row(Text(step.name), step.phase, step.result or NOTHING, *cells)
        over = sum(step.is_over for step in steps)
        wrong = [line for step in steps for line in troubles(step)]
        below = [Text(line) for line in (*few(wrong), f"{over} of {len(steps)} over")]
        self._live.update(Group(rows, *below))

    def say(self, line: str) -> None:
        self._live.console.print(line, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def teller(*, quiet: bool) -> Iterator[Teller]:
    """Give who tells on stderr."""
    if quiet:
        yield Teller()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        with Live(console=Console(stderr=True), transient=True) as live:
            yield Rows(live)


def _worth_a_row(steps: Sequence[Step]) -> Sequence[Step]:
    """Give as many as fit: those that are not over come first then."""
    if len(steps) <= MOST_ROWS:
        return steps
    return sorted(steps, key=lambda step: step.is_over)[:MOST_ROWS]


def _line(step: Step) -> str:
    """Say where a step is; the same words as long as nothing happens."""
    result = f" {step.result}" if step.result else ""
    at = runners(step)
    parts = [f"{step.name}: {step.phase}{result}", *([at] if at else [])]
    if step.stale is not None:
        parts.append(f"stale: {step.stale.last_error}")
    if step.stalled is not None and not step.is_over:
        parts.append(f"stalled: {step.stalled}")
    return "; ".join(parts)
