"""The vault: passwords of cameras, sealed, with their history.

    sealed ─► current ─► previous ─► (erased)
       └────► abandoned ─► (erased)

A password is sealed before it is sent to a camera, and becomes current when the camera was seen to take it and nothing
else. The last five that were current are kept, and the last five that came to nothing: a camera that went back to an
old backup wants an old password.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Credential, Secret
from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record
from fleet.errors import Invalid, NotFound, VaultUnavailable
from fleet.notices import outbox
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import vault_tables as t
from fleet.store.engine import place_of
from fleet.store.ids import new_id
from fleet.store.tables import Camera
from fleet.store.upserts import upsert
from fleet.vault.master_key import master_key, master_key_within
from fleet.vault.sealing import Damaged, Envelope, MasterKey, Owner

KEPT = 5
MOST_PASSWORD_CHARACTERS = 1024
MOST_ACCOUNT_CHARACTERS = 64


class PasswordState(StrEnum):
    SEALED = "sealed"
    CURRENT = "current"
    PREVIOUS = "previous"
    ABANDONED = "abandoned"


S = PasswordState
TRANSITIONS: Mapping[PasswordState, frozenset[PasswordState]] = MappingProxyType(
    {
        S.SEALED: frozenset({S.CURRENT, S.ABANDONED}),
        S.CURRENT: frozenset({S.PREVIOUS}),
        S.PREVIOUS: frozenset({S.CURRENT}),
        # A camera may apply a change long after we gave it up, and go back to an old backup at any time.
        S.ABANDONED: frozenset({S.CURRENT}),
    }
)


@dataclass(frozen=True, slots=True)
class PasswordRecord:
    """One password without the password."""

    camera: str
    account: str
    version: int
    state: PasswordState
    made_at: datetime
    made_by: str
    since: datetime


class Vault:
    """Made by `open_vault`. Methods that take a connection are steps of the caller's own transaction.

    All raise VaultUnavailable where the key does not fit, and StoreUnavailable.
    """

    def __init__(self, store: Store, key: MasterKey) -> None:
        self._store = store
        self._key = key

    # --- reading ---

    async def current(self, camera: str, account: str) -> Secret | None:
        return await self._only(camera, account, PasswordState.CURRENT)

    async def version(self, camera: str, account: str, version: int) -> Secret:
        """For work that changes or proves it; people are shown one by `reveal`. Raises NotFound."""
        async with self._store.read() as connection:
            row = await _row(connection, camera, account, t.SealedPassword.version == version)
            if row is None:
                raise NotFound("there is no such password (any more)")
            return await self._opened(connection, row)

    async def current_version(self, camera: str, account: str) -> int | None:
        async with self._store.read() as connection:
            row = await _row(connection, camera, account, t.SealedPassword.state == PasswordState.CURRENT)
        return None if row is None else int(row.version)

    async def login(self, camera: str) -> Credential | None:
        """What we log in to the camera with, `None` where the vault holds nothing for it."""
        async with self._store.read() as connection:
            account = await connection.scalar(select(t.CameraLogin.account).where(t.CameraLogin.camera == camera))
        password = None if account is None else await self.current(camera, account)
        return None if account is None or password is None else Credential(account, password)

    async def history(self, camera: str, account: str | None = None) -> list[PasswordRecord]:
        """The newest first; of every account of the camera unless one is named."""
        wanted = select(t.SealedPassword).where(t.SealedPassword.camera == camera)
        if account is not None:
            wanted = wanted.where(t.SealedPassword.account == account)
        order = (t.SealedPassword.account, t.SealedPassword.version.desc())
        async with self._store.read() as connection:
            return [_record(row) for row in (await connection.execute(wanted.order_by(*order))).all()]

    async def reveal(
        self, camera: str, account: str, version: int, actor: str, reason: str, *, channels: Sequence[str] = ()
    ) -> Secret:
        """For a person's eyes. First it is written down who asked and why, and told on these `channels`.

        No row, no password. Raises NotFound, and Invalid without a reason.
        """
        why, who = clean_text(reason, 500).strip(), clean_text(actor).strip()
        if not why or not who:
            raise Invalid("say who wants to see the password, and why: it is written down")
        secret = await self.version(camera, account, version)
        said = {"account": account, "version": version, "reason": why}
        async with self._store.write(durable=True) as connection:
            await record(connection, Entry(who, Action.VAULT_REVEAL, f"camera:{camera}", said))
            place = (await connection.execute(select(Camera.address, Camera.port).where(Camera.id == camera))).first()
            where = f"{place.address}:{place.port}" if place else camera
            content = {
                "subject": f"Camwarden: {who} was shown the password of a camera",
                "text": f"{who} was shown version {version} of the password of {account} on {where}, saying: {why}",
            }
            await outbox.tell(connection, f"vault:{camera}", "alert", content, channels=channels, now=self._store.now())
        return secret

    # --- writing ---

    async def put(self, camera: str, account: str, password: Secret, actor: str, *, login: bool = False) -> int:
        """A password that is known to be the camera's: current at once. `login` makes it the account we log in with.

        Raises Invalid.
        """
        async with self._store.write() as connection:
            version = await self.put_within(connection, camera, account, password, actor)
            if login:
                await log_in_with(connection, camera, account)
        return version

    async def put_within(
        self, connection: AsyncConnection, camera: str, account: str, password: Secret, actor: str
    ) -> int:
        """The same password again changes nothing."""
        current = await _row(connection, camera, account, t.SealedPassword.state == PasswordState.CURRENT)
        if current is not None and await self._opened(connection, current) == password:
            return int(current.version)
        now = self._store.now()
        await connection.execute(
            update(t.SealedPassword)
            .where(*_of(camera, account), t.SealedPassword.state == PasswordState.CURRENT)
            .values(state=PasswordState.PREVIOUS.value, since=now)
        )
        version = await self._insert(connection, camera, account, password, actor, PasswordState.CURRENT)
        await _erase_old(connection, camera, account)
        said = {"account": account, "version": version, "instead_of": current.version if current else None}
        await record(connection, Entry(actor, Action.VAULT_PUT, f"camera:{camera}", said))
        return version

    async def seal_within(
        self, connection: AsyncConnection, camera: str, account: str, password: Secret, actor: str
    ) -> int:
        """A password that is about to be sent: kept, and not yet current."""
        return await self._insert(connection, camera, account, password, actor, PasswordState.SEALED)

    async def move_within(
        self, connection: AsyncConnection, camera: str, account: str, version: int, to: PasswordState
    ) -> None:
        """Another state for a password; one that becomes current makes the present one previous. The same is fine."""
        row = await _row(connection, camera, account, t.SealedPassword.version == version)
        if row is None:
            raise NotFound("there is no such password (any more)")
        if row.state == to:
            return
        if to not in TRANSITIONS[PasswordState(row.state)]:
            raise Invalid(f"a password that is {row.state} cannot become {to}")
        if to is PasswordState.CURRENT:
            await connection.execute(
                update(t.SealedPassword)
                .where(*_of(camera, account), t.SealedPassword.state == PasswordState.CURRENT)
                .values(state=PasswordState.PREVIOUS.value, since=self._store.now())
            )
        await connection.execute(
            update(t.SealedPassword)
            .where(t.SealedPassword.id == row.id)
            .values(state=to.value, since=self._store.now())
        )
        await _erase_old(connection, camera, account)
        said = {"account": account, "version": version, "was": row.state, "is": to.value}
        await record(connection, Entry(row.made_by, Action.VAULT_PUT, f"camera:{camera}", said))

    async def _insert(  # noqa: PLR0917 - one per column
        self, connection: AsyncConnection, camera: str, account: str, password: Secret, actor: str, state: PasswordState
    ) -> int:
        _check(account, password)
        last = await connection.scalar(select(func.max(t.SealedPassword.version)).where(*_of(camera, account)))
        owner = Owner(new_id(), camera, account)
        # Read anew, within this write: a new master key may have taken the place of the one that we knew.
        self._key = await master_key_within(connection, place_of(connection).settings)
        envelope = self._key.seal(password, owner)
        row: dict[str, Any] = {"id": owner.record, "camera": camera, "account": account, "version": (last or 0) + 1}
        row |= {"state": state.value, "key_id": self._key.id, "made_by": clean_text(actor)}
        row |= {"wrapped_key": envelope.wrapped_key, "sealed": envelope.sealed}
        now = self._store.now()
        await connection.execute(insert(t.SealedPassword), [{**row, "made_at": now, "since": now}])
        return int(row["version"])

    async def _only(self, camera: str, account: str, state: PasswordState) -> Secret | None:
        async with self._store.read() as connection:
            row = await _row(connection, camera, account, t.SealedPassword.state == state)
            return None if row is None else await self._opened(connection, row)

    async def _opened(self, connection: AsyncConnection, row: Row[*tuple[Any, ...]]) -> Secret:
        key = self._key.of(row.key_id)
        if key is None:
            self._key = await master_key_within(connection, place_of(connection).settings)
            key = self._key.of(row.key_id)
        if key is None:
            raise VaultUnavailable(
                f"this password was sealed with another key ({row.key_id}) than the one in use ({self._key.id}): "
                "put back the `key` file that belongs to this database"
            )
        try:
            return key.unseal(Envelope(row.wrapped_key, row.sealed), Owner(row.id, row.camera, row.account))
        except Damaged:
            raise VaultUnavailable(
                f"password {row.version} of account {row.account!r} was changed in the database and does not open: "
                "put back a backup of the database"
            ) from None


async def open_vault(store: Store, settings: Settings) -> Vault:
    """Raises VaultUnavailable."""
    return Vault(store, await master_key(store, settings))


async def log_in_with(connection: AsyncConnection, camera: str, account: str) -> None:
    """From now on we log in to the camera with this account."""
    row = upsert(t.CameraLogin).values(camera=camera, account=account)
    await connection.execute(row.on_conflict_do_update(index_elements=["camera"], set_={"account": account}))


def _check(account: str, password: Secret) -> None:
    if not account or len(account) > MOST_ACCOUNT_CHARACTERS or clean_text(account) != account:
        raise Invalid(f"an account's name has 1 to {MOST_ACCOUNT_CHARACTERS} printable characters")
    text = password.reveal()
    if not text or len(text) > MOST_PASSWORD_CHARACTERS or not text.isprintable():
        raise Invalid(f"a password has 1 to {MOST_PASSWORD_CHARACTERS} printable characters")


def _of(camera: str, account: str) -> tuple[Any, Any]:
    return t.SealedPassword.camera == camera, t.SealedPassword.account == account


async def _row(
    connection: AsyncConnection,
    camera: str,
    account: str,
    condition: Any,  # noqa: ANN401 - a column's comparison
) -> Row[*tuple[Any, ...]] | None:
    return (await connection.execute(select(t.SealedPassword).where(*_of(camera, account), condition))).first()


async def _erase_old(connection: AsyncConnection, camera: str, account: str) -> None:
    for state in (PasswordState.PREVIOUS, PasswordState.ABANDONED):
        of_state = (*_of(camera, account), t.SealedPassword.state == state.value)
        kept = (
            select(t.SealedPassword.id)
            .where(*of_state)
            .order_by(t.SealedPassword.since.desc(), t.SealedPassword.id.desc())
        )
        await connection.execute(
            delete(t.SealedPassword).where(*of_state, t.SealedPassword.id.not_in(kept.limit(KEPT)))
        )


def _record(row: Row[*tuple[Any, ...]]) -> PasswordRecord:
    return PasswordRecord(
        row.camera, row.account, row.version, PasswordState(row.state), row.made_at, row.made_by, row.since
    )
