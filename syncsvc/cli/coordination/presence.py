"""`syncsvc presence`: who is there, and being there."""

from syncsvc.cli.coordination.options import (
    CODES,
    DEFAULT_SERVER,
    AsJson,
    RunName,
    Server,
    Worker,
    group,
)

app = group("Who is present in a run.")


@app.command("list", epilog=CODES)
def list_workers(
    run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Print the workers that are present, and what they say about themselves."""
    from syncsvc.cli.coordination.asking import Where, ask, show
    from syncsvc.cli.coordination.standing import roll

    workers = ask(Where(server, run), lambda there: there.workers())
    show(workers, roll(workers), as_json=as_json)


@app.command(epilog=CODES)
def watch(
    run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Print who is present, then again with each change, until Ctrl-C."""
    from syncsvc.cli.coordination.asking import Where, ask, show
    from syncsvc.cli.coordination.standing import roll
    from syncsvc.client import Run

    async def follow(there: Run) -> None:
        async for workers in there.watch_workers():
            show(workers, roll(workers), as_json=as_json)

    ask(Where(server, run), follow)


@app.command(epilog=CODES)
def hold(run: RunName = "default", worker: Worker = None, server: Server = DEFAULT_SERVER) -> None:
    """Be present until Ctrl-C, for a test that has no client of its own."""
    import asyncio

    import typer

    from syncsvc.cli.coordination.asking import Where, ask
    from syncsvc.client import Run

    async def stay(there: Run) -> None:
        async with there.presence():
            typer.echo(f"{there.worker} is present")
            await asyncio.Event().wait()  # Ctrl-C ends it

    ask(Where(server, run, worker, attend=True), stay)
