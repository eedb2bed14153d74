"""Choosing cameras for work: by a search, or because a link named them."""

from collections.abc import Iterable
from urllib.parse import urlencode

from fleet import estate
from fleet.errors import NotFound
from fleet.views import DeviceFilter, DeviceRow, Page
from web.job_contexts import Choice
from web.visit import Visit

MOST_SHOWN = 200


async def choice_of(visit: Visit, *kept: str, chosen: Iterable[str] = ()) -> Choice:
    """The cameras that the address asks for. `kept` are other words of the address, `chosen` what is ticked already.

    What was found, by a search or by a link, is ticked; of a whole estate nothing is.
    """
    wanted = visit.query.get("q", "").strip()[:200]
    named = tuple(dict.fromkeys(visit.query.getlist("camera")))[:MOST_SHOWN]
    if named and not wanted:
        rows = await _named(visit, named)
        page = Page(rows, None, (await estate.devices(visit.store, limit=1)).total)
    else:
        page = await estate.devices(visit.store, DeviceFilter(text=wanted), None, MOST_SHOWN)
    found = frozenset(row.id for row in page.items) if wanted or named else frozenset()
    pairs = tuple((name, visit.query[name]) for name in kept if name in visit.query)
    here = [*pairs, *([("q", wanted)] if wanted else [("camera", camera) for camera in named])]
    return Choice(page, wanted, frozenset(chosen) or found, pairs, urlencode(here))


async def _named(visit: Visit, named: Iterable[str]) -> tuple[DeviceRow, ...]:
    """A camera that is gone since the link was drawn is left out."""
    rows: list[DeviceRow] = []
    for camera in named:
        try:
            rows.append((await estate.device(visit.store, camera)).row)
        except NotFound:
            continue
    return tuple(rows)
