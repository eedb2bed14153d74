"""Sites: the list with how each stands, and the form that adds or changes one."""

from starlette.datastructures import QueryParams
from starlette.responses import Response

from fleet import sites
from fleet.errors import Invalid, NotFound
from fleet.sites import Site
from web.contexts import Sites
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see

_MOST_TYPED = 20_000


async def show_all(visit: Visited) -> Response:
    """With `edit` the form shows that site, otherwise a new one."""
    known = await sites.sites(visit.store, visit.reading)
    wanted = visit.query.get("edit", "")
    found = next((view.site for view in known if view.site.name == wanted), None)
    return visit.page(Sites(tuple(known), found or Site(""), found.name if found else "", ""))


async def put(visit: Visited) -> Response:
    form = await visit.form()
    wanted, before = typed(form), form.get("before", "")
    try:
        await sites.put(visit.store, wanted, visit.name, instead_of=before or None)
    except (Invalid, NotFound) as exc:
        known = tuple(await sites.sites(visit.store, visit.reading))
        return visit.page(Sites(known, wanted, before, sentence(str(exc))), STATUSES[type(exc)])
    return see("/sites")


def typed(form: QueryParams) -> Site:
    """As a form says it, unchecked."""
    return Site(
        name=form.get("name", ""),
        networks=tuple(form.get("networks", "")[:_MOST_TYPED].replace(",", " ").split()),
        zone=form.get("zone", "").strip() or "UTC",
        window=form.get("window", "").strip(),
        note=form.get("note", ""),
    )


async def remove(visit: Visited) -> Response:
    """The cameras stay."""
    form = await visit.form()
    await sites.remove(visit.store, form.get("name", ""))
    return see("/sites")


async def choices(visit: Visit) -> tuple[str, ...]:
    """What the filters offer."""
    return tuple(view.site.name for view in await sites.sites(visit.store, visit.reading))
