"""How stuck results look on a terminal, and as JSON."""

from collections.abc import Sequence
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from syncsvc.results.held.stuck import Outcome, Stuck


def show_stuck(found: Sequence[Stuck], *, as_json: bool, err: bool = False) -> None:
    """Print a table, or a JSON array."""
    if as_json:
        typer.echo(msgspec.json.encode([_view(each) for each in found]).decode())
        return
    if not found:
        typer.echo("nothing is in progress")
        return
    headings = ("result", "test", "since", "test point", "workers", "known of it")
    table = _table(headings)
    for each in found:
        result = each.result
        point = result.test_point_id if result.is_bound else None
        table.add_row(
            result.id,
            result.external_id,
            result.created_at,
            point or "-",
            str(len(each.workers)),
            each.known,
        )
    Console(stderr=err).print(table)


def show_outcomes(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print what became of each, a line or a JSON object each."""
    if as_json:
        views = [
            {**_view(each.stuck), "fixed": each.status, "why": each.reason} for each in outcomes
        ]
        typer.echo(msgspec.json.encode(views).decode())
        return
    for each in outcomes:
        became = each.status or "left in progress"
        typer.echo(
            f"{each.stuck.result.id}  {each.stuck.result.external_id}  {became}: {each.reason}"
        )


def _view(stuck: Stuck) -> dict[str, Any]:
    result = stuck.result
    return {
        "result": result.id,
        "external_id": result.external_id,
        "since": result.created_at,
        "test_point": result.test_point_id if result.is_bound else None,
        "entry": stuck.entry.id if stuck.entry else None,
        "state": stuck.entry.state if stuck.entry else None,
        "pushed_as": result.pushed_as,
        "workers": [worker.name for worker in stuck.workers],
        "known": stuck.known,
    }


def _table(headings: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
