"""Choosing cameras for work: by a search, or because a link named them."""

from collections.abc import Iterable
from urllib.parse import urlencode

from fleet import estate
from fleet.errors import NotFound
from fleet.people.permissions import Permission
from fleet.people.scope import Scope
from fleet.views import DeviceFilter, DeviceRow, Page
from web.job_contexts import Choice
from web.visit import Visit

MOST_SHOWN = 200


async def choice_of(visit: Visit, permission: Permission, *kept: str, chosen: Iterable[str] = ()) -> Choice:
    """The cameras that the address asks for, as far as the visitor has that permission for them.

    `kept` are other words of the address, `chosen` what is ticked already.

    What was found, by a search or by a link, is ticked; of a whole estate nothing is.
    """
    wanted = visit.query.get("q", "").strip()[:200]
    scope = visit.scope(permission)
    named = tuple(dict.fromkeys(visit.query.getlist("camera")))[:MOST_SHOWN]
    if named and not wanted:
        rows = await _named(visit, named, scope)
        page = Page(rows, None, (await estate.devices(visit.store, limit=1, scope=scope)).total)
    else:
        page = await estate.devices(visit.store, DeviceFilter(text=wanted), None, MOST_SHOWN, scope)
    found = frozenset(row.id for row in page.items) if wanted or named else frozenset()
    pairs = tuple((name, visit.query[name]) for name in kept if name in visit.query)
    here = [*pairs, *([("q", wanted)] if wanted else [("camera", camera) for camera in named])]
    return Choice(page, wanted, frozenset(chosen) or found, pairs, urlencode(here))


async def _named(visit: Visit, named: Iterable[str], scope: Scope) -> tuple[DeviceRow, ...]:
    """A camera that is gone since the link was drawn is left out."""
    rows: list[DeviceRow] = []
    for camera in named:
        try:
            rows.append((await estate.device(visit.store, camera, scope)).row)
        except NotFound:
            continue
    return tuple(rows)
