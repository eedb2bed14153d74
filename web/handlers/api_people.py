"""People, grants and tokens by the REST API. It takes a session, not a token: a token looks after nobody."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from fleet.errors import ChangedMeanwhile, NotFound
from fleet.people import accounts as people
from fleet.people import grants, members, tokens
from fleet.people.grants import Grant, Wanted
from fleet.people.members import Member
from fleet.people.permissions import Role
from fleet.people.tokens import MOST_DAYS, Limits, Scope, Token
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


class NewGrant(BaseModel):
    """`sites`: names, `null` is everywhere. `until`: a moment with its zone, `null` is for ever."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    sites: Sites
    until: datetime | None = None


class NewPerson(NewGrant):
    """With a first grant. A machine (role service) has no password."""

    name: str
    password: str = ""


class NewToken(BaseModel):
    """`sites` as in a grant; `addresses`: networks that it is taken from, none is any.

    `machine`: the id of somebody with the role service, whose rights bound it; without it they are yours.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    scopes: Annotated[list[Scope], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)]
    sites: Sites
    addresses: Annotated[list[str], Field(max_length=50)] = []
    machine: str = ""


_VIEW = TypeAdapter(PersonView)


async def listed(visit: Visited) -> list[PersonView]:
    """Everybody, by name."""
    return [_view(one) for one in await members.members(visit.store)]


async def person(visit: Visited, person: str, response: Response) -> PersonView:
    """Its ETag, sent as If-Match with a change, makes sure that nothing else changed meanwhile."""
    return await _now(visit, response, person)


async def add(visit: Visited, new: NewPerson, response: Response) -> PersonView:
    made = await people.add_user(
        visit.store, new.name, new.password, new.role, sites=new.sites, until=new.until, actor=visit.name
    )
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/people/{made.id}"
    return await _now(visit, response, made.id)


async def grant(visit: Visited, person: str, new: NewGrant, response: Response) -> PersonView:
    """With If-Match: 412 where the person is not what was looked at any more; so with all changes."""
    await _unchanged(visit, person)
    sites = None if new.sites is None else tuple(new.sites)
    await grants.give(visit.store, person, Wanted(new.role, sites, new.until), visit.name)
    response.status_code = 201
    return await _now(visit, response, person)


async def end(visit: Visited, person: str, grant: str, response: Response) -> PersonView:
    """End a grant at once, in open sessions too."""
    view = await _unchanged(visit, person)
    if grant not in {one.id for one in view.grants}:
        raise NotFound("there is no such grant, or it has ended already")
    await grants.end(visit.store, grant, visit.name)
    return await _now(visit, response, person)


async def disable(visit: Visited, person: str, response: Response) -> PersonView:
    """From now on they may nothing; what names them stays."""
    await _unchanged(visit, person)
    await members.disable(visit.store, person)
    return await _now(visit, response, person)


async def enable(visit: Visited, person: str, response: Response) -> PersonView:
    await _unchanged(visit, person)
    await members.enable(visit.store, person)
    return await _now(visit, response, person)


async def keys(visit: Visited) -> list[Token]:
    """All that were ever made, the newest first; never their text."""
    return list(await tokens.tokens(visit.store))


async def create_token(visit: Visited, new: NewToken, response: Response) -> MadeToken:
    sites = None if new.sites is None else tuple(new.sites)
    limits = Limits(await holder(visit, new.machine), sites, tuple(new.addresses))
    token, text = await tokens.create(visit.store, new.name, new.scopes, visit.name, days=new.days, limits=limits)
    response.status_code = 201
    return MadeToken(token, text.reveal())


async def revoke_token(visit: Visited, token: str) -> Response:
    """From now on it opens nothing."""
    await tokens.revoke(visit.store, token)
    return Response(status_code=204)


async def _unchanged(visit: Visit, person: str) -> PersonView:
    view = _view(await members.member(visit.store, person))
    wanted = visit.request.headers.get("if-match", "*")
    if wanted != "*" and tag(view) not in (one.strip() for one in wanted.split(",")):
        raise ChangedMeanwhile("this person has changed since you looked; look again")
    return view


async def _now(visit: Visit, response: Response, person: str) -> PersonView:
    view = _view(await members.member(visit.store, person))
    response.headers["ETag"] = tag(view)
    return view


def _view(member: Member) -> PersonView:
    who = member.person
    return PersonView(who.id, who.name, who.created_at, who.disabled_at, member.grants)


def tag(view: PersonView) -> str:
    return f'"{hashlib.sha256(_VIEW.dump_json(view)).hexdigest()[:32]}"'
