"""Everything in one command: `syncsvc up` and `syncsvc demo`."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from syncsvc.settings import Settings, load

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(demo)


def up(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="With a Test IT to play with, in place of yours.")
    ] = False,
    story: Annotated[
        bool, typer.Option("--story", help="Play a short run through it once it is ready.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Task workers.")] = 1,
    data_dir: Annotated[Path | None, typer.Option(help="Instead of SYNCSVC_DATA_DIR.")] = None,
    api_port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    sync_storage_port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    sandbox_port: Annotated[int, typer.Option(min=0, max=65535)] = 8090,
    as_json: AsJson = False,
) -> None:
    """Run everything here: embedded server, gateway, task workers, beat and Flower.

    Ctrl-C stops it within 10 seconds; a second one at once.
    """
    from syncsvc.cli.whole import Wish, run_whole

    if story and not sandbox:
        raise typer.BadParameter("--story needs --sandbox: it must not write to a real Test IT")
    settings = load(
        **_given(data_dir=data_dir, api_port=api_port, sync_storage_port=sync_storage_port)
    )
    wish = Wish(workers, story=story, as_json=as_json)
    raise typer.Exit(run_whole(settings, sandbox_port if sandbox else None, wish))


def demo(as_json: AsJson = False) -> None:
    """Play a short run on a private stack in a temporary folder: exit code 0, or 1."""
    from syncsvc.cli.whole import Wish, run_whole

    with tempfile.TemporaryDirectory(prefix="syncsvc-demo-") as folder:
        settings = private(Path(folder))
        raise typer.Exit(run_whole(settings, 0, Wish(story=True, stay=False, as_json=as_json)))


def private(folder: Path) -> Settings:
    """Give settings that touch nothing of this machine but a folder and free ports."""
    return load(
        data_dir=folder,
        database_url=None,
        redis_url=None,
        broker_url=None,
        api_host="",
        api_port=0,
        api_token=None,
        sync_storage_host="",
        sync_storage_port=0,
        quiet_period=timedelta(seconds=3),
    )


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}
