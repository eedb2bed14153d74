"""Where the change of one camera's password is written down: its row and the vault, always in one transaction."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.errors import Busy
from fleet.rotations import rows as rotation_rows
from fleet.rotations.rows import OpenRow
from fleet.store import Store
from fleet.store import vault_tables as v
from fleet.vault.passwords import PasswordState, Vault, log_in_with
from hardening.password_rules import PasswordRule, new_password
from hardening.passwords import Evidence, State


class RowJournal:
    """`old` is the password that the camera has now; `ours` says that it is the account we log in with.

    `tell` is called after every commit, with the state that is kept now.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        row: OpenRow,
        old: Secret,
        rule: PasswordRule,
        *,
        ours: bool,
        tell: Callable[[State], None],
    ) -> None:
        self._store, self._vault, self._row = store, vault, row
        self._old, self._rule, self._ours = old, rule, ours
        self._tell = tell

    async def keep(self, state: State, evidence: Evidence) -> None:
        """What is on its way to the camera must be on the disk: after a power cut nobody else knows of it."""
        async with self._store.write(durable=state is State.SENDING) as connection:
            await rotation_rows.change(connection, self._store, self._row, state, **_values(evidence))
        self._tell(state)

    async def seal(self, evidence: Evidence) -> Secret:
        """The old password goes into the vault with it, where it was only in the credentials file."""
        row = self._row
        new = new_password(self._rule, row.account)
        async with self._store.write(durable=True) as connection:
            old = await self._vault.put_within(connection, row.camera, row.account, self._old, row.actor)
            if self._ours:
                await log_in_with(connection, row.camera, row.account)
            version = await self._vault.seal_within(connection, row.camera, row.account, new, row.actor)
            versions = {"old_version": old, "new_version": version}
            await rotation_rows.change(connection, self._store, row, State.SEALED, **_values(evidence), **versions)
        self._row = replace(row, old_version=old, new_version=version)
        self._tell(State.SEALED)
        return new

    async def settle(self, state: State, evidence: Evidence, reason: str) -> None:
        row = self._row
        async with self._store.write() as connection:
            await rotation_rows.change(connection, self._store, row, state, **_values(evidence), detail=reason)
            if row.new_version is not None and state.final:
                await settle_vault(self._vault, connection, row, taken=state is State.CURRENT)
        self._tell(state)


async def settle_vault(vault: Vault, connection: AsyncConnection, row: OpenRow, *, taken: bool) -> None:
    """What the end of a change means for its two passwords."""
    if row.new_version is None:
        return
    same = (v.SealedPassword.camera == row.camera, v.SealedPassword.account == row.account)
    state = await connection.scalar(
        select(v.SealedPassword.state).where(*same, v.SealedPassword.version == row.new_version)
    )
    if taken:
        await vault.move_within(connection, row.camera, row.account, row.new_version, PasswordState.CURRENT)
    elif state == PasswordState.SEALED:
        await vault.move_within(connection, row.camera, row.account, row.new_version, PasswordState.ABANDONED)


async def set_by_hand(
    store: Store, vault: Vault, camera: str, account: str, password: Secret, *, actor: str, login: bool
) -> None:
    """What the operator says the camera's password is: it also ends a change that is unclear. Nothing is tried.

    Raises Invalid, and Busy while the password is being changed.
    """
    async with store.write(durable=True) as connection:
        row = await rotation_rows.open_for(connection, camera, account)
        if row is not None and row.state is not State.UNCLEAR:
            raise Busy("the password of this account is being changed just now; wait for it to end")
        if row is not None:
            said = f"the password was set by hand, by {clean_text(actor)}"
            await rotation_rows.change(connection, store, row, State.UNDONE, detail=said)
            await settle_vault(vault, connection, row, taken=False)
        await vault.put_within(connection, camera, account, password, actor)
        if login:
            await log_in_with(connection, camera, account)


def _values(evidence: Evidence) -> dict[str, object]:
    return {"evidence": evidence.as_json(), "wrong_tries": evidence.wrong}
