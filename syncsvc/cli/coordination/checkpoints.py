"""`syncsvc checkpoint`: wait until all have arrived."""

from typing import Annotated, Literal

import typer

from syncsvc.cli.coordination.options import (
    CODES,
    DEFAULT_SERVER,
    AsJson,
    RunName,
    Server,
    Timeout,
    Worker,
    group,
)

app = group("Meeting points of a run: wait until enough workers have arrived.")

Name = Annotated[str, typer.Argument(help="The checkpoint.")]


@app.command(epilog=CODES)
def wait(
    name: Name,
    count: Annotated[int, typer.Option("--count", min=1, help="How many have to arrive.")],
    timeout: Timeout = "60s",
    policy: Annotated[
        Literal["ignore", "fail", "shrink"],
        typer.Option(help="What the death of one that arrived does to the others."),
    ] = "ignore",
    cyclic: Annotated[
        bool, typer.Option("--cyclic", help="Meet again and again under this name.")
    ] = False,
    together: Annotated[
        bool, typer.Option("--together", help="Return at the moment that is the same for all.")
    ] = False,
    run: RunName = "default",
    worker: Worker = None,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Arrive, and wait until all have; on a terminal says who is missing."""
    from syncsvc.cli.coordination.asking import Where, ask, span
    from syncsvc.cli.coordination.meeting import Wish, meet

    wish = Wish(name, count, span("--timeout", timeout), policy, cyclic=cyclic)
    ask(
        Where(server, run, worker, attend=True),
        lambda there: meet(there, wish, together, as_json=as_json),
    )


@app.command(epilog=CODES)
def status(
    name: Name, run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Say who has arrived and who is missing."""
    from syncsvc.cli.coordination.asking import Where, ask, show
    from syncsvc.cli.coordination.meeting import standing

    found = ask(Where(server, run), lambda there: there.checkpoint(name).status())
    show(found, standing(found), as_json=as_json)


@app.command(epilog=CODES)
def abort(
    name: Name,
    reason: Annotated[str, typer.Option(help="Told to all who wait.")],
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """End it for all who wait or come, until it is reset."""
    from syncsvc.cli.coordination.asking import Where, ask, show

    ask(Where(server, run), lambda there: there.checkpoint(name).abort(reason))
    show({"name": name, "aborted": reason}, f"{name}: aborted: {reason}", as_json=as_json)


@app.command(epilog=CODES)
def leave(
    name: Name,
    worker: Annotated[str, typer.Option(envvar="SYNCSVC_WORKER", help="Who had arrived.")],
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Take a worker's arrival back."""
    from syncsvc.cli.coordination.asking import Where, ask, show

    ask(Where(server, run, worker), lambda there: there.checkpoint(name).leave())
    show({"name": name, "left": worker}, f"{name}: {worker} has left", as_json=as_json)


@app.command(epilog=CODES)
def reset(
    name: Name, run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Begin a new generation; whoever waits is told that it was aborted."""
    from syncsvc.cli.coordination.asking import Where, ask, show

    ask(Where(server, run), lambda there: there.checkpoint(name).reset())
    show({"name": name, "reset": True}, f"{name}: reset", as_json=as_json)
