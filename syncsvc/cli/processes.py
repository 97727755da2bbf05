"""The processes of a fleet, one command each; `syncsvc up` runs the same ones as a tree."""

import os
import sys
import warnings
from collections.abc import Callable, Coroutine
from typing import Annotated

import typer

Extra = Annotated[
    list[str] | None, typer.Argument(help="Options for Celery, after --.", metavar="[-- OPTIONS]")
]


def add_to(app: typer.Typer) -> None:
    app.command()(gateway)
    app.command()(worker)
    app.command()(beat)
    app.command()(flower)


def gateway() -> None:
    """Serve the API (8080) and Sync Storage (49152) until a signal comes."""
    from syncsvc import telemetry
    from syncsvc.doors import Doors
    from syncsvc.gateway.server import settle_memory
    from syncsvc.settings import load
    from syncsvc.testsync_config import remarks
    from syncsvc.wiring.gateway import Gateway

    settings, doors = load(), Doors.given(os.environ)
    telemetry.configure(settings)
    if settings.testsync_config is not None:
        for remark in remarks(settings.testsync_config):
            telemetry.get_logger(__name__).info("about testsync_config", remark=remark)

    def announce() -> None:
        telemetry.announce_ready()
        if doors is not None:
            doors.ring()

    async def serve() -> None:
        serving = Gateway.open(settings, doors)
        settle_memory()
        await serving.serve(announce)

    _run_on_uvloop(serve())


def worker(
    queues: Annotated[
        str, typer.Option(help="Queues to serve, with commas between.")
    ] = "results,catalogue,loadtests,upkeep",
    concurrency: Annotated[int, typer.Option(min=1, help="Tasks side by side.")] = 4,
    name: Annotated[str, typer.Option(help="Its name, one for each on a host.")] = "worker",
    extra: Extra = None,
) -> None:
    """Run a task worker; start as many as you like, on as many hosts."""
    node = f"{name}-{os.getpid()}@%h"
    options = ["--queues", queues, "--concurrency", str(concurrency), "--hostname", node]
    quiet = ["--without-gossip", "--without-mingle"]  # start-up chatter of the square of workers
    _celery(["worker", *options, *quiet, *(extra or [])])


def beat(extra: Extra = None) -> None:
    """Keep the timetable; a second one on another host stands by."""
    _celery(["beat", *(extra or [])])


def flower(extra: Extra = None) -> None:
    """Watch the task workers; the gateway shows it at /flower/."""
    from syncsvc.settings import load

    settings = load()
    settings.flower_socket.unlink(missing_ok=True)
    os.environ.setdefault("FLOWER_UNAUTHENTICATED_API", "true")  # only the gateway reaches it
    options = [
        f"--unix_socket={settings.flower_socket}",
        "--url_prefix=flower",
        "--max_tasks=10000",
        "--purge_offline_workers=300",
    ]
    _celery(["flower", *options, *(extra or [])])


def _celery(arguments: list[str]) -> None:
    from syncsvc.settings import load

    load().run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    sys.argv = ["celery", "--quiet", "-A", "workers.app", *arguments]
    from celery.__main__ import main
    from celery.exceptions import SecurityWarning

    # it warns root about pickled messages; ours are JSON, and containers run as root
    warnings.simplefilter("ignore", SecurityWarning)
    main()


def _run_on_uvloop(serving: Coroutine[None, None, None]) -> None:
    import asyncio
    from importlib.util import find_spec

    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if find_spec("uvloop") is not None:  # it is not there on Windows
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serving)
