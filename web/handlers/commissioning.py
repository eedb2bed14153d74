"""Commissioning: the list, one site, one camera on the phone, and the package."""

import asyncio
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from starlette.responses import Response

from fleet import estate
from fleet.commissioning import records, views
from fleet.commissioning.checklist import Answer, State, label_matches
from fleet.commissioning.handover import hand_over
from fleet.commissioning.records import Where
from fleet.commissioning.views import CommissioningView
from fleet.errors import Invalid
from fleet.evidence import keep_photo
from fleet.people.permissions import Permission
from fleet.views import DeviceFilter
from web.contexts import CommissionedCamera, Commissioning, Commissionings
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see

MOST_SHOWN = 200


async def show_all(visit: Visited) -> Response:
    return await _list(visit, "", 200)


async def _list(visit: Visit, mistake: str, status: int) -> Response:
    wanted = visit.query.get("q", "").strip()[:200]
    page = await estate.devices(
        visit.store, DeviceFilter(text=wanted), None, MOST_SHOWN, visit.scope(Permission.COMMISSION)
    )
    return visit.page(
        Commissionings(await views.recent(visit.store, scope=visit.reading), page, wanted, mistake), status
    )


async def start(visit: Visited) -> Response:
    form = await visit.form()
    try:
        scope = visit.scope(Permission.COMMISSION)
        made = await records.start(visit.store, form.get("site", ""), form.getlist("id"), visit.name, scope=scope)
    except Invalid as exc:
        return await _list(visit, sentence(str(exc)), STATUSES[type(exc)])
    return see(f"/commissioning/{made}")


async def show(visit: Visited, commissioning: str) -> Response:
    view = await views.get(visit.store, commissioning, visit.reading)
    return visit.page(Commissioning(view, visit.query.get("mistake", "")[:500]))


async def find(visit: Visited, commissioning: str) -> Response:
    """The camera whose label was scanned or typed."""
    typed = visit.query.get("label", "").strip()[:200]
    view = await views.get(visit.store, commissioning, visit.reading)
    found = [camera for camera in view.cameras if label_matches(typed, (camera.serial, camera.mac))]
    named = found or [camera for camera in view.cameras if typed and typed in (camera.address, camera.name)]
    if len(named) != 1:
        said = (
            f"No camera of this site has the label {typed!r}." if not named else "Several cameras fit; type all of it."
        )
        return see(f"/commissioning/{commissioning}?{urlencode({'mistake': said})}")
    return see(f"/commissioning/{commissioning}/{named[0].id}")


async def show_camera(visit: Visited, commissioning: str, camera: str) -> Response:
    return await _camera(visit, await views.get(visit.store, commissioning, visit.reading), camera, "", 200)


async def _camera(visit: Visit, view: CommissioningView, camera: str, mistake: str, status: int) -> Response:
    top = visit.query.get("top", "")
    mark = int(top) if top.isdecimal() and len(top) < 6 else None  # noqa: PLR2004 - digits of a row of pixels
    return visit.page(CommissionedCamera(view, view.camera(camera), view.after(camera), mark, mistake), status)


async def answer(visit: Visited, commissioning: str, camera: str, row: str) -> Response:
    """Any answer to a row: a state in words, a label, or the second mark of a measurement."""
    form = await visit.fields()
    where = Where(commissioning, camera, row)
    here = f"/commissioning/{commissioning}/{camera}"
    try:
        if "label" in form:
            await records.answer_label(visit.store, where, form["label"], visit.name)
        elif "mark.y" in form and "top" not in form:
            return see(f"{here}?{urlencode({'top': form['mark.y']})}#row-{row}")
        elif "mark.y" in form:
            marks = (_number(form["top"]), _number(form["mark.y"]))
            await records.answer_density(visit.store, where, marks, _number(form.get("height", "")), visit.name)
        else:
            await records.answer(visit.store, where, await _said(visit, where, form), visit.name)
    except Invalid as exc:
        view = await views.get(visit.store, commissioning, visit.reading)
        return await _camera(visit, view, camera, sentence(str(exc)), STATUSES[type(exc)])
    return see(f"{here}#row-{row}")


async def _said(visit: Visit, where: Where, form: dict[str, str]) -> Answer:
    """A photo is kept only for a row that takes it: one that nothing refers to would lie there for ever."""
    if form.get("state") not in set(State):
        raise Invalid("choose what you found")
    said = Answer(State(form["state"]), form.get("note", ""))
    photo = await visit.upload("photo")
    if photo is None:
        return said
    await records.check(visit.store, where, replace(said, evidence=("a photo",)))
    return replace(said, evidence=(await keep_photo(visit.service.settings.evidence, photo),))


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise Invalid("give a number, such as 1.7") from None


async def take_still(visit: Visited, commissioning: str, camera: str) -> Response:
    await records.check_open(visit.store, commissioning, camera)  # else a picture would be kept that nothing refers to
    picture = await visit.service.still(camera)
    name = await keep_photo(visit.service.settings.evidence, picture)
    await records.keep_still(visit.store, commissioning, camera, name)
    return see(f"/commissioning/{commissioning}/{camera}#still")


async def sign(visit: Visited, commissioning: str) -> Response:
    form = await visit.form()
    try:
        await records.sign(visit.store, commissioning, form.get("name", ""), visit.name)
    except Invalid as exc:
        view = await views.get(visit.store, commissioning, visit.reading)
        return visit.page(Commissioning(view, sentence(str(exc))), STATUSES[type(exc)])
    return see(f"/commissioning/{commissioning}")


async def download(visit: Visited, commissioning: str) -> Response:
    """The handover package as one file."""
    with tempfile.TemporaryDirectory(prefix="camwarden-handover-") as folder:
        out = Path(folder) / f"handover-{commissioning[:8]}"
        await hand_over(visit.store, visit.service.settings, commissioning, out)
        archive = await asyncio.to_thread(_zip, out)
    headers = {"Content-Disposition": f'attachment; filename="{out.name}.zip"'}
    return Response(archive, media_type="application/zip", headers=headers)


def _zip(folder: Path) -> bytes:
    name = shutil.make_archive(str(folder), "zip", folder.parent, folder.name)
    return Path(name).read_bytes()
