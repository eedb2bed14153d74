"""Schedules, for people and for machines: what begins by itself, and when."""

from datetime import datetime
from typing import Any

from fastapi import Response as ApiResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fleet.errors import FleetError, Invalid, NotFound
from fleet.schedules.rows import NewSchedule, ScheduleView, What
from hardening.windows import zone
from web.handlers.api import once
from web.handlers.sites import choices
from web.job_contexts import Schedules, Timed
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see

EMPTY = NewSchedule("", What.SCAN, "0 2 * * *")


class Wanted(BaseModel):
    """`cadence`: a line of a crontab, "every 60 minutes", or "window" (of the site). Without `site`: the whole estate.

    Without `zone` the clock of the site counts, or that of the settings.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    what: What
    cadence: str = Field(max_length=200)
    site: str | None = None
    zone: str = ""
    enabled: bool = True

    def as_asked(self) -> NewSchedule:
        return NewSchedule(self.name, self.what, self.cadence, self.site, self.zone, self.enabled)


# --- pages ---


async def show_all(visit: Visited) -> Response:
    """With `edit` the form shows that schedule, otherwise a new one."""
    wanted = visit.query.get("edit", "")
    known = await _listed(visit)
    found = next((view for view in known if view.id == wanted and not view.is_fixed), None)
    if found is None:
        return await _page(visit, EMPTY, "", "", 200)
    typed = NewSchedule(found.name, found.what, found.cadence, found.site, found.zone, found.enabled)
    return await _page(visit, typed, found.id, "", 200)


async def _page(visit: Visit, typed: NewSchedule, before: str, mistake: str, status: int) -> Response:
    known = tuple(Timed(view, tuple(map(_shown_in(view), view.next_at))) for view in await _listed(visit))
    return visit.page(Schedules(known, typed, before, tuple(What), await choices(visit), mistake), status)


async def _listed(visit: Visit) -> list[ScheduleView]:
    return await visit.service.schedules.listed(visit.reading)


def _shown_in(view: ScheduleView) -> Any:  # noqa: ANN401 - a function of one moment
    here = zone(view.zone)

    def shown(at: datetime) -> str:
        return f"{at.astimezone(here):%a %d %b %H:%M}"

    return shown


async def put(visit: Visited) -> Response:
    """Add one, or change the one that the form came with."""
    form = await visit.form()
    what = form.get("what", "")
    typed = NewSchedule(
        name=form.get("name", ""),
        what=What(what) if what in set(What) else What.SCAN,
        cadence=form.get("cadence", ""),
        site=form.get("site") or None,
        zone=form.get("zone", "").strip(),
        enabled=form.get("enabled", "yes") == "yes",
    )
    before = form.get("before", "")
    try:
        if before:
            await visit.service.schedules.change(before, typed, visit.name)
        else:
            await visit.service.schedules.add(typed, visit.name)
    except (Invalid, NotFound) as exc:
        return await _page(visit, typed, before, sentence(str(exc)), STATUSES[type(exc)])
    return see("/schedules")


async def run(visit: Visited, schedule: str) -> Response:
    """What came of it stands in the list."""
    return await _done(visit, lambda: visit.service.schedules.run(schedule, visit.name))


async def carry_out(visit: Visited, schedule: str, order: str) -> Response:
    """Turn it on or off, or remove it."""
    schedules = visit.service.schedules
    if order in {"on", "off"}:
        return await _done(visit, lambda: schedules.switch(schedule, visit.name, on=order == "on"))
    if order == "remove":
        return await _done(visit, lambda: schedules.remove(schedule, visit.name))
    raise HTTPException(404)


async def _done(visit: Visit, do: Any) -> Response:  # noqa: ANN401 - a call without arguments
    try:
        await do()
    except NotFound:
        raise
    except FleetError as exc:
        return await _page(visit, EMPTY, "", sentence(str(exc)), STATUSES.get(type(exc), 422))
    return see("/schedules")


# --- for machines ---


async def listed(visit: Visited) -> list[ScheduleView]:
    """By name, with the next times of each."""
    return await _listed(visit)


async def add(visit: Visited, new: Wanted, response: ApiResponse) -> ScheduleView:
    made = await once(visit, lambda: visit.service.schedules.add(new.as_asked(), visit.name))
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/schedules/{made}"
    return await visit.service.schedules.get(made)


async def get(visit: Visited, schedule: str) -> ScheduleView:
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
