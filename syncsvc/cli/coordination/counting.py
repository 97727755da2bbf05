"""`syncsvc counter` and `syncsvc signal`: how many, and waiting until they are enough."""

from typing import Annotated

import typer

from syncsvc.cli.coordination.options import (
    CODES,
    DEFAULT_SERVER,
    AsJson,
    RunName,
    Server,
    Timeout,
    group,
)

counter = group("Numbers that the workers of a run share.")
signal = group("Signals: sent a number of times, and waited for.")

Name = Annotated[str, typer.Argument(help="What it is called.")]


@counter.command(epilog=CODES)
def add(
    name: Name,
    by: Annotated[int, typer.Option("--by", help="May be less than 0.")] = 1,
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Add, and print the new value."""
    from syncsvc.cli.coordination.asking import Where, ask, show

    value = ask(Where(server, run), lambda there: there.counter(name).add(by))
    show({"name": name, "value": value}, str(value), as_json=as_json)


@counter.command(epilog=CODES)
def get(
    name: Name, run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Print the value."""
    from syncsvc.cli.coordination.asking import Where, ask, show

    value = ask(Where(server, run), lambda there: there.counter(name).get())
    show({"name": name, "value": value}, str(value), as_json=as_json)


@counter.command("wait", epilog=CODES)
def wait_for_counter(
    name: Name,
    at_least: Annotated[int, typer.Option("--at-least", help="The value to wait for.")],
    timeout: Timeout = "60s",
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Wait until it is large enough, and print it."""
    from syncsvc.cli.coordination.asking import Where, ask, show, span

    patience = span("--timeout", timeout)
    value = ask(
        Where(server, run), lambda there: there.counter(name).wait(at_least, timeout=patience)
    )
    show({"name": name, "value": value}, str(value), as_json=as_json)


@signal.command(epilog=CODES)
def send(
    name: Name, run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Send it, and print which one this was."""
    from syncsvc.cli.coordination.asking import Where, ask, show

    seq = ask(Where(server, run), lambda there: there.signal(name).send())
    show({"name": name, "seq": seq}, str(seq), as_json=as_json)


@signal.command("wait", epilog=CODES)
def wait_for_signal(
    name: Name,
    count: Annotated[int, typer.Option("--count", min=1, help="How often it has to be sent.")] = 1,
    timeout: Timeout = "60s",
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Wait until it was sent so often, and print how often it was."""
    from syncsvc.cli.coordination.asking import Where, ask, show, span

    patience = span("--timeout", timeout)
    found = ask(Where(server, run), lambda there: there.signal(name).wait(count, timeout=patience))
    show({"name": name, "count": found}, str(found), as_json=as_json)


@signal.command(epilog=CODES)
def meet(
    name: Name,
    count: Annotated[int, typer.Option("--count", min=1, help="How often it has to be sent.")],
    timeout: Timeout = "60s",
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Send it, wait until it was sent so often, and print which one ours was."""
    from syncsvc.cli.coordination.asking import Where, ask, show, span

    patience = span("--timeout", timeout)
    seq = ask(
        Where(server, run), lambda there: there.signal(name).send_and_wait(count, timeout=patience)
    )
    show({"name": name, "seq": seq}, str(seq), as_json=as_json)
