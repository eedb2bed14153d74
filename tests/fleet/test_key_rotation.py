"""A new master key: whatever moment the process dies at, everything can be read, and a second run ends it."""

import asyncio
import os
from pathlib import Path

import pytest
from sqlalchemy import update

from cameras.secret import Secret
from fleet.errors import Invalid, VaultUnavailable
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import tables as t
from fleet.store.vault_tables import SealedPassword
from fleet.vault import key_file as vault_key
from fleet.vault import key_rotation
from fleet.vault.key_rotation import WRAPPED, rotate
from fleet.vault.passwords import Vault, open_vault
from tests.fleet.dying import COUNT, DiesAt, Killed, all_can_be_read, fill
from tests.fleet.samples import Clock


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "AT_ONCE", 3)


async def test_all_lies_under_the_new_key_and_the_old_one_is_gone(
    store: Store, settings: Settings, clock: Clock
) -> None:
    digest = await fill(store, settings)
    old = await asyncio.to_thread((settings.home / "key").read_bytes)
    done = await rotate(store, settings, "anna")
    assert (done.records, done.backups) == (COUNT + 2, 1), "and keys of a jump host and of the earlier trail"
    assert await asyncio.to_thread((settings.home / "key").read_bytes) != old
    assert {path.name for path in await asyncio.to_thread(lambda: list(settings.home.glob("*key*")))} == {"key"}
    await all_can_be_read(settings, clock, digest)
    await rotate(store, settings, "anna")
    await all_can_be_read(settings, clock, digest)


# make, keep, replace, wrap, one for each batch and file, prove, erase, done: as the first test counts them.
@pytest.mark.parametrize("number", range(1, 17))
async def test_a_run_that_dies_leaves_all_readable_and_the_next_one_ends_it(
    settings: Settings, clock: Clock, number: int
) -> None:
    async with await open_store(settings, clock) as store:
        digest = await fill(store, settings)
        dies = DiesAt(number)
        with pytest.raises(Killed):
            await rotate(store, settings, "anna", step=dies)
    await all_can_be_read(settings, clock, digest)
    async with await open_store(settings, clock) as store:
        counted = DiesAt(0)
        await rotate(store, settings, "anna", step=counted)
    assert not await asyncio.to_thread((settings.home / "key.old").exists)
    await all_can_be_read(settings, clock, digest)


async def test_the_test_above_dies_at_every_step_there_is(store: Store, settings: Settings) -> None:
    await fill(store, settings)
    counted = DiesAt(0)
    await rotate(store, settings, "anna", step=counted)
    assert len(counted.names) == 16, counted.names


async def test_a_service_that_goes_on_reads_and_seals_all_the_while(
    store: Store, settings: Settings, clock: Clock
) -> None:
    digest = await fill(store, settings)
    vault = await open_vault(store, settings)
    busy: list[asyncio.Task[int]] = []
    loop = asyncio.get_running_loop()

    def seal(name: str) -> None:
        loop.call_soon_threadsafe(
            lambda: busy.append(loop.create_task(vault.put(f"new-{name}", "a", Secret(name), "b")))
        )

    async with await open_store(settings, clock) as other:
        await rotate(other, settings, "anna", step=seal)
    await asyncio.gather(*busy)
    assert busy
    assert await vault.current("cam-1", "root") == Secret("password-1"), "under a key that it did not know"
    for name in ("keep", "batch", "prove", "erase"):
        assert await vault.current(f"new-{name}", "a") == Secret(name)
    await all_can_be_read(settings, clock, digest)


async def test_nothing_is_erased_while_a_record_does_not_open(store: Store, settings: Settings) -> None:
    await fill(store, settings)
    async with store.write() as connection:
        spoilt = update(SealedPassword).where(SealedPassword.camera == "cam-3")
        await connection.execute(spoilt.values(wrapped_key=b"x" * 60))
    with pytest.raises(VaultUnavailable, match="nothing was erased"):
        await rotate(store, settings, "anna")
    assert await asyncio.to_thread((settings.home / "key.old").exists)
    assert await (await open_vault(store, settings)).current("cam-2", "root") == Secret("password-2")


def test_every_table_with_a_wrapped_key_is_known() -> None:
    wrapped = {
        table.name for table in t.Base.metadata.tables.values() if {"wrapped_key", "wrapped"} & {*table.columns.keys()}
    }
    assert {one.table.__tablename__ for one in WRAPPED} == wrapped


# --- a credential of systemd ---


@pytest.fixture
def credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    path = folder / vault_key.CREDENTIAL
    path.write_bytes(b"k" * 32)
    path.chmod(0o440)
    return path


async def test_a_credential_wins_over_the_file(store: Store, settings: Settings, credential: Path) -> None:
    vault: Vault = await open_vault(store, settings)
    await vault.put("cam", "root", Secret("x1"), "anna")
    assert not await asyncio.to_thread((settings.home / "key").exists)
    with pytest.raises(Invalid, match="systemd"):
        await rotate(store, settings, "anna")
    await asyncio.to_thread(credential.rename, settings.home / "key")
    await asyncio.to_thread((settings.home / "key").chmod, 0o600)
    assert await (await open_vault(store, settings)).current("cam", "root") == Secret("x1")


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o640, 0o404])
async def test_a_credential_that_others_could_read_is_refused(
    store: Store, settings: Settings, credential: Path, mode: int
) -> None:
    await asyncio.to_thread(os.chmod, credential, mode)
    with pytest.raises(VaultUnavailable, match="mode"):
        await open_vault(store, settings)
