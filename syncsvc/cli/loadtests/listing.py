"""How many load tests and many cycles look, on 80 columns and as JSON.

Ids are shown as far as they differ; commands take them so.
"""

from collections.abc import Sequence
from datetime import datetime

import typer

from syncsvc.cli.loadtests.naming import NONE_YET
from syncsvc.cli.loadtests.wording import NOTHING, few, size, span, took
from syncsvc.cli.plain import as_json_line, moment, shortened, show_table, table
from syncsvc.gateway.k6_views import CyclesView, CycleView, ListedView, LoadTestPage
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import Cycle, Which
from syncsvc.loadtests.showing import Shown


def tests(found: Sequence[Shown], which: Which, now: datetime, *, as_json: bool) -> None:
    if as_json:
        following = found[-1].test.id if len(found) == which.limit else None
        as_json_line(LoadTestPage([ListedView.of(each, now) for each in found], following))
        return
    if not found:
        typer.echo("no such load test" if _narrows(which) else NONE_YET)
        return
    short = shortened([each.test.id for each in found])
    rows = table("id", "load test", "status", "steps", "began (UTC)", "took", "")
    for each in found:
        test = each.test
        over = sum(step.is_over for step in each.steps)
        began = moment(test.started_at)[:-3] if test.started_at else NOTHING
        cells = (f"{over}/{len(each.steps)}", began, took(test, now), _remark(each.steps))
        rows.add_row(short[test.id], test.name, test.status, *cells)
    show_table(rows, is_rigid=True)
    if len(found) == which.limit:
        typer.echo(f"those before: --before {short[found[-1].test.id]}", err=True)


def cycles(found: Sequence[Cycle], *, as_json: bool) -> None:
    if as_json:
        as_json_line(CyclesView([CycleView.of(each) for each in found]))
        return
    if not found:
        typer.echo("no cycle has run yet: 'syncsvc k6 sync' runs one")
        return
    rows = table(
        "cycle", "began (UTC)", "steps", "updated", "errors", "logs", "calls", "read", "took"
    )
    for each in found:
        rows.add_row(*_cells(each))
    show_table(rows, is_rigid=True)
    for each in found:
        _tell_errors(each)


def _cells(cycle: Cycle) -> Sequence[str]:
    report = cycle.report
    began = str(cycle.fence), moment(cycle.began_at)
    if report is None:
        return (*began, *[NOTHING] * 6, "runs, or its process died")
    counts = (report.total, report.updated, report.errors, report.logs_updated, report.calls)
    return (*began, *(str(count) for count in counts), size(report.size), span(report.duration))


def _tell_errors(cycle: Cycle) -> None:
    if cycle.report is None:
        return
    errors = cycle.report.step_errors
    more = cycle.report.errors - len(errors)
    lines = few([f"{each.name}: {each.error}" for each in errors])
    for line in (*lines, *([f"and {more} more that are not kept"] if more > 0 else [])):
        typer.echo(f"cycle {cycle.fence}: {line}")


def _narrows(which: Which) -> bool:
    asked = (which.status, which.cluster, which.namespace, which.text, which.before)
    return any(each is not None for each in asked)


def _remark(steps: Sequence[Step]) -> str:
    """Say why it did not go well, and what is not as it should be, a word each."""
    words = [str(step.reason) for step in steps if step.reason is not None]
    words += ["stale" for step in steps if step.stale is not None]
    words += ["stalled" for step in steps if step.stalled is not None and not step.is_over]
    return ", ".join(dict.fromkeys(words))
