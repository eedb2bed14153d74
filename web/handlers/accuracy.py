"""How right a camera's own AI is: its card, a watch, and what is taken as normal from now on."""

from starlette.responses import Response

from fleet import estate
from fleet.errors import Invalid
from web.counts import SHOWN, counts_of
from web.picture_contexts import ImageAccuracy
from web.rendering import sentence
from web.visit import Visit, Visited, see

WATCH_S = 60


async def show(visit: Visited, camera: str) -> Response:
    return await _page(visit, camera, "", 200)


async def _page(visit: Visit, camera: str, mistake: str, status: int) -> Response:
    now = visit.store.now()
    context = ImageAccuracy(
        row=(await estate.device(visit.store, camera)).row,
        tile=await visit.service.pictures.tile(camera),
        card=await visit.service.accuracy.card(camera),
        watches=tuple(await visit.service.accuracy.recent(camera, 10)),
        counts=counts_of(await visit.service.accuracy.hours(camera, now - SHOWN), now),
        mistake=mistake,
    )
    return visit.page(context, status)


async def watch(visit: Visited, camera: str) -> Response:
    try:
        await visit.service.accuracy.start(camera, visit.name, seconds=WATCH_S)
    except Invalid as exc:
        return await _page(visit, camera, sentence(str(exc)), 422)
    return see(f"/images/{camera}/accuracy")


async def accept(visit: Visited, camera: str) -> Response:
    await visit.service.accuracy.accept(camera, visit.name)
    return see(f"/images/{camera}/accuracy")
