"""Commands around the processes: migrate, doctor."""

import typer

from syncsvc.settings import load


def add_to(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate() -> None:
    """Bring the database to this release; running it twice changes nothing."""
    import asyncio

    from syncsvc.stores.sql.database import open_database
    from syncsvc.stores.sql.migrate import migrate as bring

    async def story() -> str:
        database = open_database(load().database)
        try:
            return await bring(database)
        finally:
            await database.close()

    typer.echo(f"database is at revision {asyncio.run(story())}")
