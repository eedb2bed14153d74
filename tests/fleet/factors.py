"""People with second factors, and a phone that shows codes."""

import pyotp

from fleet.errors import SecondStepNeeded
from fleet.people import accounts as people
from fleet.people.accounts import Person
from fleet.people.permissions import Role
from fleet.signing_in import sessions
from fleet.signing_in import steps as signing_in
from fleet.signing_in.second_factors import enrolled
from fleet.signing_in.second_factors.enrolled import Shown
from fleet.signing_in.sessions import Asker, SignedIn
from fleet.store import Store
from tests.fleet.samples import Clock

GOOD = "plum-tractor-lamp"
HERE = Asker("192.0.2.1", "Firefox on Linux")


async def anna(store: Store, role: Role = Role.OPERATOR) -> Person:
    return await people.add_user(store, "Anna", GOOD, role)


async def signed_in(store: Store, name: str = "Anna") -> SignedIn:
    token = (await signing_in.sign_in(store, name, GOOD, HERE)).token.reveal()
    found = await sessions.session(store, token)
    assert found
    return found


class Phone:
    """An authenticator app that took a secret over."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._totp = pyotp.TOTP(secret)
        self._clock = clock

    def code(self, *, half_minutes: int = 0) -> str:
        return self._totp.at(self._clock(), counter_offset=half_minutes)


async def with_app(store: Store, clock: Clock, person: Person) -> tuple[Phone, tuple[str, ...]]:
    """The phone, and the recovery codes that came with it. Half a minute later: the first code is used up."""
    await enrolled.propose_app(store, person)
    secret = await enrolled.proposed_app(store, person)
    assert secret
    phone = Phone(secret.reveal(), clock)
    async with store.write() as connection:
        codes = await enrolled.add_app(connection, person, phone.code(), store.now())
    clock.forward(minutes=1)
    return phone, tuple(code.reveal() for code in codes)


async def after_password(store: Store, name: str = "Anna") -> str:
    """The token for the second step."""
    try:
        await signing_in.sign_in(store, name, GOOD, HERE)
    except SecondStepNeeded as needed:
        return needed.token.reveal()
    raise AssertionError("the password alone was enough")


async def come_in(store: Store, code: str, name: str = "Anna") -> SignedIn:
    """Password and code, one after the other."""
    token = await signing_in.second_step(store, await after_password(store, name), Shown(code), HERE)
    found = await sessions.session(store, token.token.reveal())
    assert found
    return found
