"""Images: the wall of newest pictures, and one camera beside its reference views."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import Response

from cameras.errors import DeviceError
from fleet import estate
from fleet.errors import Invalid
from fleet.evidence import load_picture, media_type
from fleet.people.permissions import Permission
from fleet.pictures.views import IncidentView, ReferenceView
from fleet.pictures.wall import MOST_AT_ONCE, WallFilter, age_of
from health.conditions import Condition
from web.picture_contexts import Image, Images
from web.problems import CAMERA_STATUS
from web.rendering import sentence
from web.visit import Visit, Visited, see

MUTES = {"1 hour": timedelta(hours=1), "8 hours": timedelta(hours=8), "3 days": timedelta(days=3)}
MOST_LOOKS = 20
MOST_SUMS = 90
MOST_INCIDENTS = 20
_IDS = 32


def wanted_pictures(query: QueryParams) -> WallFilter:
    """A choice that does not exist filters nothing, so that an old link still opens."""
    light = query.get("light", "")
    return WallFilter(
        text=query.get("q", "").strip()[:200],
        faults=query.get("faults") == "1",
        condition=Condition(light) if light in set(Condition) else None,
    )


def as_query(wanted: WallFilter) -> str:
    pairs = {"q": wanted.text, "faults": "1" if wanted.faults else "", "light": wanted.condition}
    return urlencode({name: value for name, value in pairs.items() if value})


async def show_all(visit: Visited) -> Response:
    pictures, wanted, after = visit.service.pictures, wanted_pictures(visit.query), visit.query.get("after")
    page = await pictures.wall(wanted, after, scope=visit.reading)
    incidents = open_first(await pictures.incidents(open_only=False, limit=MOST_INCIDENTS, scope=visit.reading))
    queued = visit.query.get("queued", "")
    minutes = visit.service.schedules.picture_minutes
    context = Images(
        page=page,
        ages={tile.camera: age_of(tile, minutes) for tile in page.items},
        wanted=wanted,
        query=as_query(wanted),
        first=not after,
        summary=await pictures.summary(visit.reading),
        incidents=incidents,
        names=await pictures.names([camera for one in incidents if not one.shared for camera in one.cameras]),
        queued=int(queued) if queued.isascii() and queued.isdecimal() and len(queued) < 4 else 0,  # noqa: PLR2004
    )
    return visit.page(context)


def open_first(incidents: Sequence[IncidentView]) -> tuple[IncidentView, ...]:
    """Open ones first, among them those of a whole site; the newest first."""
    return tuple(sorted(incidents, key=lambda one: (one.closed_at is not None, not one.shared)))


async def check_all(visit: Visited) -> Response:
    """Queue the cameras that the form names: those that the visitor saw."""
    form = await visit.form()
    wanted, scope = form.getlist("id")[:MOST_AT_ONCE], visit.scope(Permission.CHANGE)
    queued = await visit.service.pictures.queue(wanted, visit.name, scope)
    return see(f"/images?{urlencode({'queued': queued})}")


async def show(visit: Visited, camera: str) -> Response:
    return await _page(visit, camera, "", 200)


async def _page(visit: Visit, camera: str, mistake: str, status: int) -> Response:
    pictures, light = visit.service.pictures, visit.query.get("light")
    compared = await pictures.compare(camera)
    history = await pictures.history(camera, limit=MOST_LOOKS + 1, after=visit.query.get("after", "")[:_IDS] or None)
    context = Image(
        row=(await estate.device(visit.store, camera)).row,
        tile=compared.tile,
        age=age_of(compared.tile, visit.service.schedules.picture_minutes),
        shown=_chosen(compared.references, light),
        references=compared.references,
        history=tuple(history[:MOST_LOOKS]),
        older=history[MOST_LOOKS - 1].id if len(history) > MOST_LOOKS else "",
        earlier=() if len(history) > MOST_LOOKS else await pictures.earlier(camera, limit=MOST_SUMS),
        card=await visit.service.accuracy.card(camera),
        mutes=tuple(MUTES),
        mistake=mistake,
    )
    return visit.page(context, status)


def _chosen(references: Sequence[ReferenceView], light: str | None) -> ReferenceView | None:
    """That of the light that was asked for, else of the present one."""
    return next((view for view in references if view.condition == light), references[0] if references else None)


async def check(visit: Visited, camera: str) -> Response:
    await visit.service.pictures.check_now(camera)
    return see(f"/images/{camera}")


async def approve(visit: Visited, camera: str) -> Response:
    """The picture that was seen becomes the reference view of its light, under the name of who is signed in."""
    form = await visit.form()
    light = form.get("light", "")
    try:
        digest = await seen(visit, camera, form.get("picture", ""))
        condition = Condition(light) if light in set(Condition) else None
        await visit.service.pictures.approve(camera, visit.name, picture=digest, condition=condition)
    except DeviceError as exc:
        return await _page(visit, camera, sentence(str(exc)), CAMERA_STATUS)
    except Invalid as exc:
        return await _page(visit, camera, sentence(str(exc)), 422)
    await visit.service.pictures.check_now(camera)
    return see(f"/images/{camera}")


async def seen(visit: Visit, camera: str, digest: str) -> str:
    """Only what this camera showed can be approved for it. Raises Invalid, NotFound."""
    tile = await visit.service.pictures.tile(camera)
    if not digest or digest != tile.picture:
        raise Invalid("the camera has shown another picture since: look at it, and approve that one")
    return digest


async def mute(visit: Visited, camera: str) -> Response:
    form = await visit.form()
    lasts = MUTES.get(form.get("lasts", ""))
    until = None if lasts is None else visit.store.now() + lasts
    await visit.service.pictures.mute(camera, until, form.get("reason", ""))
    return see(f"/images/{camera}")


async def evidence(visit: Visited, picture: str) -> Response:
    """A picture, by its SHA-256: what it shows never changes."""
    body = await load_picture(visit.service.settings.evidence, picture)
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(body, media_type=media_type(body), headers=headers)
