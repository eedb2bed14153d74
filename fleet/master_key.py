"""The vault's master key, fitting to what is sealed with it: passwords, backups, and the chain of the audit trail."""

import asyncio
import os
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import VaultUnavailable
from fleet.sealing import SEALED_FILE, MasterKey
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.audit_tables import AuditRow
from fleet.store.vault_tables import SealedPassword
from fleet.vault_key import read_or_make


async def master_key(store: Store, settings: Settings) -> MasterKey:
    """Reads `$CAMWARDEN_HOME/key`, and makes it where nothing needs it yet. Raises VaultUnavailable."""
    async with store.read() as connection:
        return await master_key_within(connection, settings)


async def master_key_within(connection: AsyncConnection, settings: Settings) -> MasterKey:
    newest = select(SealedPassword.key_id).order_by(SealedPassword.id.desc()).limit(1)
    key_id = await connection.scalar(newest)
    audited = await connection.scalar(select(AuditRow.seq).limit(1))
    path = settings.home / "key"
    in_use = key_id is not None or audited is not None
    key = MasterKey(await asyncio.to_thread(_read_or_make, path, settings.backups, in_use=in_use))
    if key_id not in {None, key.id}:
        raise VaultUnavailable(
            f"{path} is not the key that the stored passwords are sealed with ({key.id}, not {key_id}): "
            "put back the one that belongs to this database"
        )
    return key


def _read_or_make(path: Path, backups: Path, *, in_use: bool) -> bytes:
    """Looks for what is sealed only where there is no key: a folder may hold very many backups. Blocks."""
    needed = in_use or (not os.path.lexists(path) and any(backups.glob(f"*{SEALED_FILE}")))
    return read_or_make(path, in_use=needed)
