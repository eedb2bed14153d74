"""Sessions of people who are signed in: kept here, known to the browser by a random token only.

Every proof gives a session another token: whoever held the one before holds nothing.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record
from fleet.errors import BeginAgain, NotFound
from fleet.people.accounts import COLUMNS, Person, person_of
from fleet.people.passwords import token_hash
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.engine import place_of
from fleet.store.ids import new_id

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
# For so long does a proof count for what is dangerous.
PROVED = timedelta(minutes=10)
_TOKEN_BYTES = 32
# So often is the last use of a session written down: a page is not a reason to write.
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as the network tells: an address, and what the browser calls itself in a few words."""

    source: str
    browser: str = ""


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
    id: str
    proved_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as it may be listed: nothing in it opens anything."""

    id: str
    source: str
    browser: str
    proof: str
    created_at: datetime
    used_at: datetime


async def begin(connection: AsyncConnection, person: str, asker: Asker, proof: str) -> SessionToken:
    """A new session, within the transaction that let the person in. `proof` is what they showed."""
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), place_of(connection).now()
    row = {"id": new_id(), "token_hash": token_hash(token), "person": person, "proof": proof, "proved_at": now}
    seen = {"source": clean_text(asker.source, 64), "browser": clean_text(asker.browser, 64)}
    await connection.execute(delete(t.Session).where(t.Session.created_at <= now - ABSOLUTE))
    await connection.execute(insert(t.Session), [row | seen | {"created_at": now, "used_at": now}])
    return SessionToken(Secret(token), now + ABSOLUTE)


async def prove_again(connection: AsyncConnection, signed_in: SignedIn, proof: str) -> SessionToken:
    """The same session under another token, proved now. Raises BeginAgain where it has ended meanwhile."""
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), place_of(connection).now()
    values = {"token_hash": token_hash(token), "proof": proof, "proved_at": now, "used_at": now}
    done = await connection.execute(update(t.Session).where(t.Session.id == signed_in.id).values(**values))
    if not done.rowcount:
        raise BeginAgain
    return SessionToken(Secret(token), signed_in.signed_in_at + ABSOLUTE)


def recently_proved(signed_in: SignedIn, now: datetime) -> bool:
    """Was it shown within ten minutes that it is really this person?"""
    return now < signed_in.proved_at + PROVED


async def session(store: Store, token: str) -> SignedIn | None:
    """The live session of that token: used within 30 minutes and begun within 12 hours, else `None`."""
    digest, now = token_hash(token), store.now()
    columns = (t.Session.id.label("session"), t.Session.created_at.label("begun"))
    used = (t.Session.used_at, t.Session.proved_at)
    theirs = select(*COLUMNS, *columns, *used).select_from(t.Session).join(t.Person, t.Person.id == t.Session.person)
    theirs = theirs.where(t.Person.disabled_at.is_(None))
    async with store.read() as connection:
        row = (await connection.execute(theirs.where(t.Session.token_hash == digest))).first()
    if row is None:
        return None
    if not _lives(row.begun, row.used_at, now):
        await _forget(store, digest)
        return None
    if now >= row.used_at + _NOTED_EVERY:
        async with store.write() as connection:
            await connection.execute(update(t.Session).where(t.Session.token_hash == digest).values(used_at=now))
    return SignedIn(person_of(row), csrf_of(token), row.begun, row.session, row.proved_at)


def _lives(begun: datetime, used: datetime, now: datetime) -> bool:
    return now < begun + ABSOLUTE and now < used + IDLE


async def sign_out(store: Store, token: str) -> None:
    """End that session; no error where there is none."""
    theirs = select(t.Person.id, t.Person.name).join(t.Session, t.Session.person == t.Person.id)
    async with store.write() as connection:
        person = (await connection.execute(theirs.where(t.Session.token_hash == token_hash(token)))).first()
        if person is not None:
            await connection.execute(delete(t.Session).where(t.Session.token_hash == token_hash(token)))
            await record(connection, Entry(person.name, Action.SESSION_SIGN_OUT, f"person:{person.id}"))


async def _forget(store: Store, digest: str) -> None:
    async with store.write() as connection:
        await connection.execute(delete(t.Session).where(t.Session.token_hash == digest))


# --- somebody's sessions ----------------------------------------------------------------------------------------------


async def sessions_of(store: Store, person: str) -> tuple[SessionView, ...]:
    """Those that live, the last used first."""
    columns = (t.Session.id, t.Session.source, t.Session.browser, t.Session.proof)
    theirs = select(*columns, t.Session.created_at, t.Session.used_at).where(t.Session.person == person)
    async with store.read() as connection:
        rows = (await connection.execute(theirs.order_by(t.Session.used_at.desc()))).all()
    return tuple(SessionView(*row) for row in rows if _lives(row.created_at, row.used_at, store.now()))


async def end(store: Store, person: Person, session: str, actor: str) -> None:
    """End one session of that person. Raises NotFound."""
    async with store.write() as connection:
        mine = (t.Session.person == person.id, t.Session.id == session)
        if not (await connection.execute(delete(t.Session).where(*mine))).rowcount:
            raise NotFound("there is no such session (any more)")
        await record(connection, Entry(actor, Action.SESSION_END, f"person:{person.id}", {"sessions": 1}))


async def end_all(store: Store, person: Person, actor: str, *, but: str = "") -> int:
    """End all sessions of that person except `but`; how many there were."""
    async with store.write() as connection:
        return await end_all_within(connection, person, actor, but=but)


async def end_all_within(connection: AsyncConnection, person: Person, actor: str, *, but: str = "") -> int:
    others = (t.Session.person == person.id, t.Session.id != but)
    ended = (await connection.execute(delete(t.Session).where(*others))).rowcount
    if ended:
        await record(connection, Entry(actor, Action.SESSION_END, f"person:{person.id}", {"sessions": ended}))
    return ended


def csrf_of(token: str) -> str:
    """Follows from the session's token, which only its browser has; so it need not be stored."""
    return hmac.new(token.encode(), b"camwarden csrf", hashlib.sha256).hexdigest()
