"""`syncsvc presence`: who is there."""

from syncsvc.cli.coordination.options import CODES, DEFAULT_SERVER, AsJson, RunName, Server, group

app = group("Who is present in a run.")


@app.callback()
def presence() -> None:
    pass


@app.command("list", epilog=CODES)
def list_workers(
    run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Print the workers that are present, and what they say about themselves."""
    from syncsvc.cli.coordination.asking import Where, ask, show, shown

    workers = ask(Where(server, run), lambda there: there.workers())
    lines = [
        each.worker if each.about is None else f"{each.worker}  {shown(each.about)}"
        for each in workers
    ]
    show(workers, "\n".join(lines) or "nobody", as_json=as_json)
