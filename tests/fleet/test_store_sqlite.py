"""What is SQLite's own: the file, who may read it, and how it is spoken to."""

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert

from fleet.errors import StoreUnavailable
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import tables as t
from tests.fleet.samples import NOON


async def test_only_the_owner_may_read_the_database(settings: Settings, store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(insert(t.SetupToken), [{"token_hash": "x", "created_at": NOON}])
    files = list(settings.home.iterdir())
    assert {path.name for path in files} >= {"camwarden.db", "camwarden.db-wal"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700


async def test_the_database_is_spoken_to_as_agreed(store: Store) -> None:
    expected = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 5000}
    async with store.read() as connection:
        told = {name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() for name in expected}
    assert told == expected


async def _garbage(database: Path) -> None:
    await asyncio.to_thread(database.write_bytes, b"this is no database, whatever its name says" * 100)


async def _a_folder(database: Path) -> None:
    await asyncio.to_thread(database.mkdir)


@pytest.mark.parametrize("spoil", [_garbage, _a_folder])
async def test_a_database_that_cannot_be_used_is_said_so(
    settings: Settings, spoil: Callable[[Path], Awaitable[None]]
) -> None:
    settings.home.mkdir()
    await spoil(settings.database)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await open_store(settings)
