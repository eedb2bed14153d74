"""The vault's master key, fitting to what is sealed with it: passwords, backups, and the chain of the audit trail.

While a new one takes the place of an old one (`fleet.vault.key_rotation`), both are read. Where the file holds it
wrapped, the transit engine is asked once; then it is held in memory, and goes on being used while the engine is away.
"""

import asyncio
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import VaultUnavailable
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.audit_tables import AuditRow
from fleet.store.engine import place_of
from fleet.store.vault_tables import SealedPassword
from fleet.vault import key_file as vault_key
from fleet.vault import transit
from fleet.vault.key_file import Kept
from fleet.vault.sealing import SEALED_FILE, MasterKey

OLD_KEY = "key.old"
_HELD = "master keys"


async def master_key(store: Store, settings: Settings) -> MasterKey:
    """Reads the key file (`fleet.vault.key_file`), and makes it where nothing needs it yet. Raises VaultUnavailable."""
    async with store.read() as connection:
        return await master_key_within(connection, settings)


async def master_key_within(connection: AsyncConnection, settings: Settings) -> MasterKey:
    newest = select(SealedPassword.key_id).order_by(SealedPassword.id.desc()).limit(1)
    key_id = await connection.scalar(newest)
    audited = await connection.scalar(select(AuditRow.seq).limit(1))
    in_use = key_id is not None or audited is not None
    held: dict[str, bytes] = place_of(connection).kept.setdefault(_HELD, {})
    key = await _opened(settings, held, in_use=in_use)
    if key_id is not None and key.of(key_id) is None:
        path = await asyncio.to_thread(vault_key.key_file, settings.home)
        raise VaultUnavailable(
            f"{path} is not the key that the stored passwords are sealed with ({key.id}, not {key_id}): "
            "put back the one that belongs to this database"
        )
    return key


async def _opened(settings: Settings, held: dict[str, bytes], *, in_use: bool) -> MasterKey:
    """`held` are the keys in memory, by id: those that lie here now, and no other."""
    kept, earlier = await asyncio.to_thread(_read, settings, in_use=in_use)
    if kept is None:
        made = await new_kept(settings, wrapped=settings.transit_url is not None)
        await asyncio.to_thread(_make, settings.home, made)
        kept, earlier = await asyncio.to_thread(_read, settings, in_use=True)
    assert kept is not None  # it is in use, or was made  # noqa: S101
    keys = {vault_key.id_of(one): await _plain(settings, held, one) for one in (kept, earlier) if one is not None}
    for gone in held.keys() - keys.keys():
        held.pop(gone, None)
    held.update(keys)
    before = None if earlier is None else MasterKey(keys[vault_key.id_of(earlier)])
    return MasterKey(keys[vault_key.id_of(kept)], before)


async def _plain(settings: Settings, held: dict[str, bytes], kept: Kept) -> bytes:
    if isinstance(kept, bytes):
        return kept
    return held.get(kept.id) or await transit.unwrap(settings, kept)


async def new_kept(settings: Settings, *, wrapped: bool) -> Kept:
    """A new key as it is to lie in its file. Raises VaultUnavailable."""
    key = vault_key.new_key()
    return await transit.wrap(settings, key) if wrapped else key


def _read(settings: Settings, *, in_use: bool) -> tuple[Kept | None, Kept | None]:
    """The key and the one before, as they lie here together; no key where none is needed yet. Blocks.

    Looks for what is sealed only where there is no key: a folder may hold very many backups. Raises VaultUnavailable.
    """
    path = vault_key.key_file(settings.home)
    try:
        while True:
            kept, earlier = vault_key.read(path), _earlier(settings.home)
            if vault_key.read(path) == kept:  # else another has just taken its place
                return kept, earlier
    except FileNotFoundError:
        if in_use or any(settings.backups.glob(f"*{SEALED_FILE}")):
            raise VaultUnavailable(
                f"{path} is missing, and stored passwords or backups are sealed with it: put it back from your backup. "
                "Without it they cannot be read by anybody; set each camera's password anew after moving them away"
            ) from None
        return None, None


def _earlier(home: Path) -> Kept | None:
    try:
        return vault_key.read(home / OLD_KEY)
    except FileNotFoundError:
        return None


def _make(home: Path, kept: Kept) -> None:
    path = home / "key"
    try:
        vault_key.make(path, kept)
    except OSError as error:
        raise VaultUnavailable(f"{path} cannot be made: {error.strerror}") from error
