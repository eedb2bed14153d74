"""What is PostgreSQL's own: how it is reached, and that its writers take turns across processes."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from fleet.errors import SettingsError, StoreUnavailable
from fleet.settings import Settings
from fleet.store import open_store
from fleet.store import tables as t
from tests.fleet.samples import NOON
from tests.frame.postgresql import PASSWORD, Server


@pytest.fixture
def settings(tmp_path: Path, postgresql: Server) -> Settings:
    return Settings(home=tmp_path / "home", database_url=postgresql.url(postgresql.migrated_database()))


def over_tcp(settings: Settings, postgresql: Server, password: str | None) -> Settings:
    """The same database with a password, which is in a file where there is one."""
    file = settings.home.parent / "password"
    if password is not None:
        file.write_text(f"{password}\n", encoding="utf-8")
    url = postgresql.tcp_url((settings.database_url or "").partition("@/")[2].partition("?")[0])
    more = {"database_url": url, "database_password_file": file if password is not None else None}
    return settings.model_copy(update=more)


async def test_a_password_comes_from_a_file(settings: Settings, postgresql: Server) -> None:
    async with await open_store(over_tcp(settings, postgresql, PASSWORD)) as store, store.read() as connection:
        assert (await connection.exec_driver_sql("SELECT 1")).scalar() == 1


async def test_a_password_comes_from_pgpass(
    settings: Settings, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings.home.parent / "pgpass"
    await asyncio.to_thread(file.write_text, f"127.0.0.1:*:*:*:{PASSWORD}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    async with await open_store(over_tcp(settings, postgresql, None)) as store, store.read() as connection:
        assert (await connection.exec_driver_sql("SELECT 1")).scalar() == 1


async def test_a_wrong_password_is_said_and_not_shown(settings: Settings, postgresql: Server) -> None:
    with pytest.raises(StoreUnavailable, match="password authentication failed") as caught:
        await open_store(over_tcp(settings, postgresql, "hunter2"))
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


async def test_a_password_file_that_is_not_there_is_a_setting_to_correct(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="database_password_file"):
        await open_store(settings.model_copy(update={"database_password_file": settings.home / "none"}))


@pytest.mark.parametrize(("durable", "expected"), [(False, "off"), (True, "on")])
async def test_only_what_is_durable_waits_for_the_disk(settings: Settings, *, durable: bool, expected: str) -> None:
    async with await open_store(settings) as store, store.write(durable=durable) as connection:
        assert (await connection.exec_driver_sql("SHOW synchronous_commit")).scalar() == expected
        assert (await connection.exec_driver_sql("SHOW timezone")).scalar() == "UTC"


async def test_a_read_is_of_one_moment_and_writes_nothing(settings: Settings) -> None:
    async with await open_store(settings) as store:
        async with store.read() as reading:
            before = (await reading.execute(select(t.SetupToken))).all()
            async with store.write() as connection:
                await connection.execute(insert(t.SetupToken), [{"token_hash": "x", "created_at": NOON}])
            assert (await reading.execute(select(t.SetupToken))).all() == before == []
        with pytest.raises(StoreUnavailable, match="read-only"):
            async with store.read() as reading:
                await reading.execute(insert(t.SetupToken), [{"token_hash": "y", "created_at": NOON}])


async def test_two_processes_that_look_and_then_write_take_turns(settings: Settings) -> None:
    """Two stores stand for two processes: they share no lock of ours."""

    async def count_up(store_settings: Settings) -> None:
        async with await open_store(store_settings) as store:
            for _ in range(10):
                async with store.write() as connection:
                    there = len((await connection.execute(select(t.SetupToken.token_hash))).all())
                    await asyncio.sleep(0)
                    await connection.execute(insert(t.SetupToken), [{"token_hash": f"{there}", "created_at": NOON}])

    await asyncio.gather(count_up(settings), count_up(settings))
    async with await open_store(settings) as store, store.read() as connection:
        found = (await connection.execute(select(t.SetupToken.token_hash))).scalars().all()
    assert sorted(map(int, found)) == list(range(20))


async def test_a_list_is_shared_out_without_waiting_for_a_writer(settings: Settings) -> None:
    first = select(t.SetupToken.token_hash).where(t.SetupToken.used_at.is_(None)).order_by(t.SetupToken.token_hash)
    claiming = first.limit(1).with_for_update(skip_locked=True)
    async with await open_store(settings) as store:
        async with store.write() as connection:
            rows = [{"token_hash": word, "created_at": NOON} for word in ("a", "b")]
            await connection.execute(insert(t.SetupToken), rows)
        async with store.write(), store.claim() as one, store.claim() as other:
            taken = [await one.scalar(claiming), await other.scalar(claiming)]
            mine = t.SetupToken.token_hash == taken[0]
            await one.execute(update(t.SetupToken).where(mine).values(used_at=NOON))
    assert taken == ["a", "b"]
