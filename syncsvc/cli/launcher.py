"""`syncsvc launcher`: the executable that Test IT adapters start, for closed networks."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The executable that Test IT adapters look for, start and talk to: install it, stop it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
WINDOWS = "none for Windows: what runs there is an .exe, and this is a script"


@app.command()
def install(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", exists=True, file_okay=False, help="Where the tests are started."
        ),
    ],
    version: Annotated[
        list[str] | None,
        typer.Option(help="Only this one, such as v0.3.10; default: all that adapters ask for."),
    ] = None,
    all_platforms: Annotated[
        bool, typer.Option("--all-platforms", help="Not only for this machine.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the vendor's, if they are there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write it into DIR/build/.caches, under every file name that adapters look for."""
    from syncsvc.launcher import names
    from syncsvc.launcher.executable import install as write
    from syncsvc.launcher.executable import warm_up

    versions = [names.check_version(each) for each in version or names.VERSIONS]
    platforms = names.ALL if all_platforms else (names.this_platform(),)
    done = write(folder, dict.fromkeys(versions), platforms, force=force)
    warm_up()
    left_out = [WINDOWS] if all_platforms else []
    if as_json:
        found = {"folder": str(done.folder), "written": done.written, "kept": done.kept}
        typer.echo(json.dumps({**found, "left_out": left_out}))
        return
    typer.echo(f"{done.folder}: {len(done.written)} written, {len(done.kept)} were there already")
    for line in [*done.written, *left_out]:
        typer.echo(f"  {line}")


@app.command(
    hidden=True, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def run(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    run_id: Annotated[str, typer.Option("--testRunId")] = "",
    base_url: Annotated[str, typer.Option("--baseURL")] = "",
    token: Annotated[str, typer.Option("--privateToken")] = "",
) -> None:
    """Start Sync Storage in the background, unless one answers; what the executable calls."""
    import os

    from syncsvc.launcher.hiding import without_token

    if token:
        without_token(token)  # before anything that takes time
    from syncsvc.launcher.asked import Asked
    from syncsvc.launcher.executable import TOKEN
    from syncsvc.launcher.launch import launch

    asked = Asked(
        run=run_id,
        port=port,
        base_url=base_url,
        token=os.environ.get(TOKEN, ""),
        unknown=tuple(
            word.partition("=")[0] for word in context.args if word.startswith("-")
        ),  # never a value: it may be a secret
    )
    launch(asked)


@app.command()
def stop(as_json: AsJson = False) -> None:
    """Stop what an adapter has started, for SYNCSVC_DATA_DIR or the default folder."""
    from syncsvc.launcher.daemon import Place
    from syncsvc.launcher.daemon import stop as end
    from syncsvc.launcher.launch import find_data_dir

    data_dir = find_data_dir()
    pid = end(Place(data_dir))
    if as_json:
        typer.echo(json.dumps({"data_dir": str(data_dir), "stopped": pid}))
    elif pid is None:
        typer.echo(f"no daemon of the launcher runs in {data_dir}")
    else:
        typer.echo(f"stopped pid {pid} of {data_dir}")
