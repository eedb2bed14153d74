"""Passwords of accounts that plans make on cameras: sealed before any camera is told."""

from sqlalchemy import select

from cameras.secret import Secret
from fleet.store import Store
from fleet.store import tables as t
from fleet.vault.passwords import Vault
from hardening.password_rules import new_password, rule_for


async def service_password(store: Store, vault: Vault, camera: str, account: str) -> Secret:
    """The one that the vault holds for this account, else a new one that it holds from now on."""
    known = await vault.current(camera, account)
    if known is not None:
        return known
    async with store.read() as connection:
        maker = await connection.scalar(select(t.Camera.manufacturer).where(t.Camera.id == camera))
    made = new_password(rule_for(maker), account)
    await vault.put(camera, account, made, "plan")
    return made
