"""The REST API of pictures and of the cameras' own AI. Pictures themselves are read by their digest, as pages do."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict

from fleet.accuracy.runner import AccuracyCard, WatchId, WatchView
from fleet.pictures.views import CheckView, Comparison, Tile
from fleet.pictures.wall import WallFilter, page_of
from fleet.views import Page
from health.conditions import Condition
from web.handlers.accuracy import WATCH_S
from web.handlers.api import After, Limit, Text, once
from web.visit import Visited

OnlyFaults = Annotated[bool, Query(description="only cameras with an open fault of their picture")]


class NewWatch(BaseModel):
    """`seconds`: how long the camera is watched, an hour at most."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seconds: int = WATCH_S


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
    tiles = await visit.service.pictures.wall(visit.reading)
    return page_of(tiles, WallFilter(q or "", faults, condition), after, limit)


async def picture(visit: Visited, camera: str) -> Comparison:
    """A camera now, beside its approved views; pictures by their digest."""
    return await visit.service.pictures.compare(camera)


async def check(visit: Visited, camera: str) -> CheckView:
    """Look at a camera now and wait for what is found."""
    return await visit.service.pictures.check_now(camera)


async def accuracy(visit: Visited, camera: str) -> AccuracyCard:
    return await visit.service.accuracy.card(camera)


async def watch(visit: Visited, camera: str, new: NewWatch, response: Response) -> WatchView:
    """Start a watch. What comes of it stands in the camera's accuracy."""
    made = await once(visit, lambda: visit.service.accuracy.start(camera, visit.name, seconds=new.seconds))
    response.status_code = 202
    response.headers["Location"] = f"/api/v1/accuracy/{camera}"
    return await visit.service.accuracy.get(WatchId(made))
