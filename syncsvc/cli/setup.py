"""Commands around the processes: migrate, doctor."""

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    app.command()(migrate)
    app.command()(doctor)


def migrate() -> None:
    """Bring the database to this release; running it twice changes nothing."""
    import asyncio

    from syncsvc.settings import load
    from syncsvc.stores.sql.database import open_database
    from syncsvc.stores.sql.migrate import migrate as bring

    async def story() -> str:
        database = open_database(load().database)
        try:
            return await bring(database)
        finally:
            await database.close()

    typer.echo(f"database is at revision {asyncio.run(story())}")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Check settings, stores, broker, processes, ports, Test IT and TestIO; say what to do.

    Exit code 1 when something that is needed failed.
    """
    from syncsvc.cli.doctor import examine
    from syncsvc.settings import load

    raise typer.Exit(0 if examine(load(), as_json=as_json) else 1)
