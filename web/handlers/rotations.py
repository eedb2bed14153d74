"""Changing passwords of cameras: begun for chosen ones, watched, and reconciled where it is unclear which one holds."""

from dataclasses import replace

from starlette.responses import Response

from fleet import work
from fleet.errors import Busy, Invalid, NotFound
from fleet.people.permissions import Permission
from fleet.rotations import default_passwords
from fleet.rotations.runner import RotationId
from hardening.passwords import State
from web.choosing import choice_of
from web.handlers.jobs import follow
from web.job_contexts import NewRotation, Rotation
from web.problems import STATUSES
from web.proving import prove_first_for
from web.rendering import sentence
from web.visit import Visit, Visited, see


async def new(visit: Visited) -> Response:
    return await _form(visit, "", "", 200)


async def _form(visit: Visit, account: str, mistake: str, status: int, chosen: tuple[str, ...] = ()) -> Response:
    choice = await choice_of(visit, Permission.CHANGE, "finding", chosen=chosen)
    return visit.page(NewRotation(choice, account, "finding" in visit.query, mistake), status)


async def start(visit: Visited) -> Response:
    """Where a finding led here, its camera's default password is what the vault then knows."""
    form, scope = await visit.form(), visit.scope(Permission.CHANGE)
    account, chosen = form.get("account", "").strip(), tuple(form.getlist("id"))
    prove_first_for(visit, len(chosen))
    try:
        if finding := visit.query.get("finding"):
            service = visit.service
            _, account = await default_passwords.hold_default(
                service.store, service.vault, service.settings, finding, visit.name, scope=scope
            )
        rotation = await visit.service.rotations.start(chosen, account or None, visit.name, scope)
    except (Invalid, Busy, NotFound) as exc:
        return await _form(visit, account, sentence(str(exc)), STATUSES[type(exc)], chosen)
    return see(f"/rotations/{rotation}")


async def show(visit: Visited, rotation: str) -> Response:
    view = await visit.service.rotations.get(RotationId(rotation), visit.reading)
    unclear = tuple(camera.camera for camera in view.cameras if camera.state is State.UNCLEAR)
    return visit.page(Rotation(view, work.of_rotation(view), unclear))


async def events(visit: Visited, rotation: str) -> Response:
    """404 before the stream begins, not inside it."""
    rotations, wanted, scope = visit.service.rotations, RotationId(rotation), visit.reading
    await rotations.get(wanted, scope)

    async def look() -> work.Job:
        job = work.of_rotation(await rotations.get(wanted, scope))
        # The findings of a camera are judged anew after its password is settled: only then has everything been said.
        return replace(job, going=await rotations.works_on(wanted))

    return follow(visit, rotations.events(wanted), look)


async def reconcile(visit: Visited, rotation: str) -> Response:
    """Only of this rotation: the form names some of its cameras."""
    form = await visit.form()
    view = await visit.service.rotations.get(RotationId(rotation))
    mine = {camera.camera for camera in view.cameras}
    await visit.service.rotations.reconcile([camera for camera in form.getlist("id") if camera in mine], visit.name)
    return see(f"/rotations/{rotation}")
