"""Security keys and passkeys (WebAuthn). The library checks; here is kept what it checks against.

A browser binds a key to the name of the console. It makes none for an address such as 192.0.2.1: apps work there.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

import webauthn
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.errors import Invalid
from fleet.people.accounts import Person
from fleet.signing_in import pending
from fleet.signing_in.pending import Purpose
from fleet.store.factor_tables import SecurityKey
from fleet.store.ids import new_id

MOST = 10
_MOST_NAME = 64
_MOST_ANSWER = 64 * 1024
_RP_NAME = "Camwarden"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as it may be listed."""

    id: str
    name: str
    host: str
    made_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One question to the browser: `options` are what its script hands on, `token` comes back with the answer."""

    options: str
    token: Secret


def host_for_keys(authority: str) -> str | None:
    """The name that keys are bound to, from a Host header without its port; `None` where that is an address."""
    try:
        ip_address(authority.strip("[]"))
    except ValueError:
        return authority or None
    return None


async def keys_of(connection: AsyncConnection, person: str) -> tuple[KeyView, ...]:
    """In the order in which they were made."""
    columns = (SecurityKey.id, SecurityKey.name, SecurityKey.host, SecurityKey.made_at, SecurityKey.used_at)
    rows = (
        await connection.execute(select(*columns).where(SecurityKey.person == person).order_by(SecurityKey.id))
    ).all()
    return tuple(KeyView(*row) for row in rows)


# --- a new key --------------------------------------------------------------------------------------------------------


async def ask_for_new(connection: AsyncConnection, person: Person, host: str, now: datetime) -> Ceremony:
    options = webauthn.generate_registration_options(
        rp_id=host,
        rp_name=_RP_NAME,
        user_id=person.id.encode(),
        user_name=person.name,
        exclude_credentials=await _descriptors(connection, person.id, host),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    content = {"challenge": bytes_to_base64url(options.challenge), "host": host}
    token = await pending.begin(connection, Purpose.NEW_KEY, now, person.id, content)
    return Ceremony(options_to_json(options), token)


async def add(connection: AsyncConnection, person: str, name: str, answer: "Answer", now: datetime) -> str:
    """Keep the key that answered; its name. Raises Invalid, or BeginAgain."""
    shown = clean_text(name.strip(), _MOST_NAME)
    if not shown:
        raise Invalid("give the key a name that tells it from your others")
    if len(await keys_of(connection, person)) >= MOST:
        raise Invalid(f"{MOST} keys are as many as a person may have; remove one first")
    step = await pending.take(connection, answer.token, Purpose.NEW_KEY, now)
    if step.person != person or step.content["host"] != answer.host:
        raise Invalid("the key was asked for by somebody else, or under another name of the console")
    try:
        made = webauthn.verify_registration_response(
            credential=_read(answer.credential),
            expected_challenge=base64url_to_bytes(step.content["challenge"]),
            expected_rp_id=answer.host,
            expected_origin=list(answer.origins),
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise Invalid("the browser's answer is not that of a new key; try again") from None
    credential = bytes_to_base64url(made.credential_id)
    if await connection.scalar(select(SecurityKey.id).where(SecurityKey.credential == credential)):
        raise Invalid("this key is set up already")
    row = {"id": new_id(), "person": person, "credential": credential, "public_key": made.credential_public_key}
    more = {"sign_count": made.sign_count, "host": answer.host, "name": shown, "made_at": now, "used_at": None}
    await connection.execute(insert(SecurityKey), [row | more])
    return shown


async def remove(connection: AsyncConnection, person: str, key: str) -> bool:
    mine = (SecurityKey.id == key, SecurityKey.person == person)
    return bool((await connection.execute(delete(SecurityKey).where(*mine))).rowcount)


# --- a key that is used -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from the browser's script, and under which name of the console it was asked.

    `origins` are those that a browser may say it stood at.
    """

    credential: str
    token: str
    host: str
    origins: tuple[str, ...]


async def ask(connection: AsyncConnection, person: str, host: str, now: datetime) -> Ceremony | None:
    """`None` where that person has no key for this name of the console."""
    known = await _descriptors(connection, person, host)
    if not known:
        return None
    options = webauthn.generate_authentication_options(
        rp_id=host, allow_credentials=known, user_verification=UserVerificationRequirement.PREFERRED
    )
    content = {"challenge": bytes_to_base64url(options.challenge), "host": host}
    return Ceremony(options_to_json(options), await pending.begin(connection, Purpose.USE_KEY, now, person, content))


async def right(connection: AsyncConnection, person: str, answer: Answer, now: datetime) -> bool:
    """Did a key of that person sign this question? Each question is good for one answer. Raises BeginAgain.

    A count that goes backwards is a copied key, and refused; keys that do not count say 0 for ever.
    """
    step = await pending.take(connection, answer.token, Purpose.USE_KEY, now)
    credential = _read(answer.credential)
    mine = (SecurityKey.person == person, SecurityKey.host == answer.host)
    known = select(SecurityKey).where(*mine, SecurityKey.credential == str(credential.get("id", "")))
    row = (await connection.execute(known)).first()
    if row is None or step.person != person or step.content["host"] != answer.host:
        return False
    try:
        used = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(step.content["challenge"]),
            expected_rp_id=answer.host,
            expected_origin=list(answer.origins),
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return False
    values = {"sign_count": used.new_sign_count, "used_at": now}
    await connection.execute(update(SecurityKey).where(SecurityKey.id == row.id).values(**values))
    return True


def _read(credential: str) -> dict[str, object]:
    """What the script sent; {} for anything else, which no check takes."""
    try:
        read = json.loads(credential[:_MOST_ANSWER])
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


async def _descriptors(connection: AsyncConnection, person: str, host: str) -> list[PublicKeyCredentialDescriptor]:
    mine = select(SecurityKey.credential).where(SecurityKey.person == person, SecurityKey.host == host)
    known = (await connection.execute(mine)).scalars().all()
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(credential)) for credential in known]
