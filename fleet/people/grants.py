"""Grants: a role for a person, at some sites or everywhere, until a day or for ever. A person holds several.

What a grant gives is looked up at every request, so that one that ended opens nothing from that moment on.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, acting, record
from fleet.errors import Invalid, NotFound
from fleet.people.permissions import ESTATE_WIDE, PERMISSIONS, Permission, Role
from fleet.people.scope import EVERYWHERE, NOWHERE, Scope
from fleet.store import Store
from fleet.store import grants_tables as g
from fleet.store import tables as t
from fleet.store.access_tables import ApiToken
from fleet.store.engine import place_of
from fleet.store.ids import new_id
from fleet.store.sites_tables import Site

_MOST_GRANTS = 100


@dataclass(frozen=True, slots=True)
class Grant:
    """`sites` are names, `None` is everywhere; `until` is `None` for one that does not end by itself."""

    id: str
    person: str
    role: Role
    sites: tuple[str, ...] | None
    until: datetime | None
    made_by: str
    made_at: datetime
    ended_by: str | None
    ended_at: datetime | None

    @property
    def scope(self) -> Scope:
        return EVERYWHERE if self.sites is None else Scope(frozenset(self.sites))

    def lasts(self, now: datetime) -> bool:
        return self.ended_at is None and (self.until is None or self.until > now)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A grant as somebody asks for it."""

    role: Role
    sites: tuple[str, ...] | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """Where each permission holds, and the roles that give them (none of a token)."""

    scopes: Mapping[Permission, Scope]
    roles: frozenset[Role] = frozenset()

    @property
    def everywhere(self) -> bool:
        """Is no permission held to some sites?"""
        return all(scope.everywhere for scope in self.scopes.values())

    def scope(self, permission: Permission) -> Scope:
        return self.scopes.get(permission, NOWHERE)

    def may(self, permission: Permission) -> bool:
        """Anywhere at all."""
        return not self.scope(permission).nowhere


NOTHING = Rights(MappingProxyType({}))


def rights(held: Iterable[Grant], now: datetime, *, machine: bool = False) -> Rights:
    """What grants give together. `machine`: a token asks; to a browser the role of machines gives nothing. Pure."""
    scopes: dict[Permission, Scope] = defaultdict(lambda: NOWHERE)
    lasting = [one for one in held if one.lasts(now) and (machine or one.role is not Role.SERVICE)]
    for grant in lasting:
        for permission in PERMISSIONS[grant.role]:
            if grant.scope.everywhere or permission not in ESTATE_WIDE:
                scopes[permission] |= grant.scope
    return Rights(MappingProxyType(dict(scopes)), frozenset(grant.role for grant in lasting))


async def rights_of(store: Store, person: str, *, machine: bool = False) -> Rights:
    """Nothing for somebody who is disabled, or not there."""
    active = select(t.Person.id).where(t.Person.id == person, t.Person.disabled_at.is_(None))
    async with store.read() as connection:
        held = await stored(connection, g.Grant.person.in_(active))
    return rights(held, store.now(), machine=machine)


async def of_person(connection: AsyncConnection, person: str) -> list[Grant]:
    """All that they ever held, the oldest first."""
    return await stored(connection, g.Grant.person == person)


async def stored(connection: AsyncConnection, condition: ColumnElement[bool]) -> list[Grant]:
    """The oldest first, ended ones too."""
    rows = await connection.execute(select(g.Grant).where(condition).order_by(g.Grant.id))
    return [_grant(row) for row in rows.all()]


def _grant(row: Any) -> Grant:  # noqa: ANN401 - a row
    values = {name: getattr(row, name) for name in ("id", "person", "until", "made_by", "made_at")}
    values |= {"ended_by": row.ended_by, "ended_at": row.ended_at}
    return Grant(**values, role=Role(row.role), sites=None if row.everywhere else tuple(row.sites))


# --- giving and ending ------------------------------------------------------------------------------------------------


async def give(store: Store, person: str, wanted: Wanted, actor: str) -> str:
    """The id of the new grant. Needs the administrator role. Raises NotFound, Invalid."""
    async with store.write() as connection:
        if (await connection.execute(select(t.Person.id).where(t.Person.id == person))).first() is None:
            raise NotFound("there is no such person")
        now = store.now()
        held = [one for one in await of_person(connection, person) if one.lasts(now)]
        if len(held) >= _MOST_GRANTS:
            raise Invalid(f"a person holds at most {_MOST_GRANTS} grants at a time; end some of them")
        row = await new_row(connection, person, wanted, actor, now)
        if any((one.role, one.sites, one.until) == (wanted.role, _sites(row), wanted.until) for one in held):
            raise Invalid("this person holds that grant already")
        await connection.execute(insert(g.Grant), [row])
        told = {"grant": row["id"], **said(wanted)}
        await record(connection, Entry(acting().actor, Action.GRANT_GIVE, f"person:{person}", told))
    return str(row["id"])


def said(wanted: Wanted) -> dict[str, Any]:
    """A grant as the audit trail tells of it."""
    where = "everywhere" if wanted.sites is None else list(wanted.sites)
    return {"role": wanted.role.value, "sites": where, "until": wanted.until and wanted.until.isoformat()}


async def new_row(
    connection: AsyncConnection, person: str, wanted: Wanted, actor: str, now: datetime
) -> dict[str, Any]:
    """The row of a grant that may be given. Raises Invalid."""
    if wanted.until is not None and (wanted.until.tzinfo is None or wanted.until <= now):
        raise Invalid("a grant ends on a day that is still to come")
    sites = None if wanted.sites is None else await known_sites(connection, wanted.sites)
    return {
        "id": new_id(),
        "person": person,
        "role": wanted.role.value,
        "everywhere": sites is None,
        "sites": list(sites or ()),
        "until": wanted.until,
        "made_by": clean_text(actor),
        "made_at": now,
        "ended_by": None,
        "ended_at": None,
    }


