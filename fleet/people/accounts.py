"""Who may use the console: people and the first administrator."""

import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.audit.trail import RESERVED, Action, Entry, acting, record
from fleet.errors import Invalid, NotFound
from fleet.people import grants
from fleet.people.grants import Wanted
from fleet.people.passwords import NO_PASSWORD, hashed, refuse_weak, token_hash
from fleet.people.permissions import Role
from fleet.signing_in import pending
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.grants_tables import Grant
from fleet.store.ids import new_id

# The columns that `person_of` reads.
COLUMNS = (t.Person.id, t.Person.name, t.Person.created_at, t.Person.disabled_at)
_SETUP_TOKEN_BYTES = 16
_MOST_NAME = 64


@dataclass(frozen=True, slots=True)
class Person:
    """People are never deleted, because histories name them: one who is disabled may nothing."""

    id: str
    name: str
    created_at: datetime
    disabled_at: datetime | None


# --- the first administrator ------------------------------------------------------------------------------------------


async def setup_token(store: Store) -> str | None:
    """A new single-use set-up token, `None` once anybody exists. Voids the one before it; only its hash is kept."""
    token = secrets.token_urlsafe(_SETUP_TOKEN_BYTES)
    row = {"token_hash": token_hash(token), "created_at": store.now(), "used_at": None}
    async with store.write() as connection:
        if await _anybody(connection):
            return None
        await connection.execute(delete(t.SetupToken))
        await connection.execute(insert(t.SetupToken), [row])
    return token


async def needs_setup(store: Store) -> bool:
    """Does nobody exist yet?"""
    async with store.read() as connection:
        return not await _anybody(connection)


async def create_first_administrator(store: Store, token: str, name: str, password: str) -> Person:
    """Raises Invalid for a wrong or used token, a weak password, a bad name, or when somebody exists already."""
    async with store.read() as connection:  # before the expensive part, for those who only knock
        await _refuse_token(connection, token)
    row = await _person_row(store, name, password)
    async with store.write() as connection:
        await _refuse_token(connection, token)
        await connection.execute(update(t.SetupToken).values(used_at=store.now()))
        await _insert(connection, row, Wanted(Role.ADMINISTRATOR), row["name"], store.now())
        set_up = {"role": Role.ADMINISTRATOR.value}
        await record(connection, Entry(row["name"], Action.PERSON_SET_UP, f"person:{row['id']}", set_up))
    return Person(row["id"], row["name"], row["created_at"], row["disabled_at"])


async def _refuse_token(connection: AsyncConnection, token: str) -> None:
    if await _anybody(connection):
        raise Invalid("somebody exists already: ask an administrator")
    unused = select(t.SetupToken.token_hash).where(
        t.SetupToken.token_hash == token_hash(token), t.SetupToken.used_at.is_(None)
    )
    if (await connection.execute(unused)).first() is None:
        raise Invalid("this set-up token is not the one that was printed at the last start")


# --- people -----------------------------------------------------------------------------------------------------------


async def add_user(
    store: Store,
    name: str,
    password: str,
    role: Role,
    *,
    sites: Sequence[str] | None = None,
    until: datetime | None = None,
    actor: str = "",
) -> Person:
    """A person with a first grant: everywhere without `sites`, for ever without `until`. A machine has no password.

    Raises Invalid for a weak password, a name that is bad or taken, and a grant that cannot be given.
    """
    wanted = Wanted(role, None if sites is None else tuple(sites), until)
    row = await _person_row(store, name, None if role is Role.SERVICE and not password else password)
    async with store.write() as connection:
        taken = select(t.Person.id).where(t.Person.name_key == row["name_key"])
        if (await connection.execute(taken)).first():
            raise Invalid("this name is taken")
        await _insert(connection, row, wanted, actor, store.now())
        added = {"name": row["name"], **grants.said(wanted)}
        await record(connection, Entry(acting().actor, Action.PERSON_ADD, f"person:{row['id']}", added))
    return Person(row["id"], row["name"], row["created_at"], row["disabled_at"])


async def _insert(
    connection: AsyncConnection, row: Mapping[str, Any], wanted: Wanted, actor: str, now: datetime
) -> None:
    await connection.execute(insert(t.Person), [dict(row)])
    grant = await grants.new_row(connection, row["id"], wanted, actor, now)
    await connection.execute(insert(Grant), [grant])


async def set_password(store: Store, name: str, password: str) -> None:
    """Also ends every session of that person, and what they have begun. Raises NotFound or Invalid."""
    refuse_weak(password, name)
    new_hash = await hashed(password)
    async with store.write() as connection:
        found = (await connection.execute(select(t.Person.id).where(t.Person.name_key == name_key(name)))).first()
        if found is None:
            raise NotFound("there is nobody of that name")
        await connection.execute(update(t.Person).where(t.Person.id == found.id).values(password_hash=new_hash))
        ended = await connection.execute(delete(t.Session).where(t.Session.person == found.id))
        await pending.forget(connection, found.id)
        said = {"sessions_ended": ended.rowcount}
        await record(connection, Entry(acting().actor, Action.PERSON_PASSWORD, f"person:{found.id}", said))


async def people(store: Store) -> tuple[Person, ...]:
    """Everybody, by name."""
    async with store.read() as connection:
        rows = (await connection.execute(select(*COLUMNS).order_by(t.Person.name_key))).all()
    return tuple(person_of(row) for row in rows)


async def get(store: Store, person: str) -> Person:
    """Raises NotFound."""
    return await _found(store, t.Person.id == person)


async def named(store: Store, name: str) -> Person:
    """Raises NotFound."""
    return await _found(store, t.Person.name_key == name_key(name))


async def _found(store: Store, condition: ColumnElement[bool]) -> Person:
    async with store.read() as connection:
        row = (await connection.execute(select(*COLUMNS).where(condition))).first()
    if row is None:
        raise NotFound("there is nobody of that name")
    return person_of(row)


async def _anybody(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(t.Person.id).limit(1))).first() is not None


async def _person_row(store: Store, name: str, password: str | None) -> dict[str, Any]:
    shown = unicodedata.normalize("NFC", name).strip()
    if not shown or len(shown) > _MOST_NAME or clean_text(shown) != shown:
        raise Invalid(f"a name has 1 to {_MOST_NAME} printable characters")
    if name_key(shown) in RESERVED:
        raise Invalid(f"{shown!r} stands for this program itself in the audit trail: choose another name")
    if password is not None:
        refuse_weak(password, shown)
    return {
        "id": new_id(),
        "name": shown,
        "name_key": name_key(shown),
        "password_hash": NO_PASSWORD if password is None else await hashed(password),
        "created_at": store.now(),
        "disabled_at": None,
    }


def person_of(row: Any) -> Person:  # noqa: ANN401 - a row of `COLUMNS` and perhaps more
    return Person(row.id, row.name, row.created_at, row.disabled_at)


def name_key(name: str) -> str:
    """Names that differ only in case or in width of letters are one."""
    whole = name[: 4 * _MOST_NAME].encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", whole).strip().casefold()
