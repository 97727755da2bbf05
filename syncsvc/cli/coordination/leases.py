"""`syncsvc lock`, `rwlock`, `semaphore` and `leader`: a command that runs while it may."""

from typing import Annotated

import typer

from syncsvc.cli.coordination.options import (
    CODES,
    DEFAULT_SERVER,
    RUN_CODES,
    AsJson,
    Patience,
    RunName,
    Server,
    Ttl,
    Worker,
    group,
)

lock = group("Locks: one worker at a time.")
rwlock = group("Read-write locks: any number of readers, or one writer.")
semaphore = group("Semaphores: so many workers at a time.")
leader = group("Leaders: one worker leads, the others see who.")

Name = Annotated[str, typer.Argument(help="What it is called.")]
Command = Annotated[list[str], typer.Argument(metavar="CMD", help="What to run, after --.")]


@lock.command("run", epilog=RUN_CODES + CODES)
def run_locked(
    name: Name,
    command: Command,
    ttl: Ttl = "30s",
    wait: Patience = "60s",
    run: RunName = "default",
    worker: Worker = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Run CMD while holding the lock, and stop it when the lock is lost."""
    from syncsvc.cli.coordination.asking import Where, span
    from syncsvc.cli.coordination.guarded import run_under
    from syncsvc.client.locks import Asked

    asked: Asked = {"ttl": span("--ttl", ttl), "wait": span("--wait", wait)}
    run_under(
        Where(server, run, worker, attend=True), lambda there: there.lock(name, **asked), command
    )


@lock.command("status", epilog=CODES)
def lock_status(
    name: Name, run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Say who holds the lock, and how many wait."""
    from syncsvc.cli.coordination.asking import Where, ask, show
    from syncsvc.cli.coordination.standing import standing

    found = ask(Where(server, run), lambda there: there.lock(name).status())
    show(found, standing(name, found), as_json=as_json)


@rwlock.command("run", epilog=RUN_CODES + CODES)
def run_reading_or_writing(
    name: Name,
    command: Command,
    write: Annotated[
        bool, typer.Option("--write/--read", help="Alone, or beside other readers.")
    ] = False,
    ttl: Ttl = "30s",
    wait: Patience = "60s",
    run: RunName = "default",
    worker: Worker = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Run CMD while holding a reader's or the writer's place, and stop it when that is lost."""
    from syncsvc.cli.coordination.asking import Where, span
    from syncsvc.cli.coordination.guarded import run_under
    from syncsvc.client import Run
    from syncsvc.client.leases import Lease
    from syncsvc.client.locks import Asked

    asked: Asked = {"ttl": span("--ttl", ttl), "wait": span("--wait", wait)}

    def place(there: Run) -> Lease:
        either = there.rwlock(name)
        return either.write(**asked) if write else either.read(**asked)

    run_under(Where(server, run, worker, attend=True), place, command)


@rwlock.command("status", epilog=CODES)
def rwlock_status(
    name: Name, run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Say who reads or writes, and how many wait."""
    from syncsvc.cli.coordination.asking import Where, ask, show
    from syncsvc.cli.coordination.standing import standing

    found = ask(Where(server, run), lambda there: there.rwlock(name).status())
    show(found, standing(name, found), as_json=as_json)


@semaphore.command("run", epilog=RUN_CODES + CODES)
def run_permitted(
    name: Name,
    command: Command,
    limit: Annotated[int, typer.Option(min=1, help="How many permits there are.")],
    permits: Annotated[int, typer.Option(min=1, help="How many of them CMD needs.")] = 1,
    ttl: Ttl = "30s",
    wait: Patience = "60s",
    run: RunName = "default",
    worker: Worker = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Run CMD while holding permits, and stop it when they are lost."""
    from syncsvc.cli.coordination.asking import Where, span
    from syncsvc.cli.coordination.guarded import run_under
    from syncsvc.client.locks import Asked

    asked: Asked = {"ttl": span("--ttl", ttl), "wait": span("--wait", wait)}
    run_under(
        Where(server, run, worker, attend=True),
        lambda there: there.semaphore(name, limit=limit, permits=permits, **asked),
        command,
    )


@semaphore.command("status", epilog=CODES)
def semaphore_status(
    name: Name, run: RunName = "default", server: Server = DEFAULT_SERVER, as_json: AsJson = False
) -> None:
    """Say who holds permits, and how many wait."""
    from syncsvc.cli.coordination.asking import Where, ask, show
    from syncsvc.cli.coordination.standing import standing

    found = ask(Where(server, run), lambda there: there.semaphore(name, limit=1).status())
    show(found, standing(name, found), as_json=as_json)


@leader.command(epilog=RUN_CODES + CODES)
def campaign(
    name: Name,
    command: Command,
    ttl: Ttl = "30s",
    wait: Patience = "60s",
    run: RunName = "default",
    worker: Worker = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Run CMD while leading, and stop it when another leads."""
    from syncsvc.cli.coordination.asking import Where, span
    from syncsvc.cli.coordination.guarded import run_under
    from syncsvc.client.locks import Asked

    asked: Asked = {"ttl": span("--ttl", ttl), "wait": span("--wait", wait)}
    run_under(
        Where(server, run, worker, attend=True),
        lambda there: there.leader(name).campaign(**asked),
        command,
    )


@leader.command(epilog=CODES)
def observe(
    name: Name,
    once: Annotated[bool, typer.Option("--once", help="Say who leads now, and end.")] = False,
    run: RunName = "default",
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
) -> None:
    """Say who leads, then each change, until Ctrl-C."""
    from syncsvc.cli.coordination.asking import Where, ask, show
    from syncsvc.client import Run

    async def watch(there: Run) -> None:
        async for found in there.leader(name).observe():
            led = f"{found.leader} leads, token {found.token}" if found.leader else "nobody leads"
            show(found, f"{name}: {led}", as_json=as_json)
            if once:
                return

    ask(Where(server, run), watch)
