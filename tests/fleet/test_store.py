"""The database: its schema, its transactions, what it keeps of text that is too long, and who may read the file."""

import asyncio
import gc
import time
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, inspect, select, text

from cameras.budget import Attempt
from fleet.errors import StoreUnavailable
from fleet.findings import triage as findings
from fleet.settings import Settings
from fleet.store import Store, attempts, open_store
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.migrating import blocking_engine, migrate
from fleet.store.packing import MOST_CHARACTERS, MOST_ENTRIES, cut, pack, unpack
from tests.fleet.samples import FAIL, NOON, Clock, assessed


def test_the_models_are_what_the_migrations_make(settings: Settings) -> None:
    settings.home.mkdir()
    migrate(settings)
    engine = blocking_engine(settings)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, t.Base.metadata) == []
    engine.dispose()


async def test_the_schema_goes_down_and_up_again_with_rows_in_it(settings: Settings) -> None:
    async with await open_store(settings) as store:
        await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    await asyncio.to_thread(migrate, settings, "base")
    assert await asyncio.to_thread(_tables, settings) == {"alembic_version"}
    async with await open_store(settings) as store:
        await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    assert await asyncio.to_thread(_tables, settings) == {"alembic_version", *t.Base.metadata.tables}


async def test_opening_again_keeps_what_is_there(settings: Settings) -> None:
    async with await open_store(settings) as store:
        await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    async with await open_store(settings) as store, store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.Finding)) == 1


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


async def test_a_database_of_a_later_version_is_said_so(settings: Settings) -> None:
    async with await open_store(settings) as store, store.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match=r"cannot be opened: .*9999"):
        await open_store(settings)


async def test_an_error_of_the_database_names_no_value(store: Store) -> None:
    row = {"token_hash": "the-secret-hash", "created_at": NOON}
    with pytest.raises(StoreUnavailable) as caught:
        async with store.write() as connection:
            await connection.execute(insert(t.SetupToken), [row, row])
    chain = f"{caught.value} {caught.value.__cause__}"
    assert "unique" in str(caught.value).casefold()
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


def _tables(settings: Settings) -> set[str]:
    engine = blocking_engine(settings)
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


@pytest.mark.parametrize("mode", ["read", "write"])
async def test_work_that_is_cut_off_at_any_moment_leaves_no_file_open_and_no_lock(
    settings: Settings, mode: str
) -> None:
    """A connection that nobody closes is an unraisable ResourceWarning, which fails this test; so does a lock."""

    async def look(store: Store) -> None:
        async with store.write() if mode == "write" else store.read() as connection:
            await connection.execute(text("SELECT 1"))

    cut = 0
    for moment in range(0, 120, 3):
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
    assert cut > 2


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
