"""How somebody signs in, for an administrator: to end their sessions, and to take away factors that were lost."""

from starlette.responses import Response

from fleet.people import accounts as people
from fleet.signing_in import sessions
from fleet.signing_in.second_factors import enrolled
from web.account_contexts import PersonAccess
from web.visit import Visited, see


async def show(visit: Visited, person: str) -> Response:
    theirs = await people.get(visit.store, person)
    factors = await enrolled.factors(visit.store, person)
    listed = await sessions.sessions_of(visit.store, person)
    return visit.page(PersonAccess(theirs, factors, listed, theirs.name == visit.name))


async def end_sessions(visit: Visited, person: str) -> Response:
    await sessions.end_all(visit.store, await people.get(visit.store, person), visit.name)
    return see(f"/people/{person}/access")


async def reset_factors(visit: Visited, person: str) -> Response:
    """Never one's own: whoever took over a session could do that."""
    await enrolled.reset(visit.store, await people.get(visit.store, person), visit.name)
    return see(f"/people/{person}/access")
