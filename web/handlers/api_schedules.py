"""Schedules by the REST API: what begins by itself, and when."""

from typing import Annotated

from fastapi import Response
from pydantic import Field

from fleet import paging
from fleet.schedules.rows import NewSchedule, ScheduleView, What
from fleet.views import Page
from web.api_words import After, Body, Lax, Limit, once
from web.visit import Visited


class Wanted(Body):
    """`cadence`: a line of a crontab, "every 60 minutes", or "window" (of the site). Without `site`: the whole estate.

    Without `zone` the clock of the site counts, or that of the settings.
    """

    name: Annotated[str, Field(max_length=200)]
    what: Annotated[What, Lax]
    cadence: Annotated[str, Field(max_length=200)]
    site: Annotated[str, Field(max_length=200)] | None = None
    zone: Annotated[str, Field(max_length=80)] = ""
    enabled: bool = True

    def as_asked(self) -> NewSchedule:
        return NewSchedule(self.name, self.what, self.cadence, self.site, self.zone, self.enabled)


async def listed(visit: Visited, *, after: After = None, limit: Limit = 500) -> Page[ScheduleView]:
    """By name, with the next times of each."""
    known = await visit.service.schedules.listed(visit.reading)
    return paging.of_all(known, lambda view: view.name, after, limit)


async def add(visit: Visited, new: Wanted, response: Response) -> ScheduleView:
    """It begins by itself from its next time on."""
    made = await once(visit, lambda: visit.service.schedules.add(new.as_asked(), visit.name))
    response.headers["Location"] = f"/api/v1/schedules/{made}"
    return await visit.service.schedules.get(made)


async def get(visit: Visited, schedule: str) -> ScheduleView:
    """By its id or its name."""
    return await visit.service.schedules.get(schedule)


async def change(visit: Visited, schedule: str, new: Wanted) -> ScheduleView:
    """Refused for one that the settings say."""
    found = await visit.service.schedules.get(schedule)
    await visit.service.schedules.change(found.id, new.as_asked(), visit.name)
    return await visit.service.schedules.get(found.id)


async def remove(visit: Visited, schedule: str) -> ScheduleView:
    """The one that is gone now."""
    found = await visit.service.schedules.get(schedule)
    await visit.service.schedules.remove(found.id, visit.name)
    return found


async def run_now(visit: Visited, schedule: str) -> ScheduleView:
    """Begin it, whether it is on or off; `outcome` says what came of it."""
    await visit.service.schedules.run(schedule, visit.name)
    return await visit.service.schedules.get(schedule)
