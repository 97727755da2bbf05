"""`syncsvc run`: create a run in Test IT, look at it, and complete it."""

from pathlib import Path
from typing import Annotated

import typer

from syncsvc.cli.pushing.options import (
    CODES,
    DEFAULT_API,
    Api,
    AsJson,
    Links,
    Name,
    Project,
    Tags,
    Timeout,
    canonical_id,
)

app = typer.Typer(
    help="Runs in Test IT: create one, push results to it from many jobs, complete it.\n\n"
    "Example: RUN=$(syncsvc run create --name nightly); "
    "syncsvc results push junit.xml --run $RUN; syncsvc run attach $RUN build/logs; "
    "syncsvc run complete $RUN --wait",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RunId = Annotated[
    str,
    typer.Argument(
        envvar="TMS_TEST_RUN_ID",
        metavar="RUN",
        help="Its id in Test IT.",
        callback=canonical_id,
    ),
]


@app.command(epilog=CODES)
def create(
    name: Name = None,
    project: Project = None,
    tag: Tags = None,
    link: Links = None,
    description: Annotated[str | None, typer.Option(help="Of the new run.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the id to this file as well.", dir_okay=False)
    ] = None,
    timeout: Timeout = "60s",
    api: Api = DEFAULT_API,
    as_json: AsJson = False,
) -> None:
    """Create a run in Test IT and print its id, for many jobs to push to.

    Example: RUN=$(syncsvc run create --name nightly --tag smoke)
    """
    from syncsvc.cli.pushing import runs
    from syncsvc.cli.pushing.asking import one_line, span
    from syncsvc.cli.pushing.gateway import reached
    from syncsvc.cli.pushing.options import links_of, tags_of

    new = runs.NewRun(project, name, description, tags_of(tag), links_of(link))
    with one_line(), reached(api, span("--timeout", timeout)) as gateway:
        run_id = runs.create(gateway, new)
    _print(run_id if not as_json else {"id": run_id}, as_json=as_json)
    if output is not None:
        _write(output, run_id)


@app.command(epilog=CODES)
def complete(
    run: RunId,
    wait: Annotated[bool, typer.Option("--wait", help="Until all is delivered.")] = False,
    timeout: Timeout = "10m",
    api: Api = DEFAULT_API,
    as_json: AsJson = False,
) -> None:
    """Say that no more results come: the run ends once all it has are delivered.

    With --wait all results of the run are judged, whoever pushed them.

    Example: syncsvc run complete $RUN --wait --timeout 10m
    """
    from syncsvc.cli.pushing import runs
    from syncsvc.cli.pushing.asking import one_line, span
    from syncsvc.cli.pushing.gateway import reached
    from syncsvc.cli.pushing.telling import teller
    from syncsvc.cli.pushing.verdict import Verdict
    from syncsvc.cli.pushing.waiting import Listing
    from syncsvc.cli.pushing.waiting import wait as wait_for

    with one_line(), reached(api, span("--timeout", timeout)) as gateway:
        pushed = runs.complete(gateway, run)
        if not wait:
            _print(pushed if as_json else f"run {run}: ends once all is delivered", as_json=as_json)
            return
        with teller(quiet=as_json) as telling:
            listing = Listing(gateway, run)
            verdict = Verdict.of(listing, wait_for(listing, telling, complete=True))
    if as_json:
        _print({"run": run, **verdict.as_json()}, as_json=True)
    else:
        typer.echo(verdict.told, err=not verdict.ok)
    raise typer.Exit(0 if verdict.ok else 1)


@app.command(epilog=CODES)
def attach(
    run: RunId,
    files: Annotated[
        list[Path], typer.Argument(help="Files, or folders of files.", exists=True, metavar="FILE")
    ],
    project: Project = None,
    timeout: Timeout = "10m",
    api: Api = DEFAULT_API,
    as_json: AsJson = False,
) -> None:
    """Attach files to a run itself: they are in Test IT before the run ends, or ends again.

    Example: syncsvc run attach $RUN build/logs coverage.html
    """
    from syncsvc.cli.pushing.asking import one_line, span
    from syncsvc.cli.pushing.attachments import files_of
    from syncsvc.cli.pushing.gateway import reached
    from syncsvc.cli.pushing.sending import Sender, Target

    found = files_of(files)
    with one_line(), reached(api, span("--timeout", timeout)) as gateway:
        sender = Sender(gateway, Target(run, project), lambda _sent: None)
        sender.attach(found)
    told = f"run {run}: attached when it ends: {len(found)}; see: syncsvc run show {run}"
    answer = {"run": run, "files": [str(file) for file in found], "uploaded": sender.files}
    _print(answer if as_json else told, as_json=as_json)


@app.command(epilog=CODES)
def show(
    run: RunId, timeout: Timeout = "30s", api: Api = DEFAULT_API, as_json: AsJson = False
) -> None:
    """Say how far a run is: what is held, pushed, waiting or dead, and the last error.

    Example: syncsvc run show $RUN
    """
    from syncsvc.cli.pushing import runs
    from syncsvc.cli.pushing.asking import one_line, span
    from syncsvc.cli.pushing.gateway import reached

    with one_line(), reached(api, span("--timeout", timeout)) as gateway:
        found = runs.show(gateway, run)
    _print(found if as_json else "\n".join(runs.lines(found)), as_json=as_json)


@app.command("list", epilog=CODES)
def list_runs(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    timeout: Timeout = "30s",
    api: Api = DEFAULT_API,
    as_json: AsJson = False,
) -> None:
    """List runs that the gateway knows, newest first.

    Example: syncsvc run list --limit 5
    """
    from syncsvc.cli.pushing import runs
    from syncsvc.cli.pushing.asking import one_line, span
    from syncsvc.cli.pushing.gateway import reached

    with one_line(), reached(api, span("--timeout", timeout)) as gateway:
        found = runs.newest(gateway, limit)
    shown = "\n".join(runs.line(each) for each in found) or "no runs"
    _print(found if as_json else shown, as_json=as_json)


def _print(answer: object, *, as_json: bool) -> None:
    import json

    typer.echo(json.dumps(answer) if as_json else answer)


def _write(file: Path, run_id: str) -> None:
    try:
        file.write_text(run_id)
    except OSError as error:
        typer.echo(f"syncsvc: --output {file}: {error.strerror}; the run is {run_id}", err=True)
        raise typer.Exit(1) from error
