"""Commands of `syncsvc k6` that read what k6 wrote: logs, summaries, and two compared."""

from typing import Annotated

import typer

from syncsvc.cli.loadtests.options import (
    AsJson,
    Container,
    Follow,
    Grep,
    LinesAsJson,
    Progress,
    Raw,
    Role,
    Runner,
    Since,
)

NameOrRun = Annotated[
    str, typer.Argument(metavar="NAME", help="A load test, by name or id, or one of its TestRuns.")
]
OneStep = Annotated[
    str | None, typer.Option("--step", help="Which step, where the load test has several.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (logs, summary, compare):
        app.command()(command)


def logs(
    name: NameOrRun,
    step: OneStep = None,
    container: Container = None,
    role: Role = None,
    runner: Runner = None,
    since: Since = None,
    grep: Grep = None,
    progress: Progress = False,
    raw: Raw = False,
    follow: Follow = False,
    as_json: LinesAsJson = False,
) -> None:
    """Read the logs of a load test's step, of all its containers or of some.

    Example: syncsvc k6 logs nightly --step load --runner 2 --grep 'level=error' --since 10m

    Live: syncsvc k6 logs nightly --step load --follow
    """
    from syncsvc.cli.loadtests import logs as reader
    from syncsvc.cli.loadtests import reading
    from syncsvc.cli.loadtests.codes import one_line
    from syncsvc.loadtests.showing import WhichLines, WhichLogs
    from syncsvc.wiring.moments import now

    with one_line():
        lines = WhichLines(
            reading.since(since, now()),
            reading.pattern(grep),
            progress or reading.raw(raw=raw, as_json=as_json),
        )
        containers = WhichLogs(container, reading.role(role), runner)
        wish = reader.Wish(name, step, containers, lines, raw, as_json)
        (reader.follow if follow else reader.read)(wish)


def summary(name: NameOrRun, step: OneStep = None, as_json: AsJson = False) -> None:
    """Show what k6 measured, over all runners, and which thresholds were crossed by whom.

    Sums and weighted means are exact; of percentiles the worst runner's is shown, and called so.

    Example: syncsvc k6 summary nightly --step load
    """
    from syncsvc.cli.loadtests import summaries
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        summaries.summary(name, step, as_json=as_json)


def compare(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="A load test, by name or id.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """Compare what k6 measured in two load tests, step by step.

    Example: syncsvc k6 compare release-41 release-42
    """
    from syncsvc.cli.loadtests import summaries
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        summaries.compare(before, after, as_json=as_json)
