"""The commands that show what k6 has measured: of one step, and of two load tests."""

from collections.abc import Sequence

import typer

from syncsvc.cli.loadtests.asking import ask
from syncsvc.cli.loadtests.naming import load_test_meant, step_meant
from syncsvc.cli.loadtests.wording import NOTHING, change, number
from syncsvc.cli.plain import as_json_line, show_table, table
from syncsvc.gateway.k6_summary_views import ComparedView, ComparisonView, SummaryView
from syncsvc.loadtests.comparing import Compared, Difference
from syncsvc.loadtests.merging import Merged
from syncsvc.loadtests.model import Step
from syncsvc.wiring.loadtests import Watch

MARKS = {True: "ok", False: "CROSSED", None: NOTHING}


def summary(name: str, step: str | None, *, as_json: bool) -> None:
    """Show the end-of-test summary over all runners of a step."""

    async def story(watch: Watch) -> tuple[Step, Sequence[Merged]]:
        found = await step_meant(watch.showing, name, step)
        return found, await watch.showing.summary(found)

    of, rows = ask(story)
    if as_json:
        as_json_line(SummaryView.of(of, rows))
    elif not rows:
        typer.echo(f"step {of.name} is {of.phase}: no summary was found in its logs ({of.logs})")
    else:
        _show_metrics([each for each in rows if each.row.threshold is None])
        _show_thresholds([each for each in rows if each.row.threshold is not None])


def compare(before: str, after: str, *, as_json: bool) -> None:
    """Compare two load tests step by step."""

    async def story(watch: Watch) -> Sequence[Compared]:
        old = await load_test_meant(watch.showing, before, "BEFORE")
        new = await load_test_meant(watch.showing, after, "AFTER")
        return await watch.showing.compared(old.test.id, new.test.id)

    found = ask(story)
    if as_json:
        as_json_line(ComparisonView([ComparedView.of(each) for each in found]))
        return
    for each in found:
        typer.echo(f"step {each.name}: {_outcome(each.before)} -> {_outcome(each.after)}")
        _show_differences(each)


def _show_metrics(rows: Sequence[Merged]) -> None:
    found = table("metric", "stat", "value", "runners", "made by")
    for each in rows:
        row = each.row
        cells = (number(row.value, row.unit), str(each.runners), str(each.how))
        found.add_row(_metric(row.metric, row.scope), row.stat, *cells)
    show_table(found, is_rigid=True)


def _show_thresholds(rows: Sequence[Merged]) -> None:
    if not rows:
        return
    typer.echo()
    found = table("threshold", "on", "", "crossed by")
    for each in rows:
        by = ", ".join(f"runner {index}" for index in each.crossed_by)
        on = _metric(each.row.metric, each.row.scope)
        found.add_row(each.row.threshold, on, MARKS[each.row.ok], by)
    show_table(found, is_rigid=True)


def _show_differences(found: Compared) -> None:
    if not found.differences:
        typer.echo("nothing to compare: a summary is missing")
        return
    rows = table("metric", "stat", "before", "after", "change")
    for each in found.differences:
        rows.add_row(_metric(each.metric, each.scope), *_cells(each))
    show_table(rows, is_rigid=True)


def _cells(each: Difference) -> Sequence[str]:
    if each.threshold is not None:
        changed = "" if each.ok_before == each.ok_after else "changed"
        return each.threshold, MARKS[each.ok_before], MARKS[each.ok_after], changed
    before, after = number(each.before, each.unit), number(each.after, each.unit)
    return each.stat, before, after, change(each.change, each.unit)


def _metric(metric: str, scope: str) -> str:
    return f"{metric} {scope}".rstrip()


def _outcome(step: Step | None) -> str:
    if step is None:
        return "none"
    return str(step.result or step.phase)
