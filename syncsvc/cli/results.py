"""`syncsvc results`: push them, see what became of them, and try dead ones again."""

import json
from typing import Annotated

import typer

from syncsvc.cli.pushing.options import (
    CODES,
    DEFAULT_API,
    Api,
    Configuration,
    Links,
    Name,
    Project,
    Tags,
    Timeout,
)
from syncsvc.cli.pushing.push_options import (
    Attachments,
    Classname,
    Complete,
    DryRun,
    IgnoreFlaky,
    Layer,
    Namespace,
    Reports,
    Separator,
    ToRun,
    Wait,
)

app = typer.Typer(
    help="Results: push reports to Test IT, list what is held or pushed, try dead ones again.\n\n"
    "Example: syncsvc results push build/reports --name nightly",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
STATES = "held, pending, delivered or dead"
KINDS = "held (by a worker's cut) or pushed"


@app.command(epilog=CODES)
def push(
    paths: Reports,
    run: ToRun = None,
    project: Project = None,
    configuration: Configuration = None,
    name: Name = None,
    tag: Tags = None,
    link: Links = None,
    separator: Separator = None,
    namespace: Namespace = None,
    classname: Classname = None,
    attachments: Attachments = None,
    layer: Layer = None,
    ignore_flaky: IgnoreFlaky = False,
    complete: Complete = False,
    wait: Wait = True,
    timeout: Timeout = "10m",
    dry_run: DryRun = False,
    api: Api = DEFAULT_API,
    as_json: AsJson = False,
) -> None:
    """Push reports to Test IT, by way of the gateway, which keeps trying until they are there.

    All reports are read before anything is sent: a broken one sends nothing and leaves no run.
    Then results are kept by the gateway, the run is completed if it is new (or with --complete),
    and the command waits until Test IT has them all. Doing it again with --run sends nothing
    twice. With --run only the results of this push are judged, not those of other jobs.

    Example: syncsvc results push junit.xml ctrf.json --name nightly --tag smoke

    Folders too: syncsvc results push build/reports --attachments build/logs

    One of many jobs: syncsvc results push junit.xml --run $RUN --no-wait
    """
    from syncsvc.cli.pushing import push as story
    from syncsvc.cli.pushing.asking import naming, one_line, span
    from syncsvc.cli.pushing.attachments import files_of
    from syncsvc.cli.pushing.options import links_of, tags_of
    from syncsvc.cli.pushing.runs import NewRun

    wish = story.Wish(
        paths,
        naming(separator, namespace, classname, layer, ignore_flaky=ignore_flaky),
        files_of(attachments or []),
        run,
        NewRun(project, name, None, tags_of(tag), links_of(link)),
        configuration,
        complete,
        wait,
        span("--timeout", timeout),
        as_json,
    )
    with one_line():
        if dry_run:
            story.rehearse(wish)
        else:
            raise typer.Exit(story.push(wish, api))


@app.command("list")
def list_results(
    dead: Annotated[bool, typer.Option("--dead", help="Only what somebody must look at.")] = False,
    state: Annotated[str | None, typer.Option(help=f"Only {STATES}.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"Only {KINDS}.")] = None,
    run: Annotated[str | None, typer.Option(help="Only of this run (its id in Test IT).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    before: Annotated[
        str | None, typer.Option(help="Continue after this id, the last of the page before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List results, newest first: what waits, what is delivered, what is dead and why.

    Example: syncsvc results list --dead --run $RUN
    """
    from syncsvc.cli.asking import ask, kind_named, state_named
    from syncsvc.cli.showing import show_results
    from syncsvc.results.held.ports import Filter

    which = Filter(state_named("dead" if dead else state), run, limit, before)
    wanted = kind_named(kind)
    entries = ask(lambda services: services.ledger.entries(which, wanted))
    show_results(entries, as_json=as_json)


@app.command()
def show(
    result: Annotated[str, typer.Argument(help="The id that 'results list' shows.")],
    as_json: AsJson = False,
) -> None:
    """Show one result and what became of it.

    Example: syncsvc results show 019a... (an id that 'syncsvc results list' shows)
    """
    from syncsvc.cli.asking import ask
    from syncsvc.cli.showing import show_result

    show_result(ask(lambda services: services.ledger.entry(result)), as_json=as_json)


@app.command()
def retry(
    result: Annotated[str | None, typer.Argument(help="The id of a dead result.")] = None,
    run: Annotated[str | None, typer.Option(help="All that are dead in this run.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try dead results again, after their reason was removed: one, a --run's, or --all.

    Example: syncsvc results retry --run $RUN
    """
    from syncsvc.cli.asking import ask

    _check_which(result, run, every=every)
    count = ask(lambda services: services.ledger.retry(result, run))
    typer.echo(json.dumps({"retried": count}) if as_json else f"{count} will be tried again now")


@app.command()
def drop(
    result: Annotated[str | None, typer.Argument(help="The id of a dead result.")] = None,
    run: Annotated[str | None, typer.Option(help="All that are dead in this run.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove dead results for good: one, a --run's, or --all. Test IT never gets them.

    Example: syncsvc results drop --run $RUN --yes
    """
    from syncsvc.cli.agreeing import agreed
    from syncsvc.cli.asking import ask

    _check_which(result, run, every=every)
    if not yes:
        what = f"result {result}" if result else f"all dead results{f' of {run}' if run else ''}"
        if not agreed(f"Remove {what} for good?"):
            raise typer.Abort
    count = ask(lambda services: services.ledger.drop(result, run))
    typer.echo(json.dumps({"dropped": count}) if as_json else f"{count} removed")


def _check_which(result: str | None, run: str | None, *, every: bool) -> None:
    if (result is not None) + (run is not None) + every != 1:
        raise typer.BadParameter("name one RESULT, or say --all or --run RUN")
