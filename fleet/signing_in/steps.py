"""How a person comes in: name and password, then a second factor where they have one or must have one.

    password ──► session                                    nothing more is asked
        ├──────► second step ──► session                    they have a factor
        └──────► enrolment ────► session                    they must have one, and have none yet

Between two steps the browser holds a token for that step and for minutes, which is no session and opens nothing. Each
try is counted before it is looked at; what was wrong goes into the audit trail and is not told to who asks.
"""

from collections.abc import Coroutine, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from fleet.audit.trail import Action, Entry, record, record_first
from fleet.audit.views import is_told_since
from fleet.errors import CodeRefused, SecondStepNeeded, SignInRefused, TooManyTries
from fleet.notices import outbox
from fleet.notices.configured import channel_names
from fleet.people import accounts as people
from fleet.people import grants
from fleet.people.accounts import Person, name_key, person_of
from fleet.people.passwords import NO_PASSWORD, hashed, matches, outdated
from fleet.settings import Settings
from fleet.signing_in import login_limits, pending, sessions
from fleet.signing_in.login_limits import Try
from fleet.signing_in.pending import Purpose
from fleet.signing_in.second_factors import enrolled, security_keys, totp
from fleet.signing_in.second_factors.enrolled import Shown
from fleet.signing_in.second_factors.security_keys import Answer, Ceremony
from fleet.signing_in.sessions import Asker, SessionToken, SignedIn
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.engine import place_of
from fleet.store.ids import new_id

Spending = Coroutine[Any, Any, Try]
MOST_PASSWORD = 1024
SINGLE_SIGN_ON = "single sign-on"
# Who acts before anybody has signed in.
STRANGER = "stranger"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


# --- the first step ---------------------------------------------------------------------------------------------------


async def sign_in(store: Store, name: str, password: str, asker: Asker | str) -> SessionToken:
    """A new session. `asker` is the address that asks, and perhaps its browser.

    Raises SecondStepNeeded after a right password where more is needed; SignInRefused, TooManyTries or
    StoreUnavailable.
    """
    asker = Asker(asker) if isinstance(asker, str) else asker
    key = name_key(name)
    async with store.read() as connection:
        settings = place_of(connection).settings
        active = (t.Person.name_key == key, t.Person.disabled_at.is_(None))
        row = (await connection.execute(select(t.Person).where(*active))).first()
    attempt = await _counted(store, row, asker, login_limits.spend(store, key, asker.source))
    right = await matches(row.password_hash if row else None, password[: MOST_PASSWORD + 1])
    if row is None or not right or _only_single_sign_on(settings, row.name):
        why = "nobody of that name" if row is None else "single sign-on is required" if right else "password"
        await record_first(store, _entry(row, Action.SESSION_REFUSED, asker, {"wrong": why}))
        raise SignInRefused
    new_hash = await hashed(password) if outdated(row.password_hash) else row.password_hash
    async with store.write() as connection:
        await login_limits.worked(connection, attempt)
        unchanged = (t.Person.id == row.id, t.Person.password_hash == row.password_hash)
        if not (await connection.execute(update(t.Person).where(*unchanged).values(password_hash=new_hash))).rowcount:
            raise SignInRefused  # the password was changed meanwhile
        then = await _after_password(store, connection, _person(row), asker)
    if isinstance(then, SecondStepNeeded):
        raise then
    return then


async def _after_password(
    store: Store, connection: AsyncConnection, person: Person, asker: Asker
) -> SessionToken | SecondStepNeeded:
    if (await enrolled.factors_within(connection, person.id)).any:
        return SecondStepNeeded(
            await pending.begin(connection, Purpose.SECOND_STEP, store.now(), person.id), enrol=False
        )
    held = [grant for grant in await grants.of_person(connection, person.id) if grant.lasts(store.now())]
    if enrolled.must_have(held, place_of(connection).settings.second_factor):
        await totp.propose(connection, person.id, store.now())
        return SecondStepNeeded(await pending.begin(connection, Purpose.ENROL, store.now(), person.id), enrol=True)
    return await let_in(connection, person, asker, "password")


