"""Single sign-on: the provider says who somebody is, and the groups that it names say what they may do here.

Of the provider's knowledge only its name and the person's subject there are kept, beside a name to show. People who
come this way have no password here. What they may do is set anew at each sign-in, so a group that was left is lost.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record, record_first
from fleet.errors import BeginAgain, SingleSignOnRefused
from fleet.people import grants
from fleet.people.accounts import Person, name_key, person_of
from fleet.people.grants import Wanted
from fleet.people.passwords import NO_PASSWORD
from fleet.people.permissions import Role
from fleet.settings import OidcGroup, Settings
from fleet.signing_in import identity_provider, pending, sessions
from fleet.signing_in import steps as signing_in
from fleet.signing_in.identity_provider import Asked, Discovery, Provider
from fleet.signing_in.pending import Purpose, Step
from fleet.signing_in.sessions import Asker, SessionToken, SignedIn
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.engine import place_of
from fleet.store.factor_tables import SingleSignOn
from fleet.store.ids import new_id

_MOST_SUBJECT = 255
_MOST_GROUPS = 1000
_MOST_NAME = 48
_CALLED = ("preferred_username", "name", "sub")


@dataclass(frozen=True, slots=True)
class Begun:
    """`address` is where the browser goes; `token` stays with it and comes back with it."""

    address: str
    token: Secret


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back with the browser: the provider's `code` or `error`, our `state`, and the `token` of the cookie."""

    code: str
    state: str
    error: str
    token: str


class SingleSignOnDesk:
    """Made by `single_sign_on`. Raises SingleSignOnRefused, ProviderUnavailable and BeginAgain."""

    def __init__(self, store: Store, settings: Settings, provider: Provider) -> None:
        self._store = store
        self._settings = settings
        self._provider = provider
        self._discovery = Discovery(provider)

    async def begin(self, redirect: str, target: str, again: SignedIn | None = None) -> Begun:
        """`target` is where they wanted to go. `again` is who is signed in and proves once more who they are."""
        now = self._store.now()
        endpoints = await self._discovery.endpoints(now)
        asked = identity_provider.new_request(redirect)
        content = {**asdict(asked), "target": target, "again": again.id if again else ""}
        async with self._store.write() as connection:
            person = again.person.id if again else ""
            token = await pending.begin(connection, Purpose.SINGLE_SIGN_ON, now, person, content)
        address = identity_provider.address_for(self._provider, endpoints, asked, again=again is not None)
        return Begun(address, token)

    async def finish(self, answered: Answered, asker: Asker, present: SignedIn | None) -> tuple[SessionToken, str]:
        """A session, and where they wanted to go. What is refused goes into the audit trail."""
        async with self._store.write() as connection:
            step = await pending.take(connection, answered.token, Purpose.SINGLE_SIGN_ON, self._store.now())
        try:
            token = await self._answered(step, answered, asker, present)
        except SingleSignOnRefused as error:
            detail = {"with": signing_in.SINGLE_SIGN_ON, "wrong": str(error)}
            refused = Entry(signing_in.STRANGER, Action.SESSION_REFUSED, "", detail, asker.source)
            await record_first(self._store, refused)
            raise
        return token, step.content["target"]

    async def _answered(self, step: Step, answered: Answered, asker: Asker, present: SignedIn | None) -> SessionToken:
        claims = await self._claims(step.content, answered)
        async with self._store.write() as connection:
            if session := step.content["again"]:
                return await self._prove(connection, session, claims, present, asker)
            token = await self._let_in(connection, claims, asker)
        if token is None:
            raise SingleSignOnRefused("the provider knows you, but in no group that may use Camwarden")
        return token

    async def _claims(self, content: Mapping[str, Any], answered: Answered) -> Mapping[str, Any]:
        asked = Asked(content["state"], content["nonce"], content["verifier"], content["redirect"])
        if not hmac.compare_digest(asked.state.encode(), answered.state.encode("utf-8", "replace")):
            raise SingleSignOnRefused("the answer belongs to another sign-in than the one begun here; begin again")
        if answered.error or not answered.code:
            raise SingleSignOnRefused(f"the provider let nobody in ({clean_text(answered.error, 80) or 'no code'})")
        now = self._store.now()
        endpoints = await self._discovery.endpoints(now)
        again = bool(content["again"])
        return await identity_provider.claims_of(self._provider, endpoints, asked, answered.code, now, again=again)

    async def _let_in(
        self, connection: AsyncConnection, claims: Mapping[str, Any], asker: Asker
    ) -> SessionToken | None:
        """`None` for somebody without a group that may anything here: then no session and no grant is left."""
        person = await self._linked(connection, claims)
        granted = granted_by(self._settings, claims)
        if not granted:
            if person:
                await _granted(connection, person, granted)
                await sessions.end_all_within(connection, person, signing_in.SINGLE_SIGN_ON)
            return None
        person = person or await self._link(connection, claims)
        await _granted(connection, person, granted)
        return await signing_in.let_in(connection, person, asker, signing_in.SINGLE_SIGN_ON)

    async def _prove(
        self,
        connection: AsyncConnection,
        session: str,
        claims: Mapping[str, Any],
        present: SignedIn | None,
        asker: Asker,
    ) -> SessionToken:
        person = await self._linked(connection, claims)
        if present is None or present.id != session:
            raise BeginAgain
        if person is None or person.id != present.person.id:
            raise SingleSignOnRefused("somebody else signed in at the provider than is signed in here")
        return await signing_in.proved(connection, present, signing_in.SINGLE_SIGN_ON, asker)

    async def _linked(self, connection: AsyncConnection, claims: Mapping[str, Any]) -> Person | None:
        known = (SingleSignOn.issuer == self._provider.issuer, SingleSignOn.subject == _subject(claims))
        query = select(t.Person).join(SingleSignOn, SingleSignOn.person == t.Person.id).where(*known)
        row = (await connection.execute(query)).first()
        if row and row.disabled_at is not None:
            raise SingleSignOnRefused("this person is disabled here: ask an administrator")
        return row and person_of(row)

    async def _link(self, connection: AsyncConnection, claims: Mapping[str, Any]) -> Person:
        """Somebody new. A name that is taken here is not theirs: theirs then says where they come from."""
        now = place_of(connection).now()
        name = await _free_name(connection, claims)
        person = Person(new_id(), name, now, None)
        row = {"id": person.id, "name": name, "name_key": name_key(name), "created_at": now, "disabled_at": None}
        await connection.execute(insert(t.Person), [row | {"password_hash": NO_PASSWORD}])
        link = {"issuer": self._provider.issuer, "subject": _subject(claims), "person": person.id, "linked_at": now}
        await connection.execute(insert(SingleSignOn), [link])
        detail = {"issuer": self._provider.issuer}
        await record(connection, Entry(name, Action.PERSON_LINK, f"person:{person.id}", detail))
        return person


