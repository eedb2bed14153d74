"""Settings: who is told, and what begins by itself. People and machines: `web.handlers.people`."""

from urllib.parse import urlsplit

from starlette.responses import Response

from web.contexts import Settings, Telling
from web.visit import Visit, Visited


async def show(visit: Visited) -> Response:
    return visit.page(Settings(telling(visit), tuple(await visit.service.schedules.listed(visit.reading))))


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
