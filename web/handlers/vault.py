"""The vault: which passwords it holds; one of them, once, for somebody who says why."""

from starlette.responses import Response

from fleet.errors import Invalid, NotFound
from fleet.people.permissions import Permission
from fleet.vault.views import accounts, versions
from web.audit_contexts import Revealed, Vault, VaultOfCamera
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited


async def show_all(visit: Visited) -> Response:
    after = visit.query.get("after")
    page = await accounts(visit.store, after=after, scope=visit.scope(Permission.REVEAL))
    return visit.page(Vault(page, visit.store.now(), first=after is None))


async def show(visit: Visited, camera: str) -> Response:
    return await _page(visit, camera, "", 200)


async def _page(visit: Visit, camera: str, mistake: str, status: int) -> Response:
    known = await versions(visit.store, camera)
    return visit.page(VaultOfCamera(camera, known, visit.store.now(), mistake), status)


async def reveal(visit: Visited, camera: str) -> Response:
    """The one answer that shows a password. No page of ours is kept by a browser, and this one less than any."""
    form = await visit.form()
    version, account = form.get("version", ""), form.get("account", "")
    number = int(version) if version.isdecimal() and len(version) < 10 else 0  # noqa: PLR2004 - digits
    channels = visit.service.outbox.channels
    try:
        secret = await visit.service.vault.reveal(
            camera, account, number, visit.name, form.get("reason", ""), channels=channels
        )
    except (Invalid, NotFound) as exc:
        return await _page(visit, camera, sentence(str(exc)), STATUSES[type(exc)])
    return visit.page(Revealed(camera, account, number, secret.reveal()))
