"""The groups that keep a run's workers in step from a shell; each is a thin cover of the client."""

import typer


def add_to(app: typer.Typer) -> None:
    from syncsvc.cli.coordination import board, checkpoints, counting, leases, presence, topics

    app.add_typer(checkpoints.app, name="checkpoint")
    app.add_typer(leases.lock, name="lock")
    app.add_typer(leases.rwlock, name="rwlock")
    app.add_typer(leases.semaphore, name="semaphore")
    app.add_typer(leases.leader, name="leader")
    app.add_typer(board.app, name="data")
    app.add_typer(counting.counter, name="counter")
    app.add_typer(counting.signal, name="signal")
    app.add_typer(topics.app, name="topic")
    app.add_typer(presence.app, name="presence")