def _sites(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    return None if row["everywhere"] else tuple(row["sites"])


async def known_sites(connection: AsyncConnection, names: Sequence[str]) -> tuple[str, ...]:
    """Each once, in order of name. Raises Invalid for none, and for one that there is not."""
    wanted = sorted(set(names))
    if not wanted:
        raise Invalid("name at least one site, or give the grant for everywhere")
    known = set(await connection.scalars(select(Site.name)))
    if missing := [name for name in wanted if name not in known]:
        raise Invalid(f"there is no site {clean_text(missing[0], 80)!r}")
    return tuple(wanted)


async def end(store: Store, grant: str, actor: str) -> None:
    """At once. Raises NotFound, and Invalid where nobody would be left to look after people."""
    now = store.now()
    mine = (g.Grant.id == grant, g.Grant.ended_at.is_(None))
    async with store.write() as connection, keeping_an_administrator(connection):
        ended = {"ended_at": now, "ended_by": clean_text(actor)}
        done = await connection.execute(update(g.Grant).where(*mine).values(ended))
        if not done.rowcount:
            raise NotFound("there is no such grant, or it has ended already")
        (over,) = await stored(connection, g.Grant.id == grant)
        told = {"grant": grant, **said(Wanted(over.role, over.sites, over.until))}
        await record(connection, Entry(acting().actor, Action.GRANT_END, f"person:{over.person}", told))


@asynccontextmanager
async def keeping_an_administrator(connection: AsyncConnection) -> AsyncIterator[None]:
    """Around a change, in its transaction. Raises Invalid where after it no active person is administrator for ever.

    One who ends by a date does not count: on that day nobody could give anybody a grant any more.
    """
    before = await _is_administered(connection)
    yield
    if before and not await _is_administered(connection):
        raise Invalid(
            "this is the last administrator of the whole estate: make somebody else administrator, everywhere and "
            "without an end, first"
        )


async def _is_administered(connection: AsyncConnection) -> bool:
    forever = (g.Grant.ended_at.is_(None), g.Grant.until.is_(None), g.Grant.everywhere.is_(True))
    lasting = (
        select(g.Grant.id)
        .join(t.Person, t.Person.id == g.Grant.person)
        .where(g.Grant.role == Role.ADMINISTRATOR.value, *forever, t.Person.disabled_at.is_(None))
    )
    return (await connection.execute(lasting.limit(1))).first() is not None


async def follow(connection: AsyncConnection, person: str, wanted: Sequence[Wanted], actor: str) -> bool:
    """What `actor` gave this person is from now on what is wanted; whether anything changed. What others gave stays.

    A grant that the estate would be left without an administrator by stays, too. Sites that are not known give nothing.
    """
    now = place_of(connection).now()
    mine = [one for one in await of_person(connection, person) if one.lasts(now) and one.made_by == clean_text(actor)]
    known = set(await connection.scalars(select(Site.name)))
    asked = {_as_known(one, known) for one in wanted}
    over = [one for one in mine if Wanted(one.role, one.sites, one.until) not in asked]
    new = asked - {Wanted(one.role, one.sites, one.until) for one in mine}
    rows = [await new_row(connection, person, one, actor, now) for one in new if one.sites != ()]
    if rows:
        await connection.execute(insert(g.Grant), rows)
    for grant in over:
        with suppress(Invalid):
            async with connection.begin_nested(), keeping_an_administrator(connection):
                ended = update(g.Grant).where(g.Grant.id == grant.id)
                await connection.execute(ended.values(ended_at=now, ended_by=clean_text(actor)))
    return bool(rows or over)


def _as_known(wanted: Wanted, known: set[str]) -> Wanted:
    return wanted if wanted.sites is None else replace(wanted, sites=tuple(sorted(known.intersection(wanted.sites))))


# --- when sites change ------------------------------------------------------------------------------------------------


async def rename_site(connection: AsyncConnection, before: str, now: str) -> None:
    """Whoever may do something at a site still may, whatever it is called."""
    await _rewrite_sites(connection, lambda names: sorted({now if name == before else name for name in names}), before)
    await connection.execute(update(g.ScanSite).where(g.ScanSite.site == before).values(site=now))


async def forget_site(connection: AsyncConnection, name: str) -> None:
    """A later site of the same name is another place: no old grant, token or scan may speak of it."""
    await _rewrite_sites(connection, lambda names: [one for one in names if one != name], name)
    scans = select(g.ScanSite.scan).where(g.ScanSite.site == name)
    nowhere = select(g.ScanSite.scan).where(g.ScanSite.site == "")
    some = list(await connection.scalars(scans.where(g.ScanSite.scan.not_in(nowhere))))
    await connection.execute(delete(g.ScanSite).where(g.ScanSite.site == name))
    if some:
        await connection.execute(insert(g.ScanSite), [{"scan": scan, "site": ""} for scan in some])


async def _rewrite_sites(connection: AsyncConnection, change: Callable[[list[str]], list[str]], name: str) -> None:
    for table in (g.Grant, ApiToken):
        rows = (await connection.execute(select(table.id, table.sites).where(table.everywhere.is_(False)))).all()
        for row in rows:
            if name in row.sites:
                await connection.execute(update(table).where(table.id == row.id).values(sites=change(row.sites)))
