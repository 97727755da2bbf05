"""`syncsvc results`: what is held back, what is dead, and trying it again."""

import json
from typing import Annotated

import typer

app = typer.Typer(
    help="Held results: list them, look at one, try dead ones again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
STATES = "held, pending, delivered or dead"


@app.command("list")
def list_results(
    dead: Annotated[bool, typer.Option("--dead", help="Only what somebody must look at.")] = False,
    state: Annotated[str | None, typer.Option(help=f"Only {STATES}.")] = None,
    run: Annotated[str | None, typer.Option(help="Only of this run (its id in Test IT).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    before: Annotated[
        str | None, typer.Option(help="Continue after this id, the last of the page before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List held results, newest first."""
    from syncsvc.cli.asking import ask, state_named
    from syncsvc.cli.showing import show_results
    from syncsvc.results.held.ports import Filter

    which = Filter(state_named("dead" if dead else state), run, limit, before)
    entries = ask(lambda services: services.results.entries(which))
    show_results(entries, as_json=as_json)


@app.command()
def show(
    result: Annotated[str, typer.Argument(help="The id that 'results list' shows.")],
    as_json: AsJson = False,
) -> None:
    """Show one held result and what became of it."""
    from syncsvc.cli.asking import ask
    from syncsvc.cli.showing import show_result

    show_result(ask(lambda services: services.results.entry(result)), as_json=as_json)


@app.command()
def retry(
    result: Annotated[str | None, typer.Argument(help="The id of a dead result.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try dead results again, after their reason was removed; one, or --all."""
    from syncsvc.cli.asking import ask

    if (result is None) is not every:
        raise typer.BadParameter("name one RESULT, or say --all")
    count = ask(lambda services: services.results.retry(result))
    typer.echo(json.dumps({"retried": count}) if as_json else f"{count} will be tried again now")
