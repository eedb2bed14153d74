"""People with what they may: listed, found, disabled and let in again."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import delete, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.audit.trail import Action, Entry, acting, record
from fleet.errors import NotFound
from fleet.people import grants
from fleet.people.accounts import COLUMNS, Person, person_of
from fleet.people.grants import Grant
from fleet.people.permissions import Role
from fleet.store import Store
from fleet.store import grants_tables as g
from fleet.store import tables as t


@dataclass(frozen=True, slots=True)
class Member:
    """`grants` are all that the person ever held, the oldest first."""

    person: Person
    grants: tuple[Grant, ...]

    @property
    def is_machine(self) -> bool:
        return any(grant.role is Role.SERVICE for grant in self.grants)


async def members(store: Store) -> tuple[Member, ...]:
    """Everybody, by name."""
    async with store.read() as connection:
        rows = (await connection.execute(select(*COLUMNS).order_by(t.Person.name_key))).all()
        held: dict[str, list[Grant]] = defaultdict(list)
        for grant in await grants.stored(connection, true()):
            held[grant.person].append(grant)
    return tuple(Member(person_of(row), tuple(held[row.id])) for row in rows)


async def member(store: Store, person: str) -> Member:
    """By id. Raises NotFound."""
    async with store.read() as connection:
        row = (await connection.execute(select(*COLUMNS).where(t.Person.id == person))).first()
        if row is None:
            raise NotFound("there is no such person")
        return Member(person_of(row), tuple(await grants.stored(connection, g.Grant.person == person)))


async def disable(store: Store, person: str) -> None:
    """From now on they may nothing, by no session and no token; all that names them stays.

    Needs the administrator role. Raises NotFound, and Invalid for the last administrator.
    """
    async with store.write() as connection:
        await _need(connection, person)
        active = (t.Person.id == person, t.Person.disabled_at.is_(None))
        async with grants.keeping_an_administrator(connection):
            await connection.execute(update(t.Person).where(*active).values(disabled_at=store.now()))
        ended = await connection.execute(delete(t.Session).where(t.Session.person == person))
        told = {"sessions_ended": ended.rowcount}
        await record(connection, Entry(acting().actor, Action.PERSON_DISABLE, f"person:{person}", told))


async def enable(store: Store, person: str) -> None:
    """Their grants and tokens hold again, as far as they have not ended. Raises NotFound."""
    async with store.write() as connection:
        await _need(connection, person)
        await connection.execute(update(t.Person).where(t.Person.id == person).values(disabled_at=None))
        await record(connection, Entry(acting().actor, Action.PERSON_ENABLE, f"person:{person}"))


async def _need(connection: AsyncConnection, person: str) -> None:
    if (await connection.execute(select(t.Person.id).where(t.Person.id == person))).first() is None:
        raise NotFound("there is no such person")
