"""What every command shows alike: JSON for machines, tables, moments, and ids cut short."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import typer
from rich.console import Console
from rich.table import Table

WIDEST = 1000  # columns
SHORTEST = 12  # signs of an id: its moment


def as_json_line(answer: object) -> None:
    typer.echo(msgspec.json.encode(answer).decode())


def table(*headings: str) -> Table:
    rows = Table(box=None, pad_edge=False)
    for heading in headings:
        rows.add_column(heading, overflow="fold")
    return rows


def show_table(rows: Table, *, is_rigid: bool = False) -> None:
    """Print it; a cell that is too long goes on below, unless it `is_rigid`."""
    natural = Console(width=WIDEST).measure(rows).maximum if is_rigid else 0
    width = max(Console().width, natural)
    Console(width=width, highlight=False, markup=False).print(rows)


def moment(at: datetime) -> str:
    """Show it to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def shortened(ids: Sequence[str]) -> Mapping[str, str]:
    """Give how each id begins, long enough to tell it from the others."""
    longest = max(map(len, ids), default=0)
    for length in range(SHORTEST, longest):
        short = {each: each[:length] for each in ids}
        if len(set(short.values())) == len(short):
            return short
    return {each: each for each in ids}
