"""Settings: who may come in, people and machines."""

from urllib.parse import urlsplit

from starlette.responses import Response

from fleet import people, tokens
from fleet.errors import Invalid
from fleet.tokens import Scope
from web.contexts import Settings, Telling
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see


async def show(visit: Visited) -> Response:
    return await _page(visit, "", "", 200)


async def _page(visit: Visit, made: str, mistake: str, status: int) -> Response:
    everybody = await people.people(visit.store)
    keys = await tokens.tokens(visit.store)
    now = visit.store.now()
    scheduled = tuple(await visit.service.schedules.listed())
    page = Settings(everybody, keys, tuple(Scope), now, telling(visit), scheduled, made, mistake)
    return visit.page(page, status)


def telling(visit: Visit) -> Telling:
    """Of a webhook only the host: its path and query often are the secret."""
    settings = visit.service.settings
    return Telling(
        mail=settings.mail_to,
        mail_host=f"{settings.mail_host}:{settings.mail_port}",
        webhook_host=urlsplit(settings.webhook_url or "").hostname or "",
        picture_minutes=visit.service.schedules.picture_minutes,
        picture_days=settings.picture_days,
    )


async def create_token(visit: Visited) -> Response:
    """The one answer that shows a token: it is not stored, so it cannot be shown again."""
    form = await visit.form()
    try:
        scopes = [Scope(word) for word in form.getlist("scope") if word in set(Scope)]
        days = form.get("days", "")
        number = int(days) if days.isdecimal() and len(days) < 5 else 0  # noqa: PLR2004 - digits
        _, text = await tokens.create(visit.store, form.get("name", ""), scopes, visit.name, days=number)
    except Invalid as exc:
        return await _page(visit, "", sentence(str(exc)), STATUSES[type(exc)])
    return await _page(visit, text.reveal(), "", 200)


async def revoke_token(visit: Visited, token: str) -> Response:
    await tokens.revoke(visit.store, token)
    return see("/settings")
