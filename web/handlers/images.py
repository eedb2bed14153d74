"""Images: the wall of newest pictures, one camera beside its reference views, and how right its own AI is."""

import asyncio
from datetime import timedelta

from starlette.responses import Response

from cameras.errors import DeviceError
from fleet import estate
from fleet.errors import Invalid
from fleet.picture_views import Tile
from web.contexts import Image, ImageAccuracy, Images
from web.problems import CAMERA_STATUS, sentence
from web.visit import Visit, Visited, see

MOST_TILES = 200
MOST_AT_ONCE = 24
MUTES = {"1 hour": timedelta(hours=1), "8 hours": timedelta(hours=8), "3 days": timedelta(days=3)}
WATCH_S = 60


async def show_all(visit: Visited) -> Response:
    tiles = await visit.service.pictures.wall()
    wanted = visit.query.get("show", "all")
    shown = [tile for tile in tiles if _is_wanted(tile, wanted)]
    incidents = tuple(await visit.service.pictures.incidents(open_only=False, limit=20))
    names = {tile.camera: tile.name or tile.address for tile in tiles}
    context = Images(
        tiles=tuple(shown[:MOST_TILES]),
        total=len(tiles),
        matching=len(shown),
        faulty=sum(bool(tile.open_faults or tile.faults) for tile in tiles),
        never=sum(tile.checked_at is None for tile in tiles),
        wanted=wanted,
        incidents=incidents,
        names=names,
    )
    return visit.page(context)


def _is_wanted(tile: Tile, wanted: str) -> bool:
    if wanted == "faults":
        return bool(tile.open_faults or tile.faults)
    return tile.checked_at is None if wanted == "never" else True


async def check_all(visit: Visited) -> Response:
    """Look at the cameras that were not looked at for longest, a page of them at a time."""
    form = await visit.form()
    chosen = form.getlist("id")[:MOST_AT_ONCE]
    await asyncio.gather(*(visit.service.pictures.check_now(camera) for camera in chosen))
    return see("/images")


async def show(visit: Visited, camera: str) -> Response:
    return await _page(visit, camera, "", 200)


async def _page(visit: Visit, camera: str, mistake: str, status: int) -> Response:
    compared = await visit.service.pictures.compare(camera)
    history = tuple(await visit.service.pictures.history(camera, limit=20))
    card = await visit.service.accuracy.card(camera)
    context = Image(
        row=(await estate.device(visit.store, camera)).row,
        tile=compared.tile,
        references=compared.references,
        history=history,
        card=card,
        mutes=tuple(MUTES),
        mistake=mistake,
    )
    return visit.page(context, status)


async def check(visit: Visited, camera: str) -> Response:
    await visit.service.pictures.check_now(camera)
    return see(f"/images/{camera}")


async def approve(visit: Visited, camera: str) -> Response:
    """The picture that was seen becomes the reference view of its light, under the name of who is signed in."""
    form = await visit.form()
    try:
        await visit.service.pictures.approve(camera, visit.name, picture=form.get("picture") or None)
    except DeviceError as exc:
        return await _page(visit, camera, sentence(str(exc)), CAMERA_STATUS)
    except Invalid as exc:
        return await _page(visit, camera, sentence(str(exc)), 422)
    await visit.service.pictures.check_now(camera)
    return see(f"/images/{camera}")


async def mute(visit: Visited, camera: str) -> Response:
    form = await visit.form()
    lasts = MUTES.get(form.get("lasts", ""))
    until = None if lasts is None else visit.store.now() + lasts
    await visit.service.pictures.mute(camera, until, form.get("reason", ""))
    return see(f"/images/{camera}")


async def show_accuracy(visit: Visited, camera: str) -> Response:
    return await _accuracy(visit, camera, "", 200)


async def _accuracy(visit: Visit, camera: str, mistake: str, status: int) -> Response:
    context = ImageAccuracy(
        row=(await estate.device(visit.store, camera)).row,
        card=await visit.service.accuracy.card(camera),
        watches=tuple(await visit.service.accuracy.recent(camera, 10)),
        mistake=mistake,
    )
    return visit.page(context, status)


async def watch(visit: Visited, camera: str) -> Response:
    try:
        await visit.service.accuracy.start(camera, visit.name, seconds=WATCH_S)
    except Invalid as exc:
        return await _accuracy(visit, camera, sentence(str(exc)), 422)
    return see(f"/images/{camera}/accuracy")


async def accept(visit: Visited, camera: str) -> Response:
    await visit.service.accuracy.accept(camera, visit.name)
    return see(f"/images/{camera}/accuracy")
