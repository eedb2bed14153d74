"""Who may use the console: people and the first administrator."""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet import pending
from fleet.errors import Invalid, NotFound
from fleet.passwords import hashed, refuse_weak, token_hash
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.ids import new_id

_SETUP_TOKEN_BYTES = 16
_MOST_NAME = 64


class Role(StrEnum):
    """Each role may do everything the one before may: read; scan and triage; look after people."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    def may(self, needed: "Role") -> bool:
        """Does this role include the needed one?"""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    role: Role
    created_at: datetime


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
    row = await _person_row(store, name, password, Role.ADMINISTRATOR)
    async with store.write() as connection:
        await _refuse_token(connection, token)
        await connection.execute(update(t.SetupToken).values(used_at=store.now()))
        await connection.execute(insert(t.Person), [row])
    return _person(row["id"], row["name"], row["role"], row["created_at"])


async def _refuse_token(connection: AsyncConnection, token: str) -> None:
    if await _anybody(connection):
        raise Invalid("somebody exists already: ask an administrator")
    unused = select(t.SetupToken.token_hash).where(
        t.SetupToken.token_hash == token_hash(token), t.SetupToken.used_at.is_(None)
    )
    if (await connection.execute(unused)).first() is None:
        raise Invalid("this set-up token is not the one that was printed at the last start")


# --- people -----------------------------------------------------------------------------------------------------------


async def add_user(store: Store, name: str, password: str, role: Role) -> Person:
    """Raises Invalid for a weak password, or a name that is bad or taken."""
    row = await _person_row(store, name, password, role)
    async with store.write() as connection:
        taken = select(t.Person.id).where(t.Person.name_key == row["name_key"])
        if (await connection.execute(taken)).first():
            raise Invalid("this name is taken")
        await connection.execute(insert(t.Person), [row])
    return _person(row["id"], row["name"], row["role"], row["created_at"])


async def set_password(store: Store, name: str, password: str) -> None:
    """Also ends every session of that person, and what they have begun. Raises NotFound or Invalid."""
    refuse_weak(password, name)
    new_hash = await hashed(password)
    async with store.write() as connection:
        found = (await connection.execute(select(t.Person.id).where(t.Person.name_key == name_key(name)))).first()
        if found is None:
            raise NotFound("there is nobody of that name")
        await connection.execute(update(t.Person).where(t.Person.id == found.id).values(password_hash=new_hash))
        await connection.execute(delete(t.Session).where(t.Session.person == found.id))
        await pending.forget(connection, found.id)


async def people(store: Store) -> tuple[Person, ...]:
    """Everybody, by name."""
    columns = (t.Person.id, t.Person.name, t.Person.role, t.Person.created_at)
    async with store.read() as connection:
        rows = (await connection.execute(select(*columns).order_by(t.Person.name_key))).all()
    return tuple(_person(*row) for row in rows)


async def get(store: Store, person: str) -> Person:
    """Raises NotFound."""
    return await _found(store, t.Person.id == person)


async def named(store: Store, name: str) -> Person:
    """Raises NotFound."""
    return await _found(store, t.Person.name_key == name_key(name))


async def _found(store: Store, condition: ColumnElement[bool]) -> Person:
    columns = (t.Person.id, t.Person.name, t.Person.role, t.Person.created_at)
    async with store.read() as connection:
        row = (await connection.execute(select(*columns).where(condition))).first()
    if row is None:
        raise NotFound("there is nobody of that name")
    return _person(*row)


async def _anybody(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(t.Person.id).limit(1))).first() is not None


async def _person_row(store: Store, name: str, password: str, role: Role) -> dict[str, Any]:
    shown = unicodedata.normalize("NFC", name).strip()
    if not shown or len(shown) > _MOST_NAME or clean_text(shown) != shown:
        raise Invalid(f"a name has 1 to {_MOST_NAME} printable characters")
    refuse_weak(password, shown)
    return {
        "id": new_id(),
        "name": shown,
        "name_key": name_key(shown),
        "password_hash": await hashed(password),
        "role": role.value,
        "created_at": store.now(),
    }


def _person(person: str, name: str, role: str, created_at: datetime) -> Person:
    return Person(person, name, Role(role), created_at)


def name_key(name: str) -> str:
    """Names that differ only in case or in width of letters are one."""
    whole = name[: 4 * _MOST_NAME].encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", whole).strip().casefold()
