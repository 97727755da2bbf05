"""How many syncs, catalogues and quarantined places look, on 80 columns and as JSON.

Ids are shown as far as they differ; commands take them so.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import typer

from syncsvc.catalogue.model import SyncRun
from syncsvc.catalogue.ports import CustomerState
from syncsvc.catalogue.work import Quarantined
from syncsvc.cli.plain import SHORTEST, as_json_line, moment, shortened, show_table, table
from syncsvc.gateway.sync_views import CountsView, CustomerView, QuarantinedView, SyncRunView

NO_CUSTOMER = (
    "no customer of TestIO is configured: set SYNCSVC_TESTIO_TOKEN, or SYNCSVC_TESTIO_CUSTOMERS"
)


def status(states: Sequence[CustomerState], *, as_json: bool) -> None:
    views = [CustomerView.of(state, _now()) for state in states]
    if as_json:
        as_json_line({"customers": msgspec.to_builtins(views)})
    elif not views:
        typer.echo(NO_CUSTOMER)
    else:
        rows = table(
            "customer", "products", "features", "stories", "tests", "quarantined", "gaps", "in step"
        )
        for view in views:
            counts = (view.products, view.features, view.user_stories, view.tests)
            cells = (str(cell) for cell in (*counts, view.quarantined, view.incomplete))
            rows.add_row(view.customer, *cells, _lag(view))
        show_table(rows)
        for view in views:
            if view.running:
                typer.echo(f"{view.customer} is synced now: syncsvc sync show {view.running}")


def history(runs: Sequence[SyncRun], limit: int, *, as_json: bool) -> None:
    views = [SyncRunView.of(run, _now()) for run in runs]
    if as_json:
        as_json_line({"runs": msgspec.to_builtins(views)})
    elif not views:
        typer.echo("no such sync")
    else:
        short = shortened([view.id for view in views])
        several = len({view.customer for view in views}) > 1
        whose = ("customer",) if several else ()
        rows = table("sync", *whose, "by", "started (UTC)", "took", "status", "changes")
        for view in views:
            named = (view.customer,) if several else ()
            status = f"{view.status}: {view.error_class}" if view.error_class else view.status
            began, took = moment(view.started_at)[:-3], f"{view.duration_seconds:.1f} s"
            cells = (view.trigger, began, took, status, _changes(view.totals))
            rows.add_row(short[view.id], *named, *cells)
        show_table(rows, is_rigid=True)
        if len(views) == limit:
            typer.echo(f"those before: --before {short[views[-1].id]}", err=True)


def quarantined(places: Sequence[Quarantined], *, as_json: bool) -> None:
    views = [QuarantinedView.of(place) for place in places]
    if as_json:
        as_json_line({"places": msgspec.to_builtins(views)})
    elif not views:
        typer.echo("nothing is quarantined")
    short = shortened([view.id for view in views])
    for view in () if as_json else views:
        test = "a test" if view.test_id is None else f"test {view.test_id}"
        where = f"between {view.above or 'the top'} and {view.below or 'the end'}"
        tries = "1 try" if view.attempts == 1 else f"{view.attempts} tries"
        due = f"again from {moment(view.next_try_at)} UTC on"
        due = due if view.next_try_at > _now() else "again by the next sync"
        typer.echo(f"{short[view.id]}  {view.customer}, product {view.product_id}: {test} {where}")
        typer.echo(f"{'':{SHORTEST}}  {tries}, {due}; {view.error}")


def _changes(totals: CountsView) -> str:
    """Say what was created, updated and deleted, as short as it can be."""
    signs = (("+", totals.created), ("~", totals.updated), ("-", totals.deleted))
    return " ".join(f"{sign}{count}" for sign, count in signs if count)


def _lag(view: CustomerView) -> str:
    """Say when it was last in step."""
    return "never" if view.lag_seconds is None else f"{_span(view.lag_seconds)} ago"


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _now() -> datetime:
    return datetime.now(UTC)
