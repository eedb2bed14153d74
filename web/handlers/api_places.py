"""By the REST API: sites, what the settings say, and how long history is kept."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Response
from pydantic import Field

from fleet import paging, retention, sites
from fleet.retention import Kept
from fleet.sites import MOST_NETWORKS, Site, SiteView
from fleet.views import Page
from web.api_words import MOST_TEXT, After, Body, Limit, once
from web.contexts import Telling
from web.handlers.settings import telling
from web.visit import Visit, Visited


class NewSite(Body):
    """`networks` as 10.1.0.0/16 or 10.1.4.7; `window` is when its cameras may be changed, "" for at any time."""

    name: Annotated[str, Field(max_length=MOST_TEXT)]
    networks: Annotated[
        list[Annotated[str, Field(max_length=80)]], Field(default_factory=list, max_length=MOST_NETWORKS)
    ]
    zone: Annotated[str, Field(max_length=80)] = "UTC"
    window: Annotated[str, Field(max_length=MOST_TEXT)] = ""
    note: Annotated[str, Field(max_length=2000)] = ""

    def as_asked(self) -> Site:
        return Site(self.name, tuple(self.networks), self.zone, self.window, self.note)


@dataclass(frozen=True, slots=True)
class Retention:
    """History is whole for `raw_days`, then by the hour for `hourly_days`, then by the day; `job_days` are of work that
    has ended, `picture_days` of pictures. `would_go` are the rows that would go if it were cut now.
    """

    raw_days: int
    hourly_days: int
    job_days: int
    picture_days: int
    would_go: Kept


# --- sites ------------------------------------------------------------------------------------------------------------


async def listed(visit: Visited, *, after: After = None, limit: Limit = 500) -> Page[SiteView]:
    """By name, with how many cameras each has."""
    known = await sites.sites(visit.store, visit.reading)
    return paging.of_all(known, lambda view: view.site.name, after, limit)


async def get(visit: Visited, site: str) -> Site:
    """What can be changed of it."""
    return await sites.find(visit.store, site)


async def add(visit: Visited, new: NewSite, response: Response) -> Site:
    """Cameras within its networks belong to it from now on."""

    async def put() -> str:
        await sites.put(visit.store, new.as_asked(), visit.name)
        return sites.checked(new.as_asked()).name

    return await _put(visit, await once(visit, put), response)


async def change(visit: Visited, site: str, new: NewSite, response: Response) -> Site:
    """All of it; another `name` renames it."""
    await sites.put(visit.store, new.as_asked(), visit.name, instead_of=site)
    return await _put(visit, sites.checked(new.as_asked()).name, response)


async def _put(visit: Visit, name: str, response: Response) -> Site:
    response.headers["Location"] = f"/api/v1/sites/{quote(name, safe='')}"
    return await sites.find(visit.store, name)


async def remove(visit: Visited, site: str) -> Response:
    """Its cameras stay."""
    await sites.remove(visit.store, site)
    return Response(status_code=204)


# --- settings ---------------------------------------------------------------------------------------------------------


async def settings(visit: Visited) -> Telling:
    """Who is told, and how often pictures are judged. Settings are changed in their file."""
    return telling(visit)


async def kept(visit: Visited) -> Retention:
    """How long history is kept, and what would go if it were cut now; the schedule of retention cuts it."""
    values = visit.service.settings
    days = (values.keep_raw_days, values.keep_hourly_days, values.keep_job_days, values.picture_days)
    return Retention(*days, await retention.would_go(visit.store, values))
