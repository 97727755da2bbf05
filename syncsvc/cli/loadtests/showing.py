"""How one load test looks on a terminal, in all its parts: what is wrong is said in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import typer

from syncsvc.cli.loadtests.wording import NOTHING, few, many, runners, stale, took
from syncsvc.cli.plain import as_json_line, moment, show_table, table
from syncsvc.gateway.k6_summary_views import LogView
from syncsvc.gateway.k6_views import LoadTestDetails
from syncsvc.loadtests.model import LogsState, Runner, Step
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.registering import Registered
from syncsvc.loadtests.showing import Shown

MOST_RUNNERS = 50  # rows


def details(found: Shown, logs: Sequence[KeptLog], now: datetime, *, as_json: bool) -> None:
    """Show a load test: its steps, what is wrong with them, and their runners."""
    if as_json:
        told = LoadTestDetails.of(found, now)
        containers = [LogView.of(each) for each in logs]
        as_json_line({"test": told.test, "steps": told.steps, "containers": containers})
        return
    test = found.test
    typer.echo(f"load test {test.name} ({test.id}): {test.status}, {_progress(found.steps)}")
    if test.reason is not None:
        typer.echo(f"because of {test.reason}")
    began = "not begun yet"
    if test.started_at is not None:
        began = f"began {moment(test.started_at)} UTC, took {took(test, now)}"
    typer.echo(f"{began}; watched since {moment(test.created_at)} UTC")
    if test.labels:
        typer.echo("labels " + ", ".join(f"{key}={value}" for key, value in test.labels.items()))
    steps(found.steps, now)
    _show_runners(found.steps)


def outcome(found: Shown, now: datetime) -> None:
    """Show what came of steps; the last line is for the whole."""
    steps(found.steps, now)
    test = found.test
    typer.echo(f"load test {test.name} ({test.id}): {test.status}, {_progress(found.steps)}")


def steps(found: Sequence[Step], now: datetime) -> None:
    """Show steps, a row each, and below what is wrong with which."""
    places = {f"namespace {step.namespace} of cluster {step.cluster}" for step in found}
    if len(places) == 1:
        typer.echo(f"in {places.pop()}")
    rows = table("", "step", "TestRun", "phase", "result", "took", "runners", "logs")
    for step in found:
        named = f"{step.cluster}/{step.namespace}/{step.test_run}" if places else step.test_run
        result = step.result or NOTHING
        cells = (took(step, now), runners(step) or NOTHING, step.logs)
        rows.add_row(str(step.order), step.name, named, step.phase, result, *cells)
    show_table(rows)
    for line in few([line for step in found for line in troubles(step)]):
        typer.echo(line)


def troubles(step: Step) -> Iterator[str]:
    """Say what is wrong with a step, a line each; each names it."""
    if step.reason is not None:
        detail = f": {step.detail}" if step.detail else ""
        yield f"{step.name}: {step.result or step.phase}, {step.reason}{detail}"
    if step.stale is not None:
        yield f"{step.name}: {stale(step.stale)}"
    if step.stalled is not None and not step.is_over:
        yield f"{step.name}: stalled in {step.phase} since {_since(step)}: {step.stalled}"
    if step.logs_detail is not None or step.logs is LogsState.LOST:
        yield f"{step.name}: logs are {step.logs}: {step.logs_detail or 'nothing was read'}"


def registered(found: Sequence[Registered]) -> None:
    """Say what is watched now, and what of it is new; notes are told on stderr."""
    for each in found:
        count = many(len(each.steps), "step")
        new = f"{len(each.new)} new" if each.new else "all known already"
        typer.echo(f"load test {each.test.name} ({each.test.id}) is watched: {count}, {new}")
        notes(each)


def notes(found: Registered) -> None:
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)


def _progress(found: Sequence[Step]) -> str:
    over = sum(step.is_over for step in found)
    return f"{over} of {many(len(found), 'step')} over"


def _since(step: Step) -> str:
    return f"{moment(step.phase_since)} UTC"


def _show_runners(found: Sequence[Step]) -> None:
    named = [(step, step.runners[index]) for step in found for index in sorted(step.runners)]
    if not named:
        return
    rows = table("step", "runner", "state", "exit code", "reason", "ended (UTC)", "pod")
    for step, runner in named[:MOST_RUNNERS]:
        rows.add_row(step.name, *_cells(runner))
    show_table(rows)
    if len(named) > MOST_RUNNERS:
        typer.echo(f"and {len(named) - MOST_RUNNERS} more runners; --json has all")


def _cells(runner: Runner) -> Sequence[str]:
    code = NOTHING if runner.exit_code is None else str(runner.exit_code)
    ended = moment(runner.ended_at) if runner.ended_at else NOTHING
    reason = (runner.reason or NOTHING) + (", deleted" if runner.was_deleted else "")
    return str(runner.index), runner.state, code, reason, ended, runner.pod or NOTHING