async def let_in(connection: AsyncConnection, person: Person, asker: Asker, proof: str) -> SessionToken:
    """A session for somebody who proved who they are, written into the audit trail."""
    await record(connection, _entry(person, Action.SESSION_SIGN_IN, asker, {"with": proof}))
    if proof != SINGLE_SIGN_ON and is_break_glass(place_of(connection).settings, person.name):
        await _tell_break_glass(connection, person, asker)
    return await sessions.begin(connection, person.id, asker, proof)


async def _tell_break_glass(connection: AsyncConnection, person: Person, asker: Asker) -> None:
    place = place_of(connection)
    await record(connection, _entry(person, Action.SESSION_BREAK_GLASS, asker))
    text = f"{person.name} signed in from {asker.source}: the account that is kept for emergencies.\n"
    content = {"subject": "Camwarden: the emergency account was used", "text": text}
    channels = channel_names(place.settings)
    await outbox.tell(connection, f"break-glass:{new_id()}", "alert", content, channels=channels, now=place.now())


def is_break_glass(settings: Settings, name: str) -> bool:
    """Is it the one account whose password counts where the identity provider is to be asked?"""
    return bool(settings.break_glass) and name_key(name) == name_key(settings.break_glass)


def _only_single_sign_on(settings: Settings, name: str) -> bool:
    return settings.oidc_required and not is_break_glass(settings, name)


# --- the second step --------------------------------------------------------------------------------------------------


async def person_between(store: Store, token: str, purpose: Purpose) -> Person:
    """Whose second step or enrolment that is. Raises BeginAgain."""
    async with store.read() as connection:
        return await _between(connection, token, purpose)


async def ask_for_key(store: Store, person: Person, host: str | None) -> Ceremony | None:
    """The question to a security key, `None` where none of theirs works under this name of the console."""
    if host is None:
        return None
    async with store.write() as connection:
        return await security_keys.ask(connection, person.id, host, store.now())


async def second_step(store: Store, token: str, shown: Shown, asker: Asker) -> SessionToken:
    """The session, after a right factor. Raises CodeRefused (the token then still works), BeginAgain, TooManyTries."""
    person = await person_between(store, token, Purpose.SECOND_STEP)
    attempt = await _counted(store, person, asker, login_limits.spend_second_step(store, person.id, asker.source))
    async with store.write() as connection:
        await _between(connection, token, Purpose.SECOND_STEP)
        factor = await enrolled.proved(connection, person.id, shown, store.now())
        if factor:
            await login_limits.worked(connection, attempt)
            await pending.take(connection, token, Purpose.SECOND_STEP, store.now())
            return await let_in(connection, person, asker, f"password, {factor}")
        await record(connection, _entry(person, Action.SESSION_REFUSED, asker, {"wrong": "second factor"}))
    raise CodeRefused


async def enrol_app(store: Store, token: str, code: str, asker: Asker) -> tuple[SessionToken, tuple[Secret, ...]]:
    """The session and the recovery codes of somebody who had to set up a factor. Raises CodeRefused, BeginAgain."""
    async with store.write() as connection:
        person = await _between(connection, token, Purpose.ENROL)
        codes = await enrolled.add_app(connection, person, code, store.now())
        return await _enrolled(connection, token, person, asker, "password, app"), codes


async def enrol_key(
    store: Store, token: str, name: str, answer: Answer, asker: Asker
) -> tuple[SessionToken, tuple[Secret, ...]]:
    """As `enrol_app`. Raises Invalid, BeginAgain."""
    async with store.write() as connection:
        person = await _between(connection, token, Purpose.ENROL)
        codes = await enrolled.add_key(connection, person, name, answer, store.now())
        return await _enrolled(connection, token, person, asker, "password, security key"), codes


async def _enrolled(connection: AsyncConnection, token: str, person: Person, asker: Asker, proof: str) -> SessionToken:
    await pending.take(connection, token, Purpose.ENROL, place_of(connection).now())
    return await let_in(connection, person, asker, proof)


# --- once more, before something dangerous ----------------------------------------------------------------------------


async def prove_password(store: Store, signed_in: SignedIn, password: str, asker: Asker) -> SessionToken:
    """The same session under another token, proved now. Raises SignInRefused, TooManyTries, BeginAgain."""
    attempt = await _right_password(store, signed_in.person, password, asker)
    async with store.write() as connection:
        await login_limits.worked(connection, attempt)
        return await proved(connection, signed_in, "password", asker)


