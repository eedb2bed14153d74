"""How a person comes in: name and password, counted before they are looked at."""

from sqlalchemy import select, update

from fleet import login_limits, sessions
from fleet.errors import SignInRefused
from fleet.passwords import hashed, matches, outdated
from fleet.people import name_key
from fleet.sessions import SessionToken
from fleet.store import Store
from fleet.store import tables as t

_MOST_PASSWORD = 1024


async def sign_in(store: Store, name: str, password: str, source: str) -> SessionToken:
    """A new session. `source` is the address that asks. Raises SignInRefused, TooManyTries or StoreUnavailable.

    The try is counted before the password is looked at: many at once cannot overtake the count.
    """
    key = name_key(name)
    attempt = await login_limits.spend(store, key, source)
    async with store.read() as connection:
        active = (t.Person.name_key == key, t.Person.disabled_at.is_(None))
        known = select(t.Person.id, t.Person.password_hash).where(*active)
        person = (await connection.execute(known)).first()
    right = await matches(person.password_hash if person else None, password[: _MOST_PASSWORD + 1])
    if person is None or not right:
        raise SignInRefused
    stored = person.password_hash
    new_hash = await hashed(password) if outdated(stored) else stored
    async with store.write() as connection:
        await login_limits.worked(connection, attempt)
        unchanged = (t.Person.id == person.id, t.Person.password_hash == stored)
        if not (await connection.execute(update(t.Person).where(*unchanged).values(password_hash=new_hash))).rowcount:
            raise SignInRefused  # the password was changed meanwhile
        return await sessions.begin(connection, person.id, source, store.now())
