"""Grants: what they give, where, until when; who may not be the last; and what follows when a site changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from fleet import sites
from fleet.errors import Invalid, NotFound, SignInRefused
from fleet.people import accounts as people
from fleet.people import grants, members, tokens
from fleet.people.grants import Grant, Wanted
from fleet.people.permissions import ESTATE_WIDE, OF_TOKENS, OPEN, PERMISSIONS, Permission, Role
from fleet.people.scope import EVERYWHERE, NOWHERE, Scope
from fleet.people.tokens import Limits
from fleet.signing_in import sessions
from fleet.signing_in import steps as signing_in
from fleet.sites import Site
from fleet.store import Store
from fleet.store.grants_tables import ScanSite
from tests.fleet.samples import Clock

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GOOD = "plum-tractor-lamp"
HARBOUR = Scope(frozenset({"Harbour"}))


def grant(role: Role, *places: str, until: datetime | None = None, ended: bool = False) -> Grant:
    return Grant("g", "p", role, places or None, until, "ana", NOW, "ana" if ended else None, NOW if ended else None)


# --- what grants give -------------------------------------------------------------------------------------------------


def test_every_permission_but_the_open_ones_is_given_by_some_role() -> None:
    assert set(Permission) - OPEN == frozenset().union(*PERMISSIONS.values())
    assert set(PERMISSIONS) == set(Role)


def test_the_scopes_of_tokens_are_permissions_of_the_same_name() -> None:
    assert {scope.value for scope in tokens.Scope} == {permission.value for permission in OF_TOKENS}


def test_nobody_carries_out_and_approves_but_an_administrator() -> None:
    both = {Permission.APPROVE, Permission.CHANGE}
    assert {role for role, gives in PERMISSIONS.items() if both <= gives} == {Role.ADMINISTRATOR, Role.SERVICE}


def matrix() -> str:
    """The table of docs/people.md."""
    columns = [permission for permission in Permission if permission not in OPEN]
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for role, gives in PERMISSIONS.items():
        lines.append(f"| `{role}` | {' | '.join('yes' if one in gives else '' for one in columns)} |")
    return "\n".join(line.replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def test_the_page_of_people_shows_the_table_as_it_is() -> None:
    assert matrix() in (Path(__file__).parents[2] / "docs" / "people.md").read_text()


HELD: dict[str, tuple[Sequence[Grant], Permission, Scope]] = {
    "everywhere": ([grant(Role.OPERATOR)], Permission.CHANGE, EVERYWHERE),
    "at one site": ([grant(Role.OPERATOR, "Harbour")], Permission.CHANGE, HARBOUR),
    "not of that role": ([grant(Role.VIEWER)], Permission.CHANGE, NOWHERE),
    "two grants together": (
        [grant(Role.OPERATOR, "Harbour"), grant(Role.INTEGRATOR, "Depot")],
        Permission.SCAN,
        Scope(frozenset({"Harbour", "Depot"})),
    ),
    "the wider of two": ([grant(Role.OPERATOR, "Harbour"), grant(Role.VIEWER)], Permission.READ, EVERYWHERE),
    "the narrow one of two": ([grant(Role.OPERATOR, "Harbour"), grant(Role.VIEWER)], Permission.CHANGE, HARBOUR),
    "one that ended": ([grant(Role.OPERATOR, ended=True)], Permission.READ, NOWHERE),
    "one whose day is over": ([grant(Role.OPERATOR, until=NOW)], Permission.READ, NOWHERE),
    "one whose day is to come": (
        [grant(Role.OPERATOR, until=NOW + timedelta(seconds=1))],
        Permission.READ,
        EVERYWHERE,
    ),
    "an administrator of one site is no administrator": (
        [grant(Role.ADMINISTRATOR, "Harbour")],
        Permission.ADMINISTER,
        NOWHERE,
    ),
    "but may do the rest there": ([grant(Role.ADMINISTRATOR, "Harbour")], Permission.APPROVE, HARBOUR),
    "an auditor of one site reads no audit": ([grant(Role.AUDITOR, "Harbour")], Permission.AUDIT, NOWHERE),
    "a machine in a browser": ([grant(Role.SERVICE)], Permission.READ, NOWHERE),
}


@pytest.mark.parametrize(("held", "permission", "scope"), HELD.values(), ids=HELD)
def test_grants_give(held: Sequence[Grant], permission: Permission, scope: Scope) -> None:
    assert grants.rights(held, NOW).scope(permission) == scope


def test_a_machine_has_by_its_token_what_a_browser_does_not_give_it() -> None:
    rights = grants.rights([grant(Role.SERVICE, "Harbour")], NOW, machine=True)
    assert rights.scope(Permission.CHANGE) == HARBOUR
    assert not any(rights.may(permission) for permission in ESTATE_WIDE)


COVERED = {
    "everywhere covers a site": (EVERYWHERE, "Harbour", True),
    "everywhere covers no site": (EVERYWHERE, None, True),
    "a site covers itself": (HARBOUR, "Harbour", True),
    "a site covers no other": (HARBOUR, "Depot", False),
    "a site does not cover a camera of none": (HARBOUR, None, False),
    "nor does the name of none": (Scope(frozenset({""})), "", False),
    "nowhere covers nothing": (NOWHERE, "Harbour", False),
}


@pytest.mark.parametrize(("scope", "site", "covers"), COVERED.values(), ids=COVERED)
def test_a_scope_covers(scope: Scope, site: str | None, *, covers: bool) -> None:
    assert scope.covers(site) is covers


def test_scopes_are_joined_and_cut() -> None:
    depot = Scope(frozenset({"Depot"}))
    assert HARBOUR | depot == Scope(frozenset({"Harbour", "Depot"}))
    assert (HARBOUR | EVERYWHERE, HARBOUR & EVERYWHERE, HARBOUR & depot) == (EVERYWHERE, HARBOUR, NOWHERE)


# --- giving and ending ------------------------------------------------------------------------------------------------


async def person(store: Store, name: str, role: Role, *places: str, until: datetime | None = None) -> str:
    """Without a password, which would take long to hash: the grant that counts is the second."""
    made = await people.add_user(store, name, "", Role.SERVICE)
    if role is not Role.SERVICE:
        await grants.give(store, made.id, Wanted(role, places or None, until), "ana")
    return made.id


async def harbour(store: Store) -> None:
    await sites.put(store, Site("Harbour", ("10.1.0.0/16",)), "ana")


async def newest(store: Store, who: str) -> Grant:
    return (await members.member(store, who)).grants[-1]


async def test_a_grant_is_given_ended_and_kept_as_history(store: Store) -> None:
    await harbour(store)
    berta = await person(store, "Berta", Role.INTEGRATOR, "Harbour")
    given = await newest(store, berta)
    assert (given.role, given.sites, given.made_by) == (Role.INTEGRATOR, ("Harbour",), "ana")
    assert (await grants.rights_of(store, berta)).scope(Permission.SCAN) == HARBOUR
    await grants.end(store, given.id, "carl")
    assert not (await grants.rights_of(store, berta)).may(Permission.SCAN)
    assert (await newest(store, berta)).ended_by == "carl"
    with pytest.raises(NotFound):
        await grants.end(store, given.id, "carl")


async def test_a_grant_ends_by_its_day(store: Store, clock: Clock) -> None:
    berta = await person(store, "Berta", Role.VIEWER, until=store.now() + timedelta(hours=1))
    assert (await grants.rights_of(store, berta)).may(Permission.READ)
    clock.forward(hours=1)
    assert not (await grants.rights_of(store, berta)).may(Permission.READ)


UNUSABLE: dict[str, tuple[Wanted, str]] = {
    "no site at all": (Wanted(Role.VIEWER, ()), "at least one site"),
    "a site that there is not": (Wanted(Role.VIEWER, ("Atlantis",)), "there is no site 'Atlantis'"),
    "a day that is over": (Wanted(Role.VIEWER, until=datetime(2020, 1, 1, tzinfo=UTC)), "still to come"),
    "a time of no zone": (Wanted(Role.VIEWER, until=datetime(2099, 1, 1)), "still to come"),  # noqa: DTZ001 - the row
    "the same once more": (Wanted(Role.SERVICE), "holds that grant already"),
}


@pytest.mark.parametrize(("wanted", "said"), UNUSABLE.values(), ids=UNUSABLE)
async def test_a_grant_that_cannot_be_given(store: Store, wanted: Wanted, said: str) -> None:
    berta = await person(store, "Berta", Role.SERVICE)
    with pytest.raises(Invalid, match=said):
        await grants.give(store, berta, wanted, "ana")


async def test_nobody_is_given_a_grant_who_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound):
        await grants.give(store, "nobody", Wanted(Role.VIEWER), "ana")


async def ended(store: Store, who: str) -> None:
    await grants.end(store, (await newest(store, who)).id, "ana")


OTHERS: dict[str, tuple[Role, tuple[str, ...], timedelta | None]] = {
    "nobody else": (Role.VIEWER, (), None),
    "an administrator of one site": (Role.ADMINISTRATOR, ("Harbour",), None),
    "an administrator until tomorrow": (Role.ADMINISTRATOR, (), timedelta(days=1)),
}


@pytest.mark.parametrize("how", [ended, members.disable], ids=["ended", "disabled"])
@pytest.mark.parametrize(("role", "places", "lasting"), OTHERS.values(), ids=OTHERS)
async def test_the_last_administrator_of_the_whole_estate_stays(
    store: Store, role: Role, places: tuple[str, ...], lasting: timedelta | None, how: object
) -> None:
    assert callable(how)
    await harbour(store)
    ana = await person(store, "Ana", Role.ADMINISTRATOR)
    await person(store, "Berta", role, *places, until=None if lasting is None else store.now() + lasting)
    with pytest.raises(Invalid, match="last administrator"):
        await how(store, ana)
    assert (await grants.rights_of(store, ana)).may(Permission.ADMINISTER)
    await person(store, "Carl", Role.ADMINISTRATOR)
    await how(store, ana)
    assert not (await grants.rights_of(store, ana)).may(Permission.ADMINISTER)


async def test_whoever_is_disabled_may_nothing_at_once_and_is_not_let_in(store: Store) -> None:
    berta = (await people.add_user(store, "Berta", GOOD, Role.VIEWER)).id
    session = await signing_in.sign_in(store, "Berta", GOOD, "127.0.0.1")
    await members.disable(store, berta)
    assert await sessions.session(store, session.token.reveal()) is None
    assert not (await grants.rights_of(store, berta)).may(Permission.READ)
    with pytest.raises(SignInRefused):
        await signing_in.sign_in(store, "Berta", GOOD, "127.0.0.1")
    await members.enable(store, berta)
    assert (await grants.rights_of(store, berta)).may(Permission.READ)
    assert await sessions.session(store, session.token.reveal()) is None
    await signing_in.sign_in(store, "Berta", GOOD, "127.0.0.1")


# --- tokens -----------------------------------------------------------------------------------------------------------

S = tokens.Scope


async def rights_by_token(store: Store, *scopes: tokens.Scope, limits: Limits) -> grants.Rights:
    token, _ = await tokens.create(store, "ci", scopes, "ana", days=1, limits=limits)
    return await tokens.rights(store, token)


async def test_a_token_may_no_more_than_whoever_made_it_may_when_it_is_used(store: Store) -> None:
    await harbour(store)
    berta = await person(store, "Berta", Role.INTEGRATOR, "Harbour")
    token, _ = await tokens.create(store, "ci", [S.READ, S.CHANGE], "Berta", days=1, limits=Limits(berta))
    rights = await tokens.rights(store, token)
    # The grant of machines, which every person of these tests holds too, is for tokens: it is ended first.
    await grants.end(store, (await members.member(store, berta)).grants[0].id, "ana")
    rights = await tokens.rights(store, token)
    assert (rights.scope(Permission.READ), rights.scope(Permission.CHANGE)) == (HARBOUR, NOWHERE)
    await ended(store, berta)
    assert not (await tokens.rights(store, token)).may(Permission.READ)


async def test_a_token_is_held_to_its_sites_and_to_none_of_what_concerns_the_estate(store: Store) -> None:
    await harbour(store)
    rights = await rights_by_token(store, S.READ, S.AUDIT, limits=Limits(sites=("Harbour",)))
    assert (rights.scope(Permission.READ), rights.scope(Permission.AUDIT)) == (HARBOUR, NOWHERE)
    rights = await rights_by_token(store, S.READ, S.AUDIT, limits=Limits())
    assert (rights.scope(Permission.READ), rights.scope(Permission.AUDIT)) == (EVERYWHERE, EVERYWHERE)


async def test_a_token_of_somebody_disabled_opens_nothing(store: Store) -> None:
    machine = await person(store, "harbour-nvr", Role.SERVICE)
    token, _ = await tokens.create(store, "nvr", [S.READ], "ana", days=1, limits=Limits(machine))
    assert (await tokens.rights(store, token)).may(Permission.READ)
    await members.disable(store, machine)
    assert not (await tokens.rights(store, token)).may(Permission.READ)


SOURCES = {
    "an address in a network": (("10.1.0.0/16",), "10.1.4.7", True),
    "an address outside": (("10.1.0.0/16",), "10.2.4.7", False),
    "that very address": (("10.1.4.7",), "10.1.4.7", True),
    "one of several": (("10.1.4.7", "192.0.2.0/24"), "192.0.2.9", True),
    "an IPv4 address that came as IPv6": (("10.1.0.0/16",), "::ffff:10.1.4.7", True),
    "an IPv6 address": (("2001:db8::/32",), "2001:db8::5", True),
    "another kind of address": (("10.1.0.0/16",), "2001:db8::5", False),
    "no address": (("10.1.0.0/16",), "unknown", False),
    "any, where none is named": ((), "unknown", True),
}


@pytest.mark.parametrize(("addresses", "source", "taken"), SOURCES.values(), ids=SOURCES)
async def test_a_token_is_taken_from(store: Store, addresses: tuple[str, ...], source: str, *, taken: bool) -> None:
    _, text = await tokens.create(store, "ci", [S.READ], "ana", days=1, limits=Limits(addresses=addresses))
    assert (await tokens.check(store, text.reveal(), source) is not None) is taken


NARROW: dict[str, tuple[Limits, str]] = {
    "no network": (Limits(addresses=("10.1.0.0/16", "nowhere")), "10.1.4.7"),
    "an address inside a network": (Limits(addresses=("10.1.4.7/16",)), "10.1.4.7"),
    "a site that there is not": (Limits(sites=("Atlantis",)), "there is no site"),
    "no site at all": (Limits(sites=()), "at least one site"),
    "a book of networks": (Limits(addresses=("10.1.4.7",) * 51), "at most 50"),
}


@pytest.mark.parametrize(("limits", "said"), NARROW.values(), ids=NARROW)
async def test_a_token_that_cannot_be_held_to_that_is_not_made(store: Store, limits: Limits, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        await tokens.create(store, "ci", [S.READ], "ana", days=1, limits=limits)
    assert await tokens.tokens(store) == ()


# --- when sites change ------------------------------------------------------------------------------------------------


async def scan_sites(store: Store) -> set[str]:
    async with store.read() as connection:
        return set(await connection.scalars(select(ScanSite.site)))


async def test_a_renamed_site_keeps_its_people_and_tokens(store: Store) -> None:
    await harbour(store)
    berta = await person(store, "Berta", Role.VIEWER, "Harbour")
    token, _ = await tokens.create(store, "ci", [S.READ], "ana", days=1, limits=Limits(sites=("Harbour",)))
    await sites.put(store, replace(await sites.find(store, "Harbour"), name="Port"), "ana", instead_of="Harbour")
    assert (await grants.rights_of(store, berta)).scope(Permission.READ) == Scope(frozenset({"Port"}))
    assert (await tokens.tokens(store))[0].sites == ("Port",)
    assert token.sites == ("Harbour",)


async def test_a_later_site_of_the_same_name_is_another_place(store: Store) -> None:
    await harbour(store)
    await sites.put(store, Site("Depot", ("10.2.0.0/16",)), "ana")
    berta = await person(store, "Berta", Role.VIEWER, "Harbour")
    carl = await person(store, "Carl", Role.VIEWER, "Depot", "Harbour")
    await tokens.create(store, "ci", [S.READ], "ana", days=1, limits=Limits(sites=("Harbour",)))
    await sites.remove(store, "Harbour")
    await harbour(store)
    assert (await grants.rights_of(store, berta)).scope(Permission.READ) == NOWHERE
    assert (await grants.rights_of(store, carl)).scope(Permission.READ) == Scope(frozenset({"Depot"}))
    assert not (await tokens.rights(store, (await tokens.tokens(store))[0])).may(Permission.READ)


# --- grants that follow somebody else's groups ------------------------------------------------------------------------


async def test_what_a_provider_gave_follows_its_groups_and_what_people_gave_stays(store: Store) -> None:
    await harbour(store)
    berta = await person(store, "Berta", Role.VIEWER)

    async def follow(*wanted: Wanted) -> list[tuple[Role, tuple[str, ...] | None]]:
        async with store.write() as connection:
            await grants.follow(connection, berta, wanted, "the provider")
        held = (await members.member(store, berta)).grants
        return [(one.role, one.sites) for one in held if one.lasts(store.now()) and one.role is not Role.SERVICE]

    harbour_only = Wanted(Role.OPERATOR, ("Harbour", "Atlantis"))
    assert await follow(harbour_only) == [(Role.VIEWER, None), (Role.OPERATOR, ("Harbour",))]
    assert await follow(harbour_only) == [(Role.VIEWER, None), (Role.OPERATOR, ("Harbour",))]
    assert await follow(Wanted(Role.AUDITOR)) == [(Role.VIEWER, None), (Role.AUDITOR, None)]
    assert await follow(Wanted(Role.OPERATOR, ("Atlantis",))) == [(Role.VIEWER, None)]
    assert await follow(Wanted(Role.ADMINISTRATOR)) == [(Role.VIEWER, None), (Role.ADMINISTRATOR, None)]
    assert await follow() == [(Role.VIEWER, None), (Role.ADMINISTRATOR, None)], "the last administrator stays"