def single_sign_on(store: Store, settings: Settings) -> SingleSignOnDesk | None:
    """`None` where the settings name no provider."""
    if not (settings.oidc_issuer and settings.oidc_client_id and settings.oidc_client_secret_file):
        return None
    client, secret = settings.oidc_client_id, settings.oidc_client_secret_file
    return SingleSignOnDesk(store, settings, Provider(settings.oidc_issuer, client, secret, settings.oidc_ca_file))


async def comes_by_provider(store: Store, person: Person) -> bool:
    """Did that person ever sign in at the provider?"""
    async with store.read() as connection:
        linked = select(SingleSignOn.subject).where(SingleSignOn.person == person.id)
        return await connection.scalar(linked) is not None


# --- what the groups of the provider may do here ----------------------------------------------------------------------


def granted_by(settings: Settings, claims: Mapping[str, Any]) -> tuple[OidcGroup, ...]:
    """The rows of the table in the settings that the person's groups meet, in its order."""
    said = claims.get(settings.oidc_group_claim, ())
    groups = {said} if isinstance(said, str) else set()
    if isinstance(said, list):
        groups = {group for group in said[:_MOST_GROUPS] if isinstance(group, str)}
    return tuple(row for row in settings.oidc_groups if row.group in groups)


async def _granted(connection: AsyncConnection, person: Person, granted: Sequence[OidcGroup]) -> None:
    """From now on the groups give what they say and no more; grants that people gave stay."""
    wanted = [Wanted(Role(row.role), row.sites or None) for row in granted]
    if await grants.follow(connection, person.id, wanted, signing_in.SINGLE_SIGN_ON):
        groups = [clean_text(row.group, 80) for row in granted]
        detail = {"roles": sorted({row.role for row in granted}), "groups": groups}
        await record(connection, Entry(signing_in.SINGLE_SIGN_ON, Action.PERSON_CHANGE, f"person:{person.id}", detail))


# --- names ------------------------------------------------------------------------------------------------------------


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_SUBJECT:
        raise SingleSignOnRefused("the provider does not say who that is")
    return subject


async def _free_name(connection: AsyncConnection, claims: Mapping[str, Any]) -> str:
    said = next(str(claims[key]) for key in _CALLED if isinstance(claims.get(key), str) and claims[key].strip())
    name = clean_text(said.strip(), _MOST_NAME)
    taken = select(t.Person.id).where(t.Person.name_key == name_key(name))
    if await connection.scalar(taken) is None:
        return name
    return f"{name} ({hashlib.sha256(_subject(claims).encode()).hexdigest()[:8]})"
