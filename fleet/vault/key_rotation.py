"""A new master key for the vault, while everything goes on and can be read at every moment.

    key.new ─► key.old (the old one, once more) ─► key (the new one) ─► all wrapped anew ─► proved ─► key.old erased

Killed between any two of these, it is run again and goes on. It may be done while the service runs: whoever seals a
password reads the key within the same write, and writes come one after the other; whoever seals a backup looks at the
key again afterwards; and whoever reads knows the old key for as long as it is there.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.audit.keys import chain_key, forget, owner_of
from fleet.audit.trail import Action, Entry, record
from fleet.errors import ChangedMeanwhile, Invalid, VaultUnavailable
from fleet.jump_hosts.rows import owner_of_login_key
from fleet.rollouts import backups
from fleet.settings import Settings
from fleet.signing_in.second_factors.totp import owner_of_secret
from fleet.store import Store
from fleet.store.audit_tables import AuditKey, AuditRow
from fleet.store.factor_tables import AppSecret
from fleet.store.sites_tables import JumpHost
from fleet.store.vault_tables import SealedPassword
from fleet.vault import key_file as vault_key
from fleet.vault.key_file import Kept, WrappedKey
from fleet.vault.master_key import OLD_KEY, master_key, new_kept
from fleet.vault.sealing import (
    OF_AUDIT,
    OF_FACTORS,
    OF_JUMP_HOSTS,
    OF_PASSWORDS,
    SEALED_FILE,
    Damaged,
    MasterKey,
    Owner,
)

NEW_KEY = "key.new"
AT_ONCE = 500
# Told before each step that changes something; a test ends the process there.
Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A table in which data keys are wrapped under the master key. `owner` is of a row of the columns `named`."""

    table: Any
    id: Any
    key_id: Any
    wrapped_key: Any
    named: tuple[Any, ...]
    owner: Callable[[Any], Owner]
    purpose: str


