"""`syncsvc topic`: what the workers of a run tell each other, in order."""

from typing import Annotated

import typer

from syncsvc.cli.coordination.options import CODES, DEFAULT_SERVER, AsJson, RunName, Server, group

app = group("Topics: published to by any worker, read from any place on.")

Name = Annotated[str, typer.Argument(help="The topic.")]


@app.command(epilog=CODES)
def publish(
    name: Name,
    value: Annotated[str, typer.Argument(help="JSON, or any text; - reads stdin, @FILE a file.")],
    text: Annotated[bool, typer.Option("--text", help="It is text, even if it is JSON.")] = False,
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Publish, and print the offset."""
    from syncsvc.cli.coordination.asking import Where, ask, read_value, show

    found = read_value(value, as_text=text)
    offset = ask(Where(server, run), lambda there: there.topic(name).publish(found))
    show({"name": name, "offset": offset}, str(offset), as_json=as_json)


@app.command(epilog=CODES)
def read(
    name: Name,
    after: Annotated[int, typer.Option(min=0, help="Only what has a larger offset.")] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Print what was published, a line each; --json adds offsets and times."""
    from syncsvc.cli.coordination.asking import Where, ask, show, shown
    from syncsvc.client import Run

    async def read_all(there: Run) -> None:
        async for entry in there.topic(name).read(after, follow=follow):
            show(entry, shown(entry.payload), as_json=as_json)

    ask(Where(server, run), read_all)