async def _right_password(store: Store, person: Person, password: str, asker: Asker) -> Try:
    attempt = await _counted(store, person, asker, login_limits.spend(store, name_key(person.name), asker.source))
    async with store.read() as connection:
        stored = await connection.scalar(select(t.Person.password_hash).where(t.Person.id == person.id))
    if not await matches(stored, password[: MOST_PASSWORD + 1]):
        await record_first(store, _entry(person, Action.SESSION_REFUSED, asker, {"wrong": "password"}))
        raise SignInRefused("the password is wrong")
    return attempt


async def prove_factor(store: Store, signed_in: SignedIn, shown: Shown, asker: Asker) -> SessionToken:
    """As `prove_password`. Raises CodeRefused, TooManyTries, BeginAgain."""
    person = signed_in.person
    attempt = await _counted(store, person, asker, login_limits.spend_second_step(store, person.id, asker.source))
    async with store.write() as connection:
        factor = await enrolled.proved(connection, person.id, shown, store.now())
        if factor:
            await login_limits.worked(connection, attempt)
            return await proved(connection, signed_in, factor, asker)
        await record(connection, _entry(person, Action.SESSION_REFUSED, asker, {"wrong": "second factor"}))
    raise CodeRefused


async def proved(connection: AsyncConnection, signed_in: SignedIn, proof: str, asker: Asker) -> SessionToken:
    """Another token for a session of somebody who just proved who they are."""
    await record(connection, _entry(signed_in.person, Action.SESSION_PROVE, asker, {"with": proof}))
    return await sessions.prove_again(connection, signed_in, proof)


async def has_password(store: Store, person: Person) -> bool:
    """Those who came by single sign-on have none."""
    async with store.read() as connection:
        stored = await connection.scalar(select(t.Person.password_hash).where(t.Person.id == person.id))
    return stored not in {None, NO_PASSWORD}


# --- one's own account ------------------------------------------------------------------------------------------------


async def change_password(store: Store, signed_in: SignedIn, present: str, new: str, asker: Asker) -> SessionToken:
    """Every session of theirs ends, and this one begins anew. Raises Invalid, SignInRefused, TooManyTries."""
    person = signed_in.person
    attempt = await _right_password(store, person, present, asker)
    await people.set_password(store, person.name, new)
    async with store.write() as connection:
        await login_limits.worked(connection, attempt)
        return await sessions.begin(connection, person.id, asker, "password")


async def add_app(store: Store, signed_in: SignedIn, code: str) -> tuple[Secret, ...]:
    """The app is a factor from now on; recovery codes where there were none. Raises CodeRefused."""
    async with store.write() as connection:
        return await enrolled.add_app(connection, signed_in.person, code, store.now())


async def add_key(store: Store, signed_in: SignedIn, name: str, answer: Answer) -> tuple[Secret, ...]:
    """As `add_app`. Raises Invalid, BeginAgain."""
    async with store.write() as connection:
        return await enrolled.add_key(connection, signed_in.person, name, answer, store.now())


# --- both -------------------------------------------------------------------------------------------------------------


async def _between(connection: AsyncConnection, token: str, purpose: Purpose) -> Person:
    step = await pending.look(connection, token, purpose, place_of(connection).now())
    return _person((await connection.execute(select(t.Person).where(t.Person.id == step.person))).one())


def _person(row: Row[*tuple[Any, ...]]) -> Person:
    return person_of(row)


async def _counted(store: Store, person: Row[*tuple[Any, ...]] | Person | None, asker: Asker, spent: Spending) -> Try:
    """Of those who are told to wait the audit trail tells once in a while: who goes on trying must not fill it."""
    try:
        return await spent
    except TooManyTries:
        entry = _entry(person, Action.SESSION_LIMITED, asker)
        async with store.write() as connection:
            if not await is_told_since(connection, entry, store.now() - login_limits.WINDOW):
                await record(connection, entry)
        raise


def _entry(
    person: Row[*tuple[Any, ...]] | Person | None,
    action: Action,
    asker: Asker,
    detail: Mapping[str, Any] = _NOTHING,
) -> Entry:
    """What somebody does to themselves. A name that nobody has is not kept: it may be a password, typed too early."""
    name, about = (person.name, f"person:{person.id}") if person else (STRANGER, "")
    return Entry(name, action, about, detail, asker.source)
