"""The database: its schema, its transactions, what it keeps of text that is too long, and who may read the file."""

import asyncio
import gc
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, func, insert, select, text

from cameras.budget import Attempt
from fleet import findings
from fleet.errors import StoreUnavailable
from fleet.settings import Settings
from fleet.store import Store, attempts, open_store
from fleet.store import tables as t
from fleet.store.engine import migrate
from fleet.store.ids import new_id
from fleet.store.packing import MOST_CHARACTERS, MOST_ENTRIES, cut, pack, unpack
from tests.fleet.samples import FAIL, NOON, Clock, assessed


def test_the_models_are_what_the_migrations_make(tmp_path: Path) -> None:
    database = tmp_path / "camwarden.db"
    migrate(database)
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, t.Base.metadata) == []
    engine.dispose()


async def test_the_schema_goes_down_and_up_again_with_rows_in_it(settings: Settings) -> None:
    async with await open_store(settings) as store:
        await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    await asyncio.to_thread(migrate, settings.database, "base")
    assert await asyncio.to_thread(_tables, settings.database) == {"alembic_version"}
    async with await open_store(settings) as store:
        await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    assert await asyncio.to_thread(_tables, settings.database) == {"alembic_version", *t.Base.metadata.tables}


async def test_opening_again_keeps_what_is_there(settings: Settings) -> None:
    async with await open_store(settings) as store:
        await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    async with await open_store(settings) as store, store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.Finding)) == 1


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


async def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    async def fail_half_way() -> None:
        async with store.write() as connection:
            await connection.execute(insert(t.SetupToken), [{"token_hash": "x", "created_at": NOON}])
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        await fail_half_way()
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.SetupToken)) == 0


async def test_writers_at_the_same_time_take_turns(store: Store) -> None:
    async def add(number: int) -> None:
        async with store.write() as connection:
            there = (await connection.execute(select(func.count()).select_from(t.SetupToken))).scalar_one()
            await asyncio.sleep(0)
            row = {"token_hash": f"{there}", "created_at": NOON + timedelta(days=number)}
            await connection.execute(insert(t.SetupToken), [row])

    await asyncio.gather(*(add(number) for number in range(20)))
    async with store.read() as connection:
        names = (await connection.execute(select(t.SetupToken.token_hash))).scalars().all()
    assert sorted(map(int, names)) == list(range(20))


async def _garbage(database: Path) -> None:
    await asyncio.to_thread(database.write_bytes, b"this is no database, whatever its name says" * 100)


async def _a_folder(database: Path) -> None:
    await asyncio.to_thread(database.mkdir)


async def _from_a_later_version(database: Path) -> None:
    await asyncio.to_thread(migrate, database)
    connection = await asyncio.to_thread(sqlite3.connect, database, check_same_thread=False)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("spoil", [_garbage, _a_folder, _from_a_later_version])
async def test_a_database_that_cannot_be_used_is_said_so(
    settings: Settings, spoil: Callable[[Path], Awaitable[None]]
) -> None:
    settings.home.mkdir()
    await spoil(settings.database)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await open_store(settings)


async def test_an_error_of_the_database_names_no_value(store: Store) -> None:
    row = {"token_hash": "the-secret-hash", "created_at": NOON}
    with pytest.raises(StoreUnavailable) as caught:
        async with store.write() as connection:
            await connection.execute(insert(t.SetupToken), [row, row])
    chain = f"{caught.value} {caught.value.__cause__}"
    assert "UNIQUE" in str(caught.value)
    assert "the-secret-hash" not in chain


def test_ids_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {(len(one), one[14], one[19] in "89ab") for one in made} == {(36, "7", True)}


CUTS = {
    "100 kB of one word": ("x" * 100_000, "x" * (MOST_CHARACTERS - 1) + "…"),
    "a terminal escape": ("a\x1b[31mb", "a\ufffd[31mb"),
    "a lone surrogate": ("a\ud800b", "a\ufffdb"),
    "a very long list": ([1] * 10_000, [1] * MOST_ENTRIES),
    "a hostile key": ({"k" * 1000: 1}, {"k" * 199 + "…": 1}),
    "a tuple within a mapping": ({"a": (1, None, True, 1.5)}, {"a": [1, None, True, 1.5]}),
    "something that is no JSON": ({"a": Path("x")}, {"a": "x"}),
}


@pytest.mark.parametrize(("value", "expected"), CUTS.values(), ids=CUTS)
def test_text_is_cut_at_the_door(value: object, expected: object) -> None:
    assert cut(value) == expected


def test_nesting_without_end_is_cut() -> None:
    deep: list[object] = []
    for _ in range(1000):
        deep = [deep]
    assert len(str(cut(deep))) < 100


@pytest.mark.parametrize("value", [{"a": 1}, {"a": "é" * 10}, {"a": ["word"] * 5000}], ids=["small", "text", "large"])
def test_what_is_packed_comes_out_again(value: object) -> None:
    assert unpack(pack(value)) == value


def test_large_evidence_is_compressed() -> None:
    assert len(pack({"a": ["word"] * 5000})) < 1000


async def test_spent_logins_outlive_the_process(settings: Settings, clock: Clock) -> None:
    old = Attempt("cam-1", "root", NOON - timedelta(minutes=31), "wrong")
    recent = [
        Attempt("cam-1", "root", NOON - timedelta(minutes=29), "wrong"),
        Attempt("cam-1", "admin", NOON, "locked"),
    ]
    async with await open_store(settings, clock) as store:
        for attempt in (old, *recent):
            await attempts.record(store, attempt)
    async with await open_store(settings, clock) as store:
        assert await attempts.load(store) == recent


async def test_spent_logins_of_yesterday_are_forgotten(store: Store, clock: Clock) -> None:
    await attempts.record(store, Attempt("cam-1", "root", NOON, "wrong"))
    clock.forward(hours=25)
    await attempts.record(store, Attempt("cam-2", "root", clock(), "wrong"))
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.SpentAttempt)) == 1


def _tables(database: Path) -> set[str]:
    connection = sqlite3.connect(database)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in names}


@pytest.mark.parametrize("mode", ["read", "write"])
async def test_work_that_is_cut_off_at_any_moment_leaves_no_file_open_and_no_lock(
    settings: Settings, mode: str
) -> None:
    """A connection that nobody closes is an unraisable ResourceWarning, which fails this test; so does a lock."""

    async def look(store: Store) -> None:
        async with store.write() if mode == "write" else store.read() as connection:
            await connection.execute(text("SELECT 1"))

    cut = 0
    for moment in range(120):
        async with await open_store(settings) as store:  # whose first connection is still to be opened
            task = asyncio.create_task(look(store))
            until = time.perf_counter() + moment * 60e-6
            while time.perf_counter() < until:  # noqa: ASYNC110 - finer than any timer
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        cut += task.cancelled()
        assert task.cancelled() or task.exception() is None
        gc.collect(0)
    assert cut > 5


@pytest.mark.parametrize("mode", ["read", "write"])
async def test_closing_waits_for_what_is_under_way_and_then_nothing_begins(store: Store, mode: str) -> None:
    async with store.write() if mode == "write" else store.read() as connection:
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0.01)
        assert not closing.done()
        assert await connection.scalar(text("SELECT 1")) == 1
    await closing
    with pytest.raises(StoreUnavailable, match="closed"):
        async with store.write() if mode == "write" else store.read():
            pass
