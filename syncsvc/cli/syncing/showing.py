"""How a sync looks on a terminal, and as JSON: its end, one in all its parts, a rehearsal."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import typer

from syncsvc.catalogue.model import Counts, RunStatus, SyncPhase, SyncResult, SyncRun, UnitState
from syncsvc.catalogue.rehearsal import Rehearsal
from syncsvc.cli.plain import as_json_line, moment, show_table, table
from syncsvc.cli.syncing.telling import CALLED, changes
from syncsvc.gateway.sync_views import SyncRunDetails, SyncRunView, UnitView

MOST_SHOWN = 20  # warnings, errors and units of one kind
GO_ON = "what it stored is kept: 'syncsvc sync run' goes on from there"
HINTS = {
    RunStatus.PARTIAL: "all else is in step; 'syncsvc sync run' tries again what failed",
    RunStatus.CANCELLED: GO_ON,
    RunStatus.ABANDONED: GO_ON,
}


def result(found: SyncResult, *, as_json: bool) -> None:
    """Say what came of a sync: the last line says how long it took."""
    if as_json:
        as_json_line(_result_as_json(found))
        return
    _tell_what_is_wrong(found)
    for phase in SyncPhase:
        if phase in found.stats:
            typer.echo(f"{CALLED[phase]:<9} {changes(found.stats[phase])}")
    joined = " (begun by somebody else)" if found.joined else ""
    calls = _total(found).calls
    typer.echo(
        f"sync {found.run_id}{joined}: {found.status} in {found.duration_seconds:.1f} s, "
        f"{calls} {'call' if calls == 1 else 'calls'}"
    )


def left(found: SyncResult | None, *, as_json: bool) -> None:
    """Say what becomes of a sync that this process was made to leave; None: it had none yet."""
    if found is None:
        typer.echo("interrupted: nothing was begun", err=True)
        return
    if as_json:
        as_json_line(_result_as_json(found))
    if found.status.is_over:
        done = changes(_total(found))
        told = f"is {found.status} after {found.duration_seconds:.1f} s ({done}); {GO_ON}"
    else:
        told = "goes on without this process; end it with 'syncsvc sync cancel'"
    typer.echo(f"interrupted: sync {found.run_id} {told}", err=True)


def rehearsal(found: Rehearsal, *, as_json: bool) -> None:
    """Say what a sync would do."""
    if as_json:
        as_json_line(msgspec.to_builtins(found))
        return
    rows = table("product", "name", "known tests", "would be", "calls")
    for each in found.products:
        numbers = str(each.product_id), str(each.known_tests), str(each.calls)
        rows.add_row(numbers[0], each.name, numbers[1], each.action, numbers[2])
        if each.problem is not None:
            typer.echo(f"warning: product {each.product_id}: {each.problem}", err=True)
    if found.products:
        show_table(rows)
    typer.echo(
        f"would sync {len(found.products)} products with about {found.calls} calls; "
        f"{found.spent} were made to find this out, and nothing was written"
    )


def details(found: SyncRunDetails, *, as_json: bool) -> None:
    """Show one sync: its phases, the units that failed or are under way, and its history."""
    if as_json:
        as_json_line(msgspec.to_builtins(found))
        return
    run = found.run
    typer.echo(f"sync {run.id} of {run.customer}: {run.status}, {run.duration_seconds:.1f} s")
    rows = table("phase", "planned", "done", "failed", "new", "changed", "deleted", "calls")
    for phase in found.phases:
        counts = phase.counts
        numbers = (phase.planned, phase.done, phase.failed, counts.created, counts.updated)
        cells = (*numbers, counts.deleted, counts.calls)
        rows.add_row(phase.phase, *(str(cell) for cell in cells))
    show_table(rows)
    for state in (UnitState.FAILED, UnitState.OPEN):
        for line in _few([_unit(unit) for unit in found.units if unit.state == state]):
            typer.echo(f"{state}: {line}")
    for event in found.events:
        typer.echo(f"{moment(event.at)}  {event.kind:<16} {event.message}")


def run(found: SyncRun, *, as_json: bool, told: str) -> None:
    if as_json:
        as_json_line(msgspec.to_builtins(SyncRunView.of(found, datetime.now(UTC))))
    else:
        typer.echo(told)


def _tell_what_is_wrong(found: SyncResult) -> None:
    told = [f"warning: {each}" for each in _few(found.warnings)]
    told += [f"error: {each}" for each in _few(found.errors)]
    if _total(found).quarantined:
        told.append("what is quarantined: syncsvc sync quarantine list")
    if found.status in HINTS:
        told.append(HINTS[found.status])
    for line in told:
        typer.echo(line, err=True)


def _total(found: SyncResult) -> Counts:
    return found.stats.get("total", Counts())


def _unit(unit: UnitView) -> str:
    of = "" if unit.product_id is None else f" of product {unit.product_id}"
    error = "" if unit.error is None else f": {unit.error}"
    return f"{unit.phase}{of}{error}"


def _result_as_json(found: SyncResult) -> dict[str, Any]:
    return {
        "run_id": found.run_id,
        "customer": found.customer,
        "status": str(found.status),
        "duration_seconds": found.duration_seconds,
        "phases_completed": [str(phase) for phase in found.phases_completed],
        "stats": {str(name): counts.as_dict() for name, counts in found.stats.items()},
        "warnings": list(found.warnings),
        "errors": list(found.errors),
        "error_class": found.error_class,
        "joined": found.joined,
    }


def _few(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], *([f"and {more} more; --json has all"] if more > 0 else [])]
