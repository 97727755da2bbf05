"""`syncsvc k6 job`: whether load tests are looked at by themselves, and how often."""

from typing import Annotated

import typer

from syncsvc.cli.loadtests.options import AsJson

app = typer.Typer(
    help="The sync job, which looks at load tests by itself: one for all processes.\n\n"
    "Example: syncsvc k6 job status; syncsvc k6 job start --interval 15",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Interval = Annotated[
    str | None, typer.Option("--interval", help="Seconds between cycles: 5 to 300.")
]


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the sync job runs, how often, and when the next cycle is due.

    Example: syncsvc k6 job status
    """
    from syncsvc.cli.loadtests import jobs
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        jobs.status(as_json=as_json)


@app.command()
def start(interval: Interval = None, as_json: AsJson = False) -> None:
    """Start the sync job, for every process and for good; the first cycle is due at once.

    One that runs takes the new interval, if one is named.

    Example: syncsvc k6 job start --interval 15
    """
    from syncsvc.cli.loadtests import jobs, reading
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        jobs.start(reading.interval(interval), as_json=as_json)


@app.command()
def restart(interval: Interval = None, as_json: AsJson = False) -> None:
    """Start the sync job anew; without --interval with that of the settings.

    Example: syncsvc k6 job restart
    """
    from syncsvc.cli.loadtests import jobs, reading
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        jobs.restart(reading.interval(interval), as_json=as_json)


@app.command()
def stop(as_json: AsJson = False) -> None:
    """Stop the sync job; a cycle that runs goes on to its end.

    Example: syncsvc k6 job stop
    """
    from syncsvc.cli.loadtests import jobs
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        jobs.stop(as_json=as_json)
