"""Configurations of cameras as they were before an update: each in a file, sealed under the vault's master key.

They hold hashes of passwords, Wi-Fi keys and the like. A file is bound to its camera and to the SHA-256 of what is in
it, so it opens under no other name. Earlier versions wrote them unsealed, named by their SHA-256; those stay readable.

    camwarden/backup/1 ⏎   id of the master key   wrapped data key   what is sealed
"""

import asyncio
import hashlib
import os
import shutil
import threading
from pathlib import Path

from fleet.errors import NotFound, VaultUnavailable
from fleet.settings import Settings
from fleet.store import Store
from fleet.vault.master_key import master_key
from fleet.vault.sealing import (
    ID_CHARACTERS,
    OF_BACKUPS,
    OVERHEAD_BYTES,
    SEALED_FILE,
    WRAPPED_KEY_BYTES,
    Damaged,
    Envelope,
    MasterKey,
    Owner,
)

# As much as a driver reads of a camera.
MOST_BACKUP_BYTES = 64 * 1024 * 1024
_MAGIC = b"camwarden/backup/1\n"
_OWNER_ONLY = 0o700
# Whatever is sealed or opened is in memory three times meanwhile: one after the other.
_one_at_a_time = threading.Lock()


async def keep(store: Store, settings: Settings, camera: str, content: bytes) -> str:
    """Seal it and have it on the disk. Its SHA-256, by which it is opened.

    The key is read anew: what is sealed under one that is gone from the disk meanwhile would be lost with this process.
    Raises VaultUnavailable, StoreUnavailable, OSError.
    """
    if len(content) > MOST_BACKUP_BYTES:
        raise OSError(f"the backup is larger than {MOST_BACKUP_BYTES} bytes")
    while True:
        key = await master_key(store, settings)
        digest = await asyncio.to_thread(_keep, settings.backups, key, camera, content)
        # A new key that came meanwhile may have passed this file by, and the old one may be gone soon.
        if (await master_key(store, settings)).id == key.id:
            return digest


async def opened(store: Store, settings: Settings, camera: str, digest: str) -> bytes:
    """What the camera gave. Raises NotFound, VaultUnavailable, StoreUnavailable."""
    owner, folder = Owner(digest, camera, ""), settings.backups
    if not await asyncio.to_thread(_path(folder, owner).exists):
        return await asyncio.to_thread(_unsealed, folder / digest, digest)
    return await asyncio.to_thread(_opened, _path(folder, owner), await master_key(store, settings), owner)


def _path(folder: Path, owner: Owner) -> Path:
    return folder / f"{owner.record}-{owner.camera}{SEALED_FILE}"


def _keep(folder: Path, key: MasterKey, camera: str, content: bytes) -> str:
    owner = Owner(hashlib.sha256(content).hexdigest(), camera, "")
    path = _path(folder, owner)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part")
    folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    with _one_at_a_time:
        envelope = key.seal_backup(content, owner)
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                for part in (_MAGIC, key.id.encode(), envelope.wrapped_key, envelope.sealed):
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return owner.record


def _opened(path: Path, key: MasterKey, owner: Owner) -> bytes:
    with _one_at_a_time:
        try:
            with path.open("rb") as file:
                magic, key_id = file.read(len(_MAGIC)), file.read(ID_CHARACTERS).decode("ascii", "replace")
                envelope = Envelope(file.read(WRAPPED_KEY_BYTES), file.read(MOST_BACKUP_BYTES + OVERHEAD_BYTES))
        except OSError as error:
            raise NotFound(f"{path} cannot be read: {error.strerror}") from error
        fitting = key.of(key_id)
        if magic == _MAGIC and fitting is None:
            raise VaultUnavailable(
                f"this backup was sealed with another key ({key_id}) than the one in use ({key.id}): put back the "
                "`key` file that belongs to it"
            )
        try:
            return (fitting or key).unseal_backup(envelope, owner)
        except Damaged:
            raise VaultUnavailable(_changed(path)) from None


def rewrap(path: Path, key: MasterKey, before: MasterKey) -> bool:
    """The data key of a sealed file under another master key, in a new file that takes its place. False: it was.

    Blocks. Raises VaultUnavailable, OSError.
    """
    digest, _, camera = path.name.removesuffix(SEALED_FILE).partition("-")
    owner = Owner(digest, camera, "")
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part")
    with _one_at_a_time, path.open("rb") as file:
        magic, key_id = file.read(len(_MAGIC)), file.read(ID_CHARACTERS).decode("ascii", "replace")
        wrapped = file.read(WRAPPED_KEY_BYTES)
        if magic == _MAGIC and key_id == key.id and key.opens(wrapped, owner, OF_BACKUPS):
            return False
        if magic != _MAGIC or key_id != before.id:
            raise VaultUnavailable(_changed(path))
        try:
            wrapped = key.rewrap(wrapped, before, owner, OF_BACKUPS)
        except Damaged:
            raise VaultUnavailable(_changed(path)) from None
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as anew:
                for part in (_MAGIC, key.id.encode(), wrapped):
                    anew.write(part)
                shutil.copyfileobj(file, anew)
                anew.flush()
                os.fsync(anew.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return True


def _unsealed(path: Path, digest: str) -> bytes:
    """As an earlier version wrote it."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BACKUP_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"the backup is not in {path.parent} any more") from None
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise VaultUnavailable(_changed(path))
    return content


def _changed(path: Path) -> str:
    return f"{path} is not what was written there, and does not open: put it back from your own backup"
