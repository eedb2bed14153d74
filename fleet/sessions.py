"""Sessions of people who are signed in: kept here, known to the browser by a random token only."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.passwords import token_hash
from fleet.people import COLUMNS, Person, person_of
from fleet.store import Store
from fleet.store import tables as t

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
_TOKEN_BYTES = 32
# So often is the last use of a session written down: a page is not a reason to write.
_NOTED_EVERY = timedelta(minutes=1)


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


async def begin(connection: AsyncConnection, person: str, source: str, now: datetime) -> SessionToken:
    """A new session, within the transaction that let the person in."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = {"token_hash": token_hash(token), "person": person, "source": clean_text(source, 64)}
    await connection.execute(delete(t.Session).where(t.Session.created_at <= now - ABSOLUTE))
    await connection.execute(insert(t.Session), [row | {"created_at": now, "used_at": now}])
    return SessionToken(Secret(token), now + ABSOLUTE)


async def session(store: Store, token: str) -> SignedIn | None:
    """The live session of that token: used within 30 minutes and begun within 12 hours, else `None`."""
    digest, now = token_hash(token), store.now()
    columns = (*COLUMNS, t.Session.created_at.label("begun"), t.Session.used_at)
    theirs = select(*columns).select_from(t.Session).join(t.Person, t.Person.id == t.Session.person)
    theirs = theirs.where(t.Person.disabled_at.is_(None))
    async with store.read() as connection:
        row = (await connection.execute(theirs.where(t.Session.token_hash == digest))).first()
    if row is None:
        return None
    begun, used = row.begun, row.used_at
    if now >= begun + ABSOLUTE or now >= used + IDLE:
        await _forget(store, digest)
        return None
    if now >= used + _NOTED_EVERY:
        async with store.write() as connection:
            await connection.execute(update(t.Session).where(t.Session.token_hash == digest).values(used_at=now))
    return SignedIn(person_of(row), _csrf(token), begun)


async def sign_out(store: Store, token: str) -> None:
    """End that session; no error where there is none."""
    await _forget(store, token_hash(token))


async def _forget(store: Store, digest: str) -> None:
    async with store.write() as connection:
        await connection.execute(delete(t.Session).where(t.Session.token_hash == digest))


def _csrf(token: str) -> str:
    """Follows from the session's token, which only its browser has; so it need not be stored."""
    return hmac.new(token.encode(), b"camwarden csrf", hashlib.sha256).hexdigest()
