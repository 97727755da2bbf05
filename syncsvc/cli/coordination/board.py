"""`syncsvc data`: what the workers of a run leave for each other."""

from typing import Annotated

import typer

from syncsvc.cli.coordination.options import (
    CODES,
    DEFAULT_SERVER,
    AsJson,
    RunName,
    Server,
    Worker,
    group,
)

app = group("Data that the workers of a run share, by key, with versions.")

Key = Annotated[str, typer.Argument(help="Its name.")]
IfVersion = Annotated[
    int | None, typer.Option(min=0, help="Only if this is its version; 0: if it is not there.")
]
Fence = Annotated[
    str | None,
    typer.Option(
        help="leader/NAME or lock/NAME: only if SYNCSVC_FENCING_TOKEN is its newest token."
    ),
]


@app.command(epilog=CODES)
def get(
    key: Key, run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Print a value: text as it is, anything else as JSON; --json adds its version and writer."""
    from syncsvc.cli.coordination.asking import Where, ask, show, shown

    item = ask(Where(server, run), lambda there: there.data.get(key))
    show(item, shown(item.value), as_json=as_json)


@app.command(epilog=CODES)
def put(
    key: Key,
    value: Annotated[str, typer.Argument(help="JSON, or any text; - reads stdin, @FILE a file.")],
    text: Annotated[bool, typer.Option("--text", help="It is text, even if it is JSON.")] = False,
    if_version: IfVersion = None,
    ttl: Annotated[str | None, typer.Option(help="Forget it after this, such as 10m.")] = None,
    fence: Fence = None,
    run: RunName = "default",
    worker: Worker = None,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Write a value, and print its version."""
    from syncsvc.cli.coordination.asking import Where, ask, read_value, show, span
    from syncsvc.cli.coordination.fencing import fence_of

    found = read_value(value, as_text=text)
    lasts = None if ttl is None else span("--ttl", ttl)
    fenced = fence_of(fence)
    version = ask(
        Where(server, run, worker),
        lambda there: there.data.put(key, found, version=if_version, ttl=lasts, fence=fenced),
    )
    show({"name": key, "version": version}, str(version), as_json=as_json)


@app.command(epilog=CODES)
def delete(
    key: Key,
    if_version: IfVersion = None,
    fence: Fence = None,
    run: RunName = "default",
    worker: Worker = None,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Remove a value, and print the version of its absence."""
    from syncsvc.cli.coordination.asking import Where, ask, show
    from syncsvc.cli.coordination.fencing import fence_of

    fenced = fence_of(fence)
    version = ask(
        Where(server, run, worker),
        lambda there: there.data.delete(key, version=if_version, fence=fenced),
    )
    show({"name": key, "version": version}, str(version), as_json=as_json)


@app.command("list", epilog=CODES)
def list_keys(
    prefix: Annotated[str, typer.Argument(help="Only keys that begin so.")] = "",
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Print the keys, with versions and writers."""
    from syncsvc.cli.coordination.asking import Where, ask, show

    listed = ask(Where(server, run), lambda there: there.data.list(prefix))
    lines = [f"{each.name}  {each.version}  {each.worker or '-'}" for each in listed]
    if lines or as_json:
        show(listed, "\n".join(lines), as_json=as_json)


@app.command(epilog=CODES)
def watch(
    key: Key,
    after: Annotated[int, typer.Option(min=0, help="Only what is newer than this version.")] = 0,
    once: Annotated[bool, typer.Option("--once", help="End after one change.")] = False,
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Print what becomes of a key, until Ctrl-C."""
    from syncsvc.cli.coordination.asking import Where, ask, show, shown
    from syncsvc.client import Run

    async def follow(there: Run) -> None:
        async for change in there.data.watch(key, after):
            what = "(deleted)" if change.deleted else shown(change.value)
            show(change, f"{change.version}  {what}", as_json=as_json)
            if once:
                return

    ask(Where(server, run), follow)
