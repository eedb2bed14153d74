"""How a site is reached: its jump host, and the form that gives it one."""

from dataclasses import replace
from urllib.parse import quote

from starlette.responses import Response

from cameras.errors import DeviceError
from fleet import sites
from fleet.errors import Invalid, NotFound
from fleet.jump_hosts import rows
from fleet.jump_hosts.host_keys import fingerprint, read_door, read_host_key, written
from fleet.jump_hosts.log_in import shown_host_key
from fleet.jump_hosts.rows import Stored, authorized_line
from web.contexts import JumpHost
from web.problems import CAMERA_STATUS, STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see


async def show(visit: Visited, site: str) -> Response:
    return visit.page(await _page(visit, site))


async def put(visit: Visited, site: str) -> Response:
    """Without a host key nothing is stored: the one that the host shows now is put before the person."""
    form = await visit.form()
    host, host_key = form.get("host", ""), form.get("host_key", "").strip()
    try:
        door = read_door(host)
        if not host_key:
            key = await shown_host_key(door)
            page = await _page(visit, site)
            return visit.page(replace(page, host=str(door), host_key=written(key), shown=fingerprint(key)))
        renew = form.get("new_key") == "yes"
        await rows.put(visit.store, site, door, read_host_key(host_key), visit.name, renew=renew)
    except (Invalid, DeviceError) as error:
        page = replace(await _page(visit, site), host=host, host_key=host_key, mistake=sentence(str(error)))
        return visit.page(page, STATUSES[type(error)] if isinstance(error, Invalid) else CAMERA_STATUS)
    await visit.service.jump_hosts.look()
    return see(f"/sites/{_quoted(site)}/jump")


async def prove(visit: Visited, site: str) -> Response:
    """Log in there now."""
    try:
        await visit.service.jump_hosts.prove(site)
    except DeviceError as error:
        return visit.page(replace(await _page(visit, site), mistake=sentence(str(error))), CAMERA_STATUS)
    return visit.page(replace(await _page(visit, site), worked=True))


async def remove(visit: Visited, site: str) -> Response:
    """It is reached straight again."""
    await rows.remove(visit.store, site, visit.name)
    await visit.service.jump_hosts.look()
    return see(f"/sites/{_quoted(site)}/jump")


async def stored(visit: Visit, site: str) -> Stored | None:
    try:
        return await rows.find(visit.store, site)
    except NotFound:
        return None


async def _page(visit: Visit, name: str) -> JumpHost:
    site, known = await sites.find(visit.store, name), await stored(visit, name)
    line = authorized_line(known.public_key, site.networks) if known else ""
    host, host_key = (str(known.door), known.host_key.text) if known else ("", "")
    state = visit.service.jump_hosts.state(name)
    return JumpHost(site, known, state, line, host, host_key, shown="", mistake="", worked=False)


def _quoted(site: str) -> str:
    return quote(site, safe="")
