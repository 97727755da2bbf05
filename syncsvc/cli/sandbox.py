"""`syncsvc sandbox`: the outside world in a box."""

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    app.command()(sandbox)


def sandbox(
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of Test IT.")] = 8090,
    token: Annotated[
        str, typer.Option(envvar="SYNCSVC_SANDBOX_TOKEN", help="Private token it takes.")
    ] = "sandbox",  # noqa: S107 - a toy's token, told to everybody
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Play Test IT over real HTTP, with faults on demand: for demos, tests and trials."""
    from syncsvc.sandbox.cli import run

    run(host, port, token, as_json)