# Every one there is: what is left out could not be read any more.
WRAPPED: Sequence[Wrapped] = (
    Wrapped(
        SealedPassword,
        SealedPassword.id,
        SealedPassword.key_id,
        SealedPassword.wrapped_key,
        (SealedPassword.camera, SealedPassword.account),
        lambda row: Owner(row.id, row.camera, row.account),
        OF_PASSWORDS,
    ),
    Wrapped(
        AppSecret,
        AppSecret.record,
        AppSecret.key_id,
        AppSecret.wrapped_key,
        (AppSecret.person,),
        lambda row: owner_of_secret(row.id, row.person),
        OF_FACTORS,
    ),
    Wrapped(
        JumpHost,
        JumpHost.record,
        JumpHost.key_id,
        JumpHost.wrapped_key,
        (),
        lambda row: owner_of_login_key(row.id),
        OF_JUMP_HOSTS,
    ),
    Wrapped(AuditKey, AuditKey.id, AuditKey.master, AuditKey.wrapped, (), lambda row: owner_of(row.id), OF_AUDIT),
)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What lies under the new key now."""

    key_id: str
    records: int
    backups: int


async def rotate(store: Store, settings: Settings, actor: str, *, step: Step = lambda _name: None) -> Rotated:
    """To its end, also where an earlier one was cut off. Raises Invalid, VaultUnavailable, StoreUnavailable."""
    if vault_key.is_credential(await asyncio.to_thread(vault_key.key_file, settings.home)):
        raise Invalid(
            "the key comes from systemd, which alone can change it: stop the service, put the key into "
            f"{settings.home / 'key'} with mode 0600, run this without the credential, and give systemd the new file"
        )
    await master_key(store, settings)  # a key that does not fit is not replaced
    present = await asyncio.to_thread(vault_key.read, settings.home / "key")
    new = await new_kept(settings, wrapped=isinstance(present, WrappedKey))
    async with store.write(durable=True) as connection:  # nobody seals anything meanwhile
        await asyncio.to_thread(_change, settings.home, new, step)
    key = await master_key(store, settings)
    if key.earlier is None:
        raise VaultUnavailable(f"{settings.home / OLD_KEY} is gone: somebody else has just finished this")
    step("wrap")
    async with store.write(durable=True) as connection:
        # This entry is the first that is made with the new key; the chain keeps the key of those before.
        forget(connection)
        said = {"from": key.earlier.id, "to": key.id}
        await record(connection, Entry(actor, Action.VAULT_ROTATE_KEY, "vault:key", said))
    for wrapped in WRAPPED:
        while await _some(store, wrapped, key, key.earlier, step):
            pass
    count = await asyncio.to_thread(_files, settings.backups, key, key.earlier, step)
    step("prove")
    async with store.write(durable=True) as connection:
        records = sum([await _prove(connection, wrapped, key) for wrapped in WRAPPED])
        await _prove_trail(connection, key)
        await asyncio.to_thread(_files, settings.backups, key, key.earlier, step)
        step("erase")
        await asyncio.to_thread(_erase, settings.home / OLD_KEY)
    step("done")
    return Rotated(key.id, records, count)


def _change(home: Path, kept: Kept, step: Step) -> None:
    """The new key takes the place of the old one, which stays beside it. Goes on where it was cut off. Blocks."""
    key, new, old = home / "key", home / NEW_KEY, home / OLD_KEY
    present = vault_key.read(key)
    if old.exists() and vault_key.id_of(vault_key.read(old)) != vault_key.id_of(present):
        return
    if isinstance(present, WrappedKey) != isinstance(kept, WrappedKey):
        raise ChangedMeanwhile("the key was moved to another place just now: run this again")
    new.unlink(missing_ok=True)  # nothing was ever wrapped under it
    step("make")
    vault_key.make(new, kept)
    step("keep")
    with suppress(FileExistsError):
        os.link(key, old)
    vault_key.to_disk(home)
    step("replace")
    new.replace(key)
    vault_key.to_disk(home)


async def _some(store: Store, wrapped: Wrapped, key: MasterKey, before: MasterKey, step: Step) -> int:
    """How many there were in this batch; each batch is a transaction, so that nobody waits for long."""
    columns = (wrapped.id.label("id"), wrapped.wrapped_key.label("wrapped"), *wrapped.named)
    query = select(*columns).where(wrapped.key_id == before.id).order_by(wrapped.id).limit(AT_ONCE)
    async with store.write(durable=True) as connection:
        rows = (await connection.execute(query)).all()
        anew = await asyncio.to_thread(_rewrapped, rows, wrapped, key, before)
        for row_id, bytes_ in anew:
            mine = update(wrapped.table).where(wrapped.id == row_id)
            values = {wrapped.key_id: key.id, wrapped.wrapped_key: bytes_}
            await connection.execute(mine.values(values))
        step("batch")
    return len(rows)


def _rewrapped(rows: Sequence[Any], wrapped: Wrapped, key: MasterKey, before: MasterKey) -> list[tuple[str, bytes]]:
    try:
        return [(row.id, key.rewrap(row.wrapped, before, wrapped.owner(row), wrapped.purpose)) for row in rows]
    except Damaged:
        raise VaultUnavailable(
            "a stored password was changed in the database and does not open, so nothing was erased: put back a "
            "backup of the database, and run this again"
        ) from None


async def _prove(connection: AsyncConnection, wrapped: Wrapped, key: MasterKey) -> int:
    """Every one opens under the new key. Raises VaultUnavailable."""
    columns = (wrapped.id.label("id"), wrapped.wrapped_key.label("wrapped"), *wrapped.named)
    total, last = 0, ""
    other = select(func.count()).select_from(wrapped.table).where(wrapped.key_id != key.id)
    if left := await connection.scalar(other):
        raise VaultUnavailable(f"{left} records are sealed with a key that is neither the new nor the old one")
    while rows := (
        await connection.execute(select(*columns).where(wrapped.id > last).order_by(wrapped.id).limit(AT_ONCE))
    ).all():
        opened = await asyncio.to_thread(_all_open, rows, wrapped, key)
        if not opened:
            raise VaultUnavailable("a record does not open under the new key, so the old one was not erased")
        total, last = total + len(rows), rows[-1].id
    return total


async def _prove_trail(connection: AsyncConnection, key: MasterKey) -> None:
    used = set(await connection.scalars(select(AuditRow.key_id).distinct()))
    kept = set(await connection.scalars(select(AuditKey.id)))
    if used - kept - {chain_key(key).id}:
        raise VaultUnavailable("a key of the audit trail is not kept, so the old master key was not erased")


def _all_open(rows: Sequence[Any], wrapped: Wrapped, key: MasterKey) -> bool:
    return all(key.opens(row.wrapped, wrapped.owner(row), wrapped.purpose) for row in rows)


def _files(folder: Path, key: MasterKey, before: MasterKey, step: Step) -> int:
    """Backups, one file after the other; how many there are. Blocks."""
    count = 0
    for path in sorted(folder.glob(f"*{SEALED_FILE}")):
        if not path.name.startswith("."):
            if backups.rewrap(path, key, before):
                step("file")
            count += 1
    return count


def _erase(path: Path) -> None:
    with path.open("r+b") as file:
        vault_key.write_over(file.fileno())
    path.unlink()
    for half_made in path.parent.glob(f".{NEW_KEY}.*"):
        half_made.unlink()
    vault_key.to_disk(path.parent)
