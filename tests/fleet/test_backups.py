"""Configurations of cameras: sealed on the disk, bound to their camera, given out only once it is written down why."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.paper_cameras import PaperCamera
from cameras.secret import Secret
from fleet.errors import FleetError, Invalid, NotFound, VaultUnavailable
from fleet.rollouts import backups
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.rows import RolloutId
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.vault.passwords import open_vault
from hardening.rollout import TargetState
from tests.fleet.rollout_samples import RULES, firmware, history, paper, rows, run, started
from tests.frame.sqlite import new_database

CONTENT = b"wpa_psk=Kanarienvogel-7-im-Schacht " * 40


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """With the true time: a rollout waits for cameras."""
    await new_database(settings)
    async with await open_store(settings) as opened:
        yield opened


async def updated(
    store: Store, settings: Settings, *cameras: PaperCamera, needed: bool = False
) -> tuple[RolloutId, list[str]]:
    estate = await paper(store, *cameras)
    rules = replace(RULES, backup_required=needed)
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), rules)
    await run(store, settings, estate, rollout)
    return rollout, list(estate.cameras)


def file_of(settings: Settings, camera: str) -> Path:
    (found,) = settings.backups.glob(f"*{camera}*")
    return found


async def test_what_a_rollout_keeps_is_sealed_and_opens_again(store: Store, settings: Settings) -> None:
    rollout, cameras = await updated(store, settings, PaperCamera(), PaperCamera())
    kept = await asyncio.to_thread(lambda: [path for path in settings.home.rglob("*") if path.is_file()])
    assert not [path for path in kept if b"configuration of" in path.read_bytes()]
    files = [await asyncio.to_thread(file_of, settings, camera) for camera in cameras]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert settings.backups.stat().st_mode & 0o777 == 0o700
    assert sorted(settings.backups.iterdir()) == sorted(files), "nothing half written is left"
    for number, row in enumerate(sorted(await rows(store, rollout), key=lambda row: row.address), start=1):
        assert row.backup == hashlib.sha256(b"configuration of %d" % number).hexdigest()
        assert await backups.opened(store, settings, row.camera, row.backup) == b"configuration of %d" % number


async def test_the_same_configuration_of_two_cameras_is_two_files(store: Store, settings: Settings) -> None:
    digest = await backups.keep(store, settings, "cam-1", CONTENT)
    assert await backups.keep(store, settings, "cam-2", CONTENT) == digest
    assert await backups.keep(store, settings, "cam-1", CONTENT) == digest
    assert len(list(settings.backups.iterdir())) == 2
    for camera in ("cam-1", "cam-2"):
        assert await backups.opened(store, settings, camera, digest) == CONTENT


async def test_more_than_a_driver_reads_is_not_kept(store: Store, settings: Settings) -> None:
    with pytest.raises(OSError, match="larger than"):
        await backups.keep(store, settings, "cam", bytes(backups.MOST_BACKUP_BYTES + 1))
    assert not settings.backups.exists()


def _flip(file: Path, _settings: Settings) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def _cut(file: Path, _settings: Settings) -> None:
    file.write_bytes(file.read_bytes()[:40])


def _empty(file: Path, _settings: Settings) -> None:
    file.write_bytes(b"")


def _of_another_camera(file: Path, settings: Settings) -> None:
    file_of(settings, "other").replace(file)


def _of_another_time(file: Path, settings: Settings) -> None:
    file_of(settings, "cam-earlier").replace(file)


def _another_key(_file: Path, settings: Settings) -> None:
    (settings.home / "key").write_bytes(os.urandom(32))


def _no_key(_file: Path, settings: Settings) -> None:
    (settings.home / "key").unlink()


def _readable_key(_file: Path, settings: Settings) -> None:
    (settings.home / "key").chmod(0o640)


SPOILT: dict[str, tuple[Callable[[Path, Settings], None], str]] = {
    "a bit was turned over": (_flip, "is not what was written there"),
    "it was cut": (_cut, "is not what was written there"),
    "it is empty": (_empty, "is not what was written there"),
    "it is another camera's": (_of_another_camera, "is not what was written there"),
    "it is another one under its name": (_of_another_time, "is not what was written there"),
    "the key is another": (_another_key, "sealed with another key"),
    "the key is gone": (_no_key, "is missing, and stored passwords or backups are sealed with it"),
    "others can read the key": (_readable_key, "0640 where 0600 belongs"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT)
async def test_what_is_not_as_it_was_does_not_open(
    store: Store, settings: Settings, spoil: Callable[[Path, Settings], None], said: str
) -> None:
    digest = await backups.keep(store, settings, "cam", CONTENT)
    await backups.keep(store, settings, "other", CONTENT)
    file = settings.backups / f"{digest}-cam.sealed"
    before = await backups.keep(store, settings, "cam", b"as it was earlier")
    (settings.backups / f"{before}-cam.sealed").rename(settings.backups / "cam-earlier")
    await asyncio.to_thread(spoil, file, settings)
    with pytest.raises(VaultUnavailable, match=said):
        await backups.opened(store, settings, "cam", digest)
    assert spoil is not _no_key or not (settings.home / "key").exists(), "no new key that fits nothing"


async def test_a_vault_makes_no_new_key_where_backups_are_sealed_with_the_one_that_is_gone(
    store: Store, settings: Settings
) -> None:
    await backups.keep(store, settings, "cam", CONTENT)
    (settings.home / "key").unlink()
    with pytest.raises(VaultUnavailable, match="is missing"):
        await open_vault(store, settings)


async def test_what_an_earlier_version_wrote_unsealed_stays_readable(store: Store, settings: Settings) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    settings.backups.mkdir()
    plain = settings.backups / digest
    plain.write_bytes(CONTENT)
    assert await backups.opened(store, settings, "cam", digest) == CONTENT
    plain.write_bytes(CONTENT + b"x")
    with pytest.raises(VaultUnavailable, match="is not what was written there"):
        await backups.opened(store, settings, "cam", digest)
    plain.unlink()
    with pytest.raises(NotFound, match="any more"):
        await backups.opened(store, settings, "cam", digest)


KEYS: dict[str, tuple[Callable[[Path, Settings], None], str]] = {
    name: row for name, row in SPOILT.items() if "key" in name and row[0] is not _another_key
}


@pytest.mark.parametrize(("spoil", "said"), KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("needed", [True, False], ids=["a backup is needed", "a backup is not needed"])
async def test_without_the_key_no_backup_is_made(
    store: Store, settings: Settings, spoil: Callable[[Path, Settings], None], said: str, *, needed: bool
) -> None:
    await (await open_vault(store, settings)).put("cam", "root", Secret("x1"), "anna")
    spoil(settings.home, settings)
    camera = PaperCamera()
    rollout, _ = await updated(store, settings, camera, needed=needed)
    (row,) = await rows(store, rollout)
    told = [event.detail for event in await history(store, rollout) if "no backup" in event.detail]
    assert row.backup is None
    assert f"cannot be sealed: {settings.home / 'key'}" in told[0]
    assert said in told[0]
    assert row.state is (TargetState.SKIPPED if needed else TargetState.SUCCEEDED)
    assert bool(camera.flashed) is not needed
    assert not list(settings.backups.glob("*"))


# --- given to a person ---


async def test_who_takes_a_backup_and_why_is_written_down(store: Store, settings: Settings) -> None:
    rollout, (camera,) = await updated(store, settings, PaperCamera())
    take = rollout_orders.take_backup
    assert await take(store, settings, rollout, camera, actor="berta", reason=" replaced ") == b"configuration of 1"
    (event,) = [event for event in await history(store, rollout) if event.event == "take-backup"]
    assert (event.actor, event.detail, event.target) == ("berta", "10.0.0.1:80: replaced", None)


WHO: dict[str, tuple[str, str, type[FleetError]]] = {
    "no reason": ("berta", "  ", Invalid),
    "nobody": ("", "replaced", Invalid),
}


@pytest.mark.parametrize(("actor", "reason", "error"), WHO.values(), ids=WHO)
async def test_without_name_and_reason_there_is_no_backup(
    store: Store, settings: Settings, actor: str, reason: str, error: type[FleetError]
) -> None:
    rollout, (camera,) = await updated(store, settings, PaperCamera())
    with pytest.raises(error, match="it is written down"):
        await rollout_orders.take_backup(store, settings, rollout, camera, actor=actor, reason=reason)


async def test_without_a_line_there_is_no_backup(store: Store, settings: Settings) -> None:
    rollout, (camera,) = await updated(store, settings, PaperCamera())
    async with store.write() as connection:
        await connection.exec_driver_sql("DROP TABLE rollout_events")
    with pytest.raises(FleetError, match="cannot be written"):
        await rollout_orders.take_backup(store, settings, rollout, camera, actor="berta", reason="replaced")
