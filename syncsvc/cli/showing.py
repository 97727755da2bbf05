"""How results look on a terminal, and as JSON."""

from collections.abc import Sequence

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from syncsvc.gateway.views import ResultView
from syncsvc.results.ledger import AnyEntry


def show_results(entries: Sequence[AnyEntry], *, as_json: bool) -> None:
    """Print a table, or a JSON array."""
    views = [ResultView.of(entry) for entry in entries]
    if as_json:
        typer.echo(msgspec.json.encode(views).decode())
    elif not views:
        typer.echo("no results")
    else:
        Console().print(_table(views))


def show_result(entry: AnyEntry, *, as_json: bool) -> None:
    """Print every field of one result, a line each, or as a JSON object."""
    view = ResultView.of(entry)
    if as_json:
        typer.echo(msgspec.json.encode(view).decode())
        return
    for name, value in msgspec.to_builtins(view).items():
        typer.echo(f"{name.replace('_', ' '):<12} {'-' if value is None else value}")


def _table(views: Sequence[ResultView]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "kind", "run", "test", "status", "state", "tries", "reason"):
        table.add_column(heading, overflow="fold")
    for view in views:
        status = view.status_type or view.status_code
        tries = str(view.attempt)
        table.add_row(
            view.id,
            view.kind,
            view.run,
            view.external_id,
            status,
            view.state,
            tries,
            view.reason or "",
        )
    return table
