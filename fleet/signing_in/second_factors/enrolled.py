"""Which factors a person has, who must have one, and how one is proved, added, taken away or reset."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from fleet.audit.trail import Action, Entry, record
from fleet.errors import CodeRefused, Invalid, NotFound
from fleet.people.accounts import Person
from fleet.people.grants import Grant
from fleet.people.permissions import Role
from fleet.settings import Required
from fleet.signing_in import pending, sessions
from fleet.signing_in.second_factors import recovery, security_keys, totp
from fleet.signing_in.second_factors.security_keys import Answer, Ceremony, KeyView
from fleet.store import Store
from fleet.store.factor_tables import AppSecret, RecoveryCode, SecurityKey

_WHO_MUST: Mapping[Required, Callable[[frozenset[Role]], bool]] = MappingProxyType(
    {
        "optional": lambda _roles: False,
        "administrators": lambda roles: Role.ADMINISTRATOR in roles,
        "everyone": lambda _roles: True,
    }
)


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person can show. Recovery codes alone (`codes` that are left) are no factor: they replace one."""

    app_since: datetime | None
    keys: tuple[KeyView, ...]
    codes: int

    @property
    def any(self) -> bool:
        return self.app_since is not None or bool(self.keys)


@dataclass(frozen=True, slots=True)
class Shown:
    """What was given as a second factor: a `code` of the app or of the ten, or what a security key answered."""

    code: str = ""
    key: Answer | None = None


def must_have(held: Iterable[Grant], required: Required) -> bool:
    """Whether whoever holds these grants must have a factor: an administrator of one site is one, too."""
    return _WHO_MUST[required](frozenset(grant.role for grant in held))


async def factors(store: Store, person: str) -> Factors:
    async with store.read() as connection:
        return await factors_within(connection, person)


async def factors_within(connection: AsyncConnection, person: str) -> Factors:
    app = await connection.scalar(select(AppSecret.confirmed_at).where(AppSecret.person == person))
    keys = await security_keys.keys_of(connection, person)
    return Factors(app, keys, await recovery.left(connection, person))


async def proved(connection: AsyncConnection, person: str, shown: Shown, now: datetime) -> str | None:
    """Which factor it was ("app", "security key", "recovery code"), `None` where it is not right. It is used up."""
    if shown.key:
        return "security key" if await security_keys.right(connection, person, shown.key, now) else None
    code = "".join(shown.code.split())
    if recovery.looks_like_one(code):
        there = (await factors_within(connection, person)).any
        return "recovery code" if there and await recovery.right(connection, person, code, now) else None
    return "app" if await totp.right(connection, person, code, now) else None


# --- by the person ----------------------------------------------------------------------------------------------------


async def propose_app(store: Store, person: Person) -> None:
    """Raises Invalid where an app is set up already."""
    async with store.write() as connection:
        await totp.propose(connection, person.id, store.now())


async def proposed_app(store: Store, person: Person) -> Secret | None:
    """The secret that waits for its first code."""
    async with store.read() as connection:
        return await totp.proposed(connection, person.id)


async def add_app(connection: AsyncConnection, person: Person, code: str, now: datetime) -> tuple[Secret, ...]:
    """The app is a factor from now on. Gives recovery codes where there are none left. Raises CodeRefused."""
    if not await totp.confirm(connection, person.id, "".join(code.split()), now):
        raise CodeRefused
    return await _added(connection, person, {"factor": "app"})


async def ask_for_new_key(store: Store, person: Person, host: str) -> Ceremony:
    async with store.write() as connection:
        return await security_keys.ask_for_new(connection, person, host, store.now())


async def add_key(
    connection: AsyncConnection, person: Person, name: str, answer: Answer, now: datetime
) -> tuple[Secret, ...]:
    """As `add_app`. Raises Invalid, or BeginAgain."""
    kept = await security_keys.add(connection, person.id, name, answer, now)
    return await _added(connection, person, {"factor": "security key", "name": kept})


async def _added(connection: AsyncConnection, person: Person, detail: Mapping[str, str]) -> tuple[Secret, ...]:
    await record(connection, Entry(person.name, Action.FACTOR_ADD, f"person:{person.id}", detail))
    return () if await recovery.left(connection, person.id) else await recovery.renew(connection, person.id)


async def remove_app(store: Store, person: Person) -> None:
    """Raises NotFound."""
    async with store.write() as connection:
        gone = await connection.execute(delete(AppSecret).where(AppSecret.person == person.id))
        await _removed(connection, person, {"factor": "app"}, gone=bool(gone.rowcount))


async def remove_key(store: Store, person: Person, key: str) -> None:
    """Raises NotFound."""
    async with store.write() as connection:
        gone = await security_keys.remove(connection, person.id, key)
        await _removed(connection, person, {"factor": "security key"}, gone=gone)


async def _removed(connection: AsyncConnection, person: Person, detail: Mapping[str, str], *, gone: bool) -> None:
    if not gone:
        raise NotFound("there is no such factor (any more)")
    if not (await factors_within(connection, person.id)).any:  # codes replace a factor; without one they open nothing
        await connection.execute(delete(RecoveryCode).where(RecoveryCode.person == person.id))
    await record(connection, Entry(person.name, Action.FACTOR_REMOVE, f"person:{person.id}", detail))


async def renew_codes(store: Store, person: Person) -> tuple[Secret, ...]:
    """Ten others; those before no longer work. Raises Invalid without a factor that they could replace."""
    async with store.write() as connection:
        if not (await factors_within(connection, person.id)).any:
            raise Invalid("set up an app or a security key first; recovery codes are for the day on which it is lost")
        await record(connection, Entry(person.name, Action.FACTOR_RENEW_CODES, f"person:{person.id}"))
        return await recovery.renew(connection, person.id)


# --- by somebody else -------------------------------------------------------------------------------------------------


async def reset(store: Store, person: Person, actor: str) -> None:
    """Take every factor away, and end every session: somebody lost what they had. Raises Invalid for oneself."""
    if person.name == actor:
        raise Invalid("nobody resets their own factors: ask another administrator, or whoever runs the machine")
    async with store.write() as connection:
        for table in (AppSecret, SecurityKey, RecoveryCode):
            await connection.execute(delete(table).where(table.person == person.id))
        await pending.forget(connection, person.id)
        await sessions.end_all_within(connection, person, actor)
        await record(connection, Entry(actor, Action.FACTOR_RESET, f"person:{person.id}"))
