"""Everything in one command: `syncsvc up` and `syncsvc demo`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

Port = Annotated[int | None, typer.Option(min=0, max=65535)]
WithSandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox", help="With a Test IT, TestIO and Kubernetes to play with, not yours."
    ),
]
WithStory = Annotated[
    bool, typer.Option("--story", help="Play a short run through it once it is ready.")
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Task workers.")]
Gateways = Annotated[int, typer.Option(min=1, max=64, help="Gateways, which share all ports.")]
TestsyncConfig = Annotated[
    Path | None, typer.Option(help="TestSync's configuration.json; settings win over it.")
]
DataDir = Annotated[Path | None, typer.Option(help="Instead of SYNCSVC_DATA_DIR.")]
SandboxPort = Annotated[int, typer.Option(min=0, max=65535, envvar="SYNCSVC_SANDBOX_PORT")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(demo)


def up(
    sandbox: WithSandbox = False,
    story: WithStory = False,
    workers: Workers = 1,
    gateways: Gateways = 1,
    testsync_config: TestsyncConfig = None,
    data_dir: DataDir = None,
    api_port: Port = None,
    sync_storage_port: Port = None,
    testsync_http_port: Port = None,
    testsync_ws_port: Port = None,
    sandbox_port: SandboxPort = 8090,
    as_json: AsJson = False,
) -> None:
    """Run everything here: embedded server, gateway, task workers, beat and Flower.

    Ctrl-C stops it within 10 seconds; a second one at once.
    """
    if story and not sandbox:
        raise typer.BadParameter("--story needs --sandbox: it must not write to a real Test IT")
    from syncsvc.cli.whole import Wish, run_whole
    from syncsvc.embedded.tree import Crew
    from syncsvc.settings import load
    from syncsvc.testsync_config import remarks

    chosen = {
        "testsync_config": testsync_config,
        "data_dir": data_dir,
        "api_port": api_port,
        "sync_storage_port": sync_storage_port,
        "testsync_http_port": testsync_http_port,
        "testsync_ws_port": testsync_ws_port,
    }
    settings = load(**{name: value for name, value in chosen.items() if value is not None})
    if settings.testsync_config is not None:
        for remark in remarks(settings.testsync_config):
            typer.echo(f"{settings.testsync_config}: {remark}", err=True)
        settings = settings.model_copy(update={"testsync_config": None})  # it is all in now
    wish = Wish(Crew(gateways, workers), story=story, as_json=as_json)
    raise typer.Exit(run_whole(settings, sandbox_port if sandbox else None, wish))


def demo(as_json: AsJson = False) -> None:
    """Play a short run on a private stack in a temporary folder: exit code 0, or 1."""
    from syncsvc.cli.whole import Wish, private, run_whole

    with tempfile.TemporaryDirectory(prefix="syncsvc-demo-") as folder:
        settings = private(Path(folder))
        raise typer.Exit(run_whole(settings, 0, Wish(story=True, stay=False, as_json=as_json)))
