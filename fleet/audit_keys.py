"""Which keys the rows of the audit trail were made with: the present one follows from the master key.

It is nowhere stored. When the master key is changed, the key that followed from the old one is kept, wrapped under the
new one, so that earlier rows can still be checked.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.audit_chain import ChainKey
from fleet.errors import VaultUnavailable
from fleet.master_key import master_key_within
from fleet.sealing import Damaged, MasterKey, Owner
from fleet.store.audit_tables import AuditKey
from fleet.store.engine import place_of

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
        key = chain_key(await master_key_within(connection, place.settings))
        if made_with not in {None, key.id} and await _kept(connection, str(made_with)) is None:
            raise VaultUnavailable(
                f"the audit trail was written with another key than follows from {place.settings.home / 'key'}: put "
                "back the one that belongs to this database. Without it nothing can be written down, so nothing is done"
            )
        place.kept[_KEPT] = key
    return key


async def keys(connection: AsyncConnection) -> dict[str, ChainKey]:
    """All that rows can have been made with, by their id. Raises VaultUnavailable."""
    master = await master_key_within(connection, place_of(connection).settings)
    present = chain_key(master)
    known = {present.id: present}
    for row in (await connection.execute(select(AuditKey.id, AuditKey.master, AuditKey.wrapped))).all():
        try:
            known[row.id] = ChainKey(master.unwrap(row.wrapped, owner_of(row.id)))
        except Damaged:
            continue  # its rows are then found to be made with a key that is not known
    return known


async def _kept(connection: AsyncConnection, key_id: str) -> str | None:
    return await connection.scalar(select(AuditKey.id).where(AuditKey.id == key_id))
