"""Which keys the rows of the audit trail were made with: the present one follows from the master key.

It is nowhere stored. When the master key is changed, the key that followed from the old one is kept, wrapped under the
new one, so that earlier rows can still be checked.
"""

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.audit.chain import ChainKey
from fleet.errors import VaultUnavailable
from fleet.store.audit_tables import AuditKey
from fleet.store.engine import place_of
from fleet.vault.master_key import master_key_within
from fleet.vault.sealing import Damaged, MasterKey, Owner

_KEPT = "audit keys"
PURPOSE = "audit"


def chain_key(master: MasterKey) -> ChainKey:
    return ChainKey(master.derived(PURPOSE))


def owner_of(key_id: str) -> Owner:
    return Owner(key_id, "", PURPOSE)


async def present_key(connection: AsyncConnection, made_with: str | None) -> ChainKey:
    """The key for the next row. `made_with` names the last one's key, which must be this one or one that we keep.

    Raises VaultUnavailable.
    """
    place = place_of(connection)
    key = place.kept.get(_KEPT)
    if not isinstance(key, ChainKey) or made_with not in {None, key.id}:
        master = await master_key_within(connection, place.settings)
        key = chain_key(master)
        if made_with not in {None, key.id} and not await _keep(connection, master, str(made_with)):
            raise VaultUnavailable(
                f"the audit trail was written with another key than follows from {place.settings.home / 'key'}: put "
                "back the one that belongs to this database. Without it nothing can be written down, so nothing is done"
            )
        place.kept[_KEPT] = key
    return key


def forget(connection: AsyncConnection) -> None:
    """The next row asks which key is the present one."""
    place_of(connection).kept.pop(_KEPT, None)


async def keys(connection: AsyncConnection) -> dict[str, ChainKey]:
    """All that rows can have been made with, by their id. Raises VaultUnavailable."""
    master = await master_key_within(connection, place_of(connection).settings)
    present = chain_key(master)
    known = {present.id: present}
    if master.earlier:
        known[chain_key(master.earlier).id] = chain_key(master.earlier)
    for row in (await connection.execute(select(AuditKey.id, AuditKey.master, AuditKey.wrapped))).all():
        try:
            wrapped_by = master.of(row.master)
            known[row.id] = ChainKey((wrapped_by or master).unwrap(row.wrapped, owner_of(row.id)))
        except Damaged:
            continue  # its rows are then found to be made with a key that is not known
    return known


async def _keep(connection: AsyncConnection, master: MasterKey, key_id: str) -> bool:
    """Whether the key is among those that we keep: that of the master key before is put there now, at the latest."""
    if await connection.scalar(select(AuditKey.id).where(AuditKey.id == key_id)) is not None:
        return True
    before = chain_key(master.earlier) if master.earlier else None
    if before is None or before.id != key_id:
        return False
    row = {"id": key_id, "master": master.id, "wrapped": master.wrap(before.raw, owner_of(key_id))}
    await connection.execute(insert(AuditKey), [row])
    return True
