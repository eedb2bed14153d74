"""People, grants and tokens by the REST API. It takes a session, not a token: a token looks after nobody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import Field

from fleet import paging
from fleet.errors import NotFound
from fleet.people import accounts as people
from fleet.people import grants, members, tokens
from fleet.people.accounts import name_key
from fleet.people.grants import Grant, Wanted
from fleet.people.members import Member
from fleet.people.permissions import Role
from fleet.people.tokens import MOST_DAYS, Limits, Scope, Token
from fleet.views import Page
from web.api_words import After, Body, Lax, Limit, Moment, once
from web.handlers.people import holder
from web.visit import Visit, Visited

Sites = Annotated[list[Annotated[str, Field(max_length=200)]] | None, Field(max_length=2000)]


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person with all grants, ended ones too."""

    id: str
    name: str
    created_at: datetime
    disabled_at: datetime | None
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class MadeToken:
    """`text` is shown this once: only a hash of it is kept."""

    token: Token
    text: str


class NewGrant(Body):
    """`sites`: names, `null` is everywhere. `until`: a moment with its zone, `null` is for ever."""

    role: Annotated[Role, Lax]
    sites: Sites
    until: Moment | None = None


class NewPerson(NewGrant):
    """With a first grant. A machine (role service) has no password."""

    name: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=1000)] = ""


class NewToken(Body):
    """`sites` as in a grant; `addresses`: networks that it is taken from, none is any.

    `machine`: the id of somebody with the role service, whose rights bound it; without it they are yours.
    """

    name: Annotated[str, Field(max_length=200)]
    scopes: Annotated[list[Annotated[Scope, Lax]], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)]
    sites: Sites
    addresses: Annotated[list[Annotated[str, Field(max_length=80)]], Field(default_factory=list, max_length=50)]
    machine: Annotated[str, Field(max_length=64)] = ""


async def listed(visit: Visited, *, after: After = None, limit: Limit = 500) -> Page[PersonView]:
    """Everybody, by name."""
    everybody = map(_view, await members.members(visit.store))
    return paging.of_all(everybody, lambda view: name_key(view.name), after, limit)


async def person(visit: Visited, person: str) -> PersonView:
    """With all grants. Its ETag, sent as If-Match with a change, makes sure that nothing else changed meanwhile."""
    return await _now(visit, person)


async def add(visit: Visited, new: NewPerson, response: Response) -> PersonView:
    """Somebody with a first grant."""
    made = await people.add_user(
        visit.store, new.name, new.password, new.role, sites=new.sites, until=new.until, actor=visit.name
    )
    response.headers["Location"] = f"/api/v1/people/{made.id}"
    return await _now(visit, made.id)


async def grant(visit: Visited, person: str, new: NewGrant) -> PersonView:
    """Another role, or the same somewhere else."""
    sites = None if new.sites is None else tuple(new.sites)
    await once(visit, lambda: grants.give(visit.store, person, Wanted(new.role, sites, new.until), visit.name))
    return await _now(visit, person)


async def end(visit: Visited, person: str, grant: str) -> PersonView:
    """End a grant at once, in open sessions too."""
    if grant not in {one.id for one in (await _now(visit, person)).grants}:
        raise NotFound("there is no such grant, or it has ended already")
    await grants.end(visit.store, grant, visit.name)
    return await _now(visit, person)


async def disable(visit: Visited, person: str) -> PersonView:
    """From now on they may nothing; what names them stays."""
    await members.disable(visit.store, person)
    return await _now(visit, person)


async def enable(visit: Visited, person: str) -> PersonView:
    """Their grants and tokens hold again, as far as they have not ended."""
    await members.enable(visit.store, person)
    return await _now(visit, person)


async def keys(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[Token]:
    """All that were ever made, the newest first; never their text."""
    return paging.newest_of(await tokens.tokens(visit.store), lambda token: token.id, after, limit)


async def key(visit: Visited, token: str) -> Token:
    """What it may, where, until when; never its text."""
    return await tokens.find(visit.store, token)


async def create_token(visit: Visited, new: NewToken) -> MadeToken:
    """Shown this once. It is worth no more than what you, or its machine, may at the moment of use."""
    sites = None if new.sites is None else tuple(new.sites)
    limits = Limits(await holder(visit, new.machine), sites, tuple(new.addresses))
    token, text = await tokens.create(visit.store, new.name, new.scopes, visit.name, days=new.days, limits=limits)
    return MadeToken(token, text.reveal())


async def revoke_token(visit: Visited, token: str) -> Response:
    """From now on it opens nothing."""
    await tokens.revoke(visit.store, token)
    return Response(status_code=204)


async def _now(visit: Visit, person: str) -> PersonView:
    return _view(await members.member(visit.store, person))


def _view(member: Member) -> PersonView:
    who = member.person
    return PersonView(who.id, who.name, who.created_at, who.disabled_at, member.grants)
