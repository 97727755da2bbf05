"""The `syncsvc` command and its groups."""

from typing import Annotated

import typer

from syncsvc import __version__
from syncsvc.cli import (
    coordination,
    k6,
    launcher,
    processes,
    results,
    run,
    sandbox,
    setup,
    stack,
    sync,
    testit,
)

app = typer.Typer(
    name="syncsvc",
    help="Keeps distributed test runs in step.\n\n"
    "Start with 'syncsvc demo' (a story on a private stack) or 'syncsvc up' (everything, here). "
    "Settings are SYNCSVC_... variables, '.env' or 'syncsvc.toml'; 'syncsvc doctor' checks them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
stack.add_to(app)
processes.add_to(app)
setup.add_to(app)
sandbox.add_to(app)
app.add_typer(results.app, name="results")
app.add_typer(run.app, name="run")
app.add_typer(sync.app, name="sync")
app.add_typer(k6.app, name="k6")
app.add_typer(testit.app, name="testit")
app.add_typer(launcher.app, name="launcher")
coordination.add_to(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncsvc {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say which release."),
    ] = False,
) -> None:
    pass
