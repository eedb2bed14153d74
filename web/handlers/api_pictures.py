"""The REST API of pictures and of the cameras' own AI. Pictures themselves are read by their digest, as pages do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from fleet import paging
from fleet.accuracy.rows import Hour
from fleet.accuracy.runner import AccuracyCard, WatchId, WatchView
from fleet.errors import Invalid
from fleet.people.permissions import Permission
from fleet.pictures.rollups import Rollup
from fleet.pictures.views import CheckView, Comparison, IncidentView, PictureSummary, Tile
from fleet.pictures.wall import WallFilter
from fleet.views import Page, Part
from health.conditions import Condition
from web.api_words import After, Body, Id, Lax, Limit, Moment, Text, once
from web.handlers.accuracy import WATCH_S
from web.handlers.images import seen
from web.visit import Visited

MOST_AT_ONCE = 500
WEEK = timedelta(days=7)
Closed = Annotated[bool, Query(description="those that are over, too")]
OnlyFaults = Annotated[bool, Query(description="only cameras with an open fault of their picture")]


class NewWatch(Body):
    """`seconds`: how long the camera is watched, an hour at most."""

    seconds: Annotated[int, Field(ge=1, le=3600)] = WATCH_S


class These(Body):
    """`cameras`: ids; those that are not yours are left out."""

    cameras: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Approval(Body):
    """`picture` is the digest of the one that was looked at: 422 where the camera has shown another since."""

    picture: Annotated[str, Field(max_length=64)]
    condition: Annotated[Condition, Lax] | None = None


class Mute(Body):
    """Nothing is raised for this camera `until` then; `null` ends it."""

    until: Moment | None
    reason: Annotated[str, Field(max_length=300)] = ""


@dataclass(frozen=True, slots=True)
class Queued:
    cameras: int


async def pictures(
    visit: Visited,
    *,
    q: Text = "",
    faults: OnlyFaults = False,
    condition: Condition | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[Tile]:
    """The newest picture of each camera; those with an open fault first."""
    return await visit.service.pictures.wall(WallFilter(q or "", faults, condition), after, limit, visit.reading)


async def picture(visit: Visited, camera: str) -> Comparison:
    """A camera now, beside its approved views; pictures by their digest."""
    return await visit.service.pictures.compare(camera)


async def check(visit: Visited, camera: str) -> CheckView:
    """Look at a camera now and wait for what is found."""
    return await visit.service.pictures.check_now(camera)


async def summary(visit: Visited) -> PictureSummary:
    """Numbers of cameras: watched at all, with an open fault, never looked at."""
    return await visit.service.pictures.summary(visit.reading)


async def incidents(visit: Visited, *, closed: Closed = False, limit: Limit = 100) -> list[IncidentView]:
    """Faults of pictures that lasted, the newest first."""
    return await visit.service.pictures.incidents(open_only=not closed, limit=limit, scope=visit.reading)


async def check_these(visit: Visited, these: These) -> Queued:
    """Look at them soon, as places come free."""
    scope = visit.scope(Permission.CHANGE)
    return Queued(await visit.service.pictures.queue(these.cameras, visit.name, scope))


async def history(visit: Visited, camera: str, *, after: After = None, limit: Limit = 50) -> Part[CheckView]:
    """Looks at its picture, the newest first."""
    begin = None if after is None else paging.an_id(after)
    found = await visit.service.pictures.history(camera, limit=limit + 1, after=begin)
    return Part(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)


async def earlier(visit: Visited, camera: str, *, limit: Limit = 90) -> list[Rollup]:
    """What is left of looks that are not kept one by one any more, by the hour or the day, the newest first."""
    return list(await visit.service.pictures.earlier(camera, limit=limit))


async def approve(visit: Visited, camera: str, approval: Approval) -> Comparison:
    """The picture that was looked at becomes the reference view of its light, under the name of who asks."""
    if visit.person is None:
        raise Invalid("a reference view is approved by a person: sign in")
    digest = await seen(visit, camera, approval.picture)
    await visit.service.pictures.approve(camera, visit.name, picture=digest, condition=approval.condition)
    return await visit.service.pictures.compare(camera)


async def mute(visit: Visited, camera: str, mute: Mute) -> Comparison:
    """Planned work: nothing is raised meanwhile."""
    await visit.service.pictures.mute(camera, mute.until, mute.reason)
    return await visit.service.pictures.compare(camera)


async def accuracy(visit: Visited, camera: str) -> AccuracyCard:
    """How right the camera's own AI is: agreement with our detector, drift and its cause."""
    return await visit.service.accuracy.card(camera)


async def watches(visit: Visited, camera: str, *, limit: Annotated[Limit, Field(le=100)] = 20) -> list[WatchView]:
    """Its last watches, the newest first."""
    return await visit.service.accuracy.recent(camera, limit)


async def hours(visit: Visited, camera: str, *, since: Moment | None = None) -> list[Hour]:
    """What it counted, hour by hour; of the last week where no moment is named."""
    return list(await visit.service.accuracy.hours(camera, since or visit.store.now() - WEEK))


async def accept(visit: Visited, camera: str) -> AccuracyCard:
    """From now on this is how it should be: counts are learned anew."""
    await visit.service.accuracy.accept(camera, visit.name)
    return await visit.service.accuracy.card(camera)


async def watch(visit: Visited, camera: str, new: NewWatch, response: Response) -> WatchView:
    """Start a watch. What comes of it stands in the camera's accuracy."""
    made = await once(visit, lambda: visit.service.accuracy.start(camera, visit.name, seconds=new.seconds))
    response.headers["Location"] = f"/api/v1/accuracy/{camera}"
    return await visit.service.accuracy.get(WatchId(made))
