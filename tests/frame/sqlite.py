"""A new SQLite database without waiting for its migrations: they run once for each test process."""

import asyncio
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet.settings import Settings
from fleet.store import sqlite
from fleet.store.migrating import migrate


async def new_database(settings: Settings) -> None:
    """As the newest revision makes it, where these settings have a file of their own and it is not there yet."""
    if settings.database_url is None:
        await asyncio.to_thread(_write, settings.database)


def _write(database: Path) -> None:
    if not database.exists():
        sqlite.prepare(database)
        database.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        migrate(settings)
        return settings.database.read_bytes()
