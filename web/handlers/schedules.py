"""Schedules: what begins by itself, and when. For machines: `web.handlers.api_schedules`."""

from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from fleet.errors import FleetError, Invalid, NotFound
from fleet.schedules.rows import NewSchedule, ScheduleView, What
from hardening.windows import zone
from web.handlers.sites import choices
from web.job_contexts import Schedules, Timed
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see

EMPTY = NewSchedule("", What.SCAN, "0 2 * * *")


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
