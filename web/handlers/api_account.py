"""By the REST API: who asks, where they are signed in, and the same of others for an administrator.

Passwords and second factors are changed in the console alone: there somebody sits before it.
"""

from dataclasses import dataclass

from fastapi import Response

from fleet import paging
from fleet.people import accounts as people
from fleet.people.permissions import Permission
from fleet.signing_in import sessions
from fleet.signing_in.second_factors import enrolled
from fleet.signing_in.second_factors.enrolled import Factors
from fleet.signing_in.sessions import SessionView
from fleet.views import Page
from web.api_words import After, Limit
from web.handlers.account import own
from web.visit import Visited


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks: a `kind` (person or token), its name, and what it `may`."""

    kind: str
    name: str
    may: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """How many sessions were ended."""

    sessions: int


async def me(visit: Visited) -> Me:
    """Who is asking, and what they may do."""
    may = tuple(str(permission) for permission in Permission if visit.may(permission))
    return Me("token" if visit.token else "person", visit.token.name if visit.token else visit.name, may)


async def own_sessions(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[SessionView]:
    """Where one is signed in, the last used first."""
    return paging.in_order(await sessions.sessions_of(visit.store, own(visit).person.id), after, limit)


async def end_own(visit: Visited, session: str) -> Response:
    """That browser is signed out."""
    await sessions.end(visit.store, own(visit).person, session, visit.name)
    return Response(status_code=204)


async def end_others(visit: Visited) -> Ended:
    """All but the one that asks."""
    return Ended(await sessions.end_all(visit.store, own(visit).person, visit.name, but=own(visit).id))


async def factors(visit: Visited, person: str) -> Factors:
    """What somebody can show as a second factor; never a secret."""
    await people.get(visit.store, person)
    return await enrolled.factors(visit.store, person)


async def reset_factors(visit: Visited, person: str) -> Factors:
    """Take away factors that were lost, never one's own."""
    await enrolled.reset(visit.store, await people.get(visit.store, person), visit.name)
    return await enrolled.factors(visit.store, person)


async def theirs(visit: Visited, person: str, *, after: After = None, limit: Limit = 50) -> Page[SessionView]:
    """Where somebody is signed in, the last used first."""
    await people.get(visit.store, person)
    return paging.in_order(await sessions.sessions_of(visit.store, person), after, limit)


async def end_theirs(visit: Visited, person: str) -> Ended:
    """They are signed out everywhere."""
    return Ended(await sessions.end_all(visit.store, await people.get(visit.store, person), visit.name))
