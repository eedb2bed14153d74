"""The vault's master key, fitting to what is sealed with it: passwords, backups, and the chain of the audit trail.

While a new one takes the place of an old one (`fleet.vault.key_rotation`), both are read.
"""

import asyncio
import os

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import VaultUnavailable
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.audit_tables import AuditRow
from fleet.store.vault_tables import SealedPassword
from fleet.vault import key_file as vault_key
from fleet.vault.sealing import SEALED_FILE, MasterKey

OLD_KEY = "key.old"


async def master_key(store: Store, settings: Settings) -> MasterKey:
    """Reads the key file (`fleet.vault.key_file`), and makes it where nothing needs it yet. Raises VaultUnavailable."""
    async with store.read() as connection:
        return await master_key_within(connection, settings)


async def master_key_within(connection: AsyncConnection, settings: Settings) -> MasterKey:
    newest = select(SealedPassword.key_id).order_by(SealedPassword.id.desc()).limit(1)
    key_id = await connection.scalar(newest)
    audited = await connection.scalar(select(AuditRow.seq).limit(1))
    in_use = key_id is not None or audited is not None
    key = await asyncio.to_thread(_read_or_make, settings, in_use=in_use)
    if key_id is not None and key.of(key_id) is None:
        path = await asyncio.to_thread(vault_key.key_file, settings.home)
        raise VaultUnavailable(
            f"{path} is not the key that the stored passwords are sealed with ({key.id}, not {key_id}): "
            "put back the one that belongs to this database"
        )
    return key


def _read_or_make(settings: Settings, *, in_use: bool) -> MasterKey:
    """Looks for what is sealed only where there is no key: a folder may hold very many backups. Blocks."""
    path = vault_key.key_file(settings.home)
    needed = in_use or (not os.path.lexists(path) and any(settings.backups.glob(f"*{SEALED_FILE}")))
    while True:
        key, earlier = vault_key.read_or_make(path, in_use=needed), _earlier(settings)
        if vault_key.read_or_make(path, in_use=True) == key:  # else another has just taken its place
            return MasterKey(key, earlier)


def _earlier(settings: Settings) -> MasterKey | None:
    path = settings.home / OLD_KEY
    try:
        return MasterKey(vault_key.read(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise VaultUnavailable(f"{path} cannot be read: {error.strerror}") from error
