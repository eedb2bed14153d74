"""Who may use the console: people, sign-in, sessions and the first administrator."""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet import login_limits
from fleet.audit import RESERVED, Action, Entry, acting, record, record_first
from fleet.audit_views import is_told_since
from fleet.errors import Invalid, NotFound, SignInRefused, TooManyTries
from fleet.passwords import hashed, matches, outdated, refuse_weak
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.ids import new_id

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
_TOKEN_BYTES = 32
_SETUP_TOKEN_BYTES = 16
_MOST_NAME = 64
_MOST_PASSWORD = 1024
_MOST_TOKEN = 256
# Who acts before anybody has signed in.
STRANGER = "stranger"
_NOTHING: Mapping[str, Any] = MappingProxyType({})
# So often is the last use of a session written down: a page is not a reason to write.
_NOTED_EVERY = timedelta(minutes=1)


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


@dataclass(frozen=True, slots=True)
class SessionToken:
    """What the browser keeps: `token.reveal()` goes into the cookie and nowhere else."""

    token: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session. `csrf` goes into each of its forms; compare with `hmac.compare_digest`."""

    person: Person
    csrf: str
    signed_in_at: datetime


# --- the first administrator ------------------------------------------------------------------------------------------


async def setup_token(store: Store) -> str | None:
    """A new single-use set-up token, `None` once anybody exists. Voids the one before it; only its hash is kept."""
    token = secrets.token_urlsafe(_SETUP_TOKEN_BYTES)
    row = {"token_hash": _digest(token), "created_at": store.now(), "used_at": None}
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
        await record(connection, _of(row["id"], row["name"], Action.PERSON_SET_UP, {"role": row["role"]}))
    return _person(row["id"], row["name"], row["role"], row["created_at"])


async def _refuse_token(connection: AsyncConnection, token: str) -> None:
    if await _anybody(connection):
        raise Invalid("somebody exists already: ask an administrator")
    unused = select(t.SetupToken.token_hash).where(
        t.SetupToken.token_hash == _digest(token), t.SetupToken.used_at.is_(None)
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
        added = {"name": row["name"], "role": row["role"]}
        await record(connection, Entry(acting().actor, Action.PERSON_ADD, f"person:{row['id']}", added))
    return _person(row["id"], row["name"], row["role"], row["created_at"])


async def set_password(store: Store, name: str, password: str) -> None:
    """Also ends every session of that person. Raises NotFound or Invalid."""
    refuse_weak(password, name)
    new_hash = await hashed(password)
    async with store.write() as connection:
        found = (await connection.execute(select(t.Person.id).where(t.Person.name_key == name_key(name)))).first()
        if found is None:
            raise NotFound("there is nobody of that name")
        await connection.execute(update(t.Person).where(t.Person.id == found.id).values(password_hash=new_hash))
        ended = await connection.execute(delete(t.Session).where(t.Session.person == found.id))
        said = {"sessions_ended": ended.rowcount}
        await record(connection, Entry(acting().actor, Action.PERSON_PASSWORD, f"person:{found.id}", said))


async def people(store: Store) -> tuple[Person, ...]:
    """Everybody, by name."""
    columns = (t.Person.id, t.Person.name, t.Person.role, t.Person.created_at)
    async with store.read() as connection:
        rows = (await connection.execute(select(*columns).order_by(t.Person.name_key))).all()
    return tuple(_person(*row) for row in rows)


async def _anybody(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(t.Person.id).limit(1))).first() is not None


async def _person_row(store: Store, name: str, password: str, role: Role) -> dict[str, Any]:
    shown = unicodedata.normalize("NFC", name).strip()
    if not shown or len(shown) > _MOST_NAME or clean_text(shown) != shown:
        raise Invalid(f"a name has 1 to {_MOST_NAME} printable characters")
    if name_key(shown) in RESERVED:
        raise Invalid(f"{shown!r} stands for this program itself in the audit trail: choose another name")
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


# --- sessions ---------------------------------------------------------------------------------------------------------


async def sign_in(store: Store, name: str, password: str, source: str) -> SessionToken:
    """A new session. `source` is the address that asks. Raises SignInRefused, TooManyTries or StoreUnavailable.

    The try is counted before the password is looked at: many at once cannot overtake the count.
    """
    key = name_key(name)
    async with store.read() as connection:
        known = select(t.Person.id, t.Person.name, t.Person.password_hash).where(t.Person.name_key == key)
        person = (await connection.execute(known)).first()
    who: tuple[str, str] = (person.id, person.name) if person else ("", "")
    try:
        attempt = await login_limits.spend(store, key, source)
    except TooManyTries:
        await _tell_limited(store, _of(*who, Action.SESSION_LIMITED, source=source))
        raise
    right = await matches(person.password_hash if person else None, password[: _MOST_PASSWORD + 1])
    if person is None or not right:
        await record_first(store, _of(*who, Action.SESSION_REFUSED, source=source))
        raise SignInRefused
    stored = person.password_hash
    new_hash = await hashed(password) if outdated(stored) else stored
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    now = store.now()
    row = {"token_hash": _digest(token), "person": person.id, "source": clean_text(source, 64)}
    async with store.write() as connection:
        await login_limits.worked(connection, attempt)
        await connection.execute(delete(t.Session).where(t.Session.created_at <= now - ABSOLUTE))
        unchanged = (t.Person.id == person.id, t.Person.password_hash == stored)
        if not (await connection.execute(update(t.Person).where(*unchanged).values(password_hash=new_hash))).rowcount:
            raise SignInRefused  # the password was changed meanwhile
        await connection.execute(insert(t.Session), [row | {"created_at": now, "used_at": now}])
        await record(connection, _of(*who, Action.SESSION_SIGN_IN, source=source))
    return SessionToken(Secret(token), now + ABSOLUTE)


def _of(person: str, name: str, action: Action, detail: Mapping[str, Any] = _NOTHING, source: str = "") -> Entry:
    """What somebody does to themselves. A name that nobody has is not kept: it may be a password, typed too early."""
    return Entry(name or STRANGER, action, f"person:{person}" if person else "", detail, source)


async def _tell_limited(store: Store, entry: Entry) -> None:
    """Once in a window for a source and a person: whoever goes on trying must not fill the trail."""
    async with store.write() as connection:
        if not await is_told_since(connection, entry, store.now() - login_limits.WINDOW):
            await record(connection, entry)


async def session(store: Store, token: str) -> SignedIn | None:
    """The live session of that token: used within 30 minutes and begun within 12 hours, else `None`."""
    digest, now = _digest(token), store.now()
    columns = (t.Person.id, t.Person.name, t.Person.role, t.Person.created_at, t.Session.created_at, t.Session.used_at)
    theirs = select(*columns).select_from(t.Session).join(t.Person, t.Person.id == t.Session.person)
    async with store.read() as connection:
        row = (await connection.execute(theirs.where(t.Session.token_hash == digest))).first()
    if row is None:
        return None
    person, name, role, created_at, begun, used = row
    if now >= begun + ABSOLUTE or now >= used + IDLE:
        await _forget(store, digest)
        return None
    if now >= used + _NOTED_EVERY:
        async with store.write() as connection:
            await connection.execute(update(t.Session).where(t.Session.token_hash == digest).values(used_at=now))
    return SignedIn(_person(person, name, role, created_at), _csrf(token), begun)


async def sign_out(store: Store, token: str) -> None:
    """End that session; no error where there is none."""
    digest = _digest(token)
    theirs = select(t.Person.id, t.Person.name).join(t.Session, t.Session.person == t.Person.id)
    async with store.write() as connection:
        person = (await connection.execute(theirs.where(t.Session.token_hash == digest))).first()
        if person is not None:
            await connection.execute(delete(t.Session).where(t.Session.token_hash == digest))
            await record(connection, _of(person.id, person.name, Action.SESSION_SIGN_OUT))


async def _forget(store: Store, digest: str) -> None:
    async with store.write() as connection:
        await connection.execute(delete(t.Session).where(t.Session.token_hash == digest))


def _digest(token: str) -> str:
    """Tokens are random, so a plain hash suffices. A longer text than any token of ours is none."""
    return hashlib.sha256(token[:_MOST_TOKEN].encode("utf-8", "replace")).hexdigest()


def _csrf(token: str) -> str:
    """Follows from the session's token, which only its browser has; so it need not be stored."""
    return hmac.new(token.encode(), b"camwarden csrf", hashlib.sha256).hexdigest()
