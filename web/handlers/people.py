"""People and machines: who may do what, where, until when; and the tokens that machines come in with."""

from collections.abc import Awaitable
from datetime import datetime

from starlette.datastructures import QueryParams
from starlette.responses import Response

from fleet.errors import Invalid, NotFound
from fleet.people import accounts as people
from fleet.people import grants, members, tokens
from fleet.people.grants import Wanted
from fleet.people.permissions import Role
from fleet.people.tokens import Limits, Scope
from web.handlers import sites
from web.handlers.findings import end_of_day
from web.people_contexts import People
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see

HERE = "/settings/people"
EVERYWHERE = "*"
_MOST_TYPED = 5_000


async def show(visit: Visited) -> Response:
    return await _page(visit, "", "", 200)


async def _page(visit: Visit, made: str, mistake: str, status: int) -> Response:
    everybody, now = await members.members(visit.store), visit.store.now()
    page = People(
        everybody=everybody,
        machines=tuple(one for one in everybody if one.is_machine and one.person.disabled_at is None),
        keys=await tokens.tokens(visit.store),
        roles=tuple(Role),
        places=await sites.choices(visit),
        scopes=tuple(Scope),
        names={one.person.id: one.person.name for one in everybody},
        now=now,
        made=made,
        mistake=mistake,
    )
    return visit.page(page, status)


async def _done(visit: Visit, work: Awaitable[object]) -> Response:
    try:
        await work
    except Invalid as exc:
        return await _page(visit, "", sentence(str(exc)), STATUSES[type(exc)])
    return see(HERE)


async def add(visit: Visited) -> Response:
    return await _done(visit, _add(visit, await visit.form()))


async def _add(visit: Visit, form: QueryParams) -> None:
    wanted = wanted_grant(form)
    name, password = form.get("name", ""), form.get("password", "")
    await people.add_user(
        visit.store, name, password, wanted.role, sites=wanted.sites, until=wanted.until, actor=visit.name
    )


def wanted_grant(form: QueryParams) -> Wanted:
    """Raises Invalid."""
    if form.get("role") not in set(Role):
        raise Invalid("choose a role")
    return Wanted(Role(form["role"]), _where(form), _until(form))


def _where(form: QueryParams) -> tuple[str, ...] | None:
    """Everywhere is said aloud: a box that was forgotten must not open every site."""
    chosen = form.getlist("site")
    if not chosen:
        raise Invalid("say where: everywhere, or at which sites")
    if EVERYWHERE in chosen and len(chosen) > 1:
        raise Invalid("either everywhere or single sites, not both")
    return None if EVERYWHERE in chosen else tuple(chosen)


def _until(form: QueryParams) -> datetime | None:
    return end_of_day(form.get("until", "").strip())


async def grant(visit: Visited, person: str) -> Response:
    return await _done(visit, _grant(visit, person, await visit.form()))


async def _grant(visit: Visit, person: str, form: QueryParams) -> None:
    await grants.give(visit.store, person, wanted_grant(form), visit.name)


async def end(visit: Visited, grant: str) -> Response:
    return await _done(visit, grants.end(visit.store, grant, visit.name))


async def disable(visit: Visited, person: str) -> Response:
    return await _done(visit, members.disable(visit.store, person))


async def enable(visit: Visited, person: str) -> Response:
    return await _done(visit, members.enable(visit.store, person))


# --- tokens -----------------------------------------------------------------------------------------------------------


async def create_token(visit: Visited) -> Response:
    """The one answer that shows a token: it is not stored, so it cannot be shown again."""
    form = await visit.form()
    try:
        scopes = [Scope(word) for word in form.getlist("scope") if word in set(Scope)]
        days = form.get("days", "")
        number = int(days) if days.isdecimal() and len(days) < 5 else 0  # noqa: PLR2004 - digits
        limits = Limits(await holder(visit, form.get("for", "")), _where(form), _addresses(form))
        _, text = await tokens.create(visit.store, form.get("name", ""), scopes, visit.name, days=number, limits=limits)
    except Invalid as exc:
        return await _page(visit, "", sentence(str(exc)), STATUSES[type(exc)])
    return await _page(visit, text.reveal(), "", 200)


def _addresses(form: QueryParams) -> tuple[str, ...]:
    return tuple(form.get("addresses", "")[:_MOST_TYPED].replace(",", " ").split())


async def holder(visit: Visit, machine: str) -> str:
    """Whose rights bound the token: a machine that was chosen, else whoever makes it. Raises Invalid."""
    if not machine:
        if visit.person is None:
            raise Invalid("a token makes no token: sign in")
        return visit.person.person.id
    try:
        found = await members.member(visit.store, machine)
    except NotFound:
        found = None
    if found is None or not found.is_machine:
        raise Invalid("a token is made for yourself, or for somebody with the role service")
    return machine


async def revoke_token(visit: Visited, token: str) -> Response:
    await tokens.revoke(visit.store, token)
    return see(HERE)
