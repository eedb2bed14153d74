"""Whether somebody is led through the first steps, and how far they have come."""

from starlette.exceptions import HTTPException

from fleet import first_steps
from fleet.first_steps import Way
from fleet.people.permissions import Permission
from web.visit import Visit

HERE = "/first-steps"
# The cookie of whoever does not want to be led any more.
DISMISSED = "first-steps"


async def way_of(visit: Visit) -> Way:
    """How far this person has come. A machine has no first steps."""
    if visit.person is None:
        raise HTTPException(403)
    return await first_steps.way(visit.store, visit.service.settings, visit.person.person.id)


async def offered(visit: Visit) -> Way | None:
    """Where the first page leads on; `None` for whoever is not led (any more)."""
    if visit.person is None or not visit.may(Permission.ADMINISTER) or visit.kept(DISMISSED):
        return None
    found = await way_of(visit)
    return None if found.over else found
