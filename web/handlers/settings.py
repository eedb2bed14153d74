"""Settings: who is told, and what begins by itself. People and machines: `web.handlers.people`."""

from urllib.parse import urlsplit

from starlette.responses import Response

from fleet.schedule import Cadence
from web.contexts import Scheduled, Settings, Telling
from web.visit import Visit, Visited


async def show(visit: Visited) -> Response:
    return visit.page(Settings(telling(visit), scheduled(visit), visit.service.settings.schedule_zone))


def telling(visit: Visit) -> Telling:
    """Of a webhook only the host: its path and query often are the secret."""
    settings = visit.service.settings
    return Telling(
        mail=settings.mail_to,
        mail_host=f"{settings.mail_host}:{settings.mail_port}",
        webhook_host=urlsplit(settings.webhook_url or "").hostname or "",
        picture_minutes=settings.picture_minutes,
        picture_days=settings.picture_days,
    )


def scheduled(visit: Visit) -> tuple[Scheduled, ...]:
    settings, due = visit.service.settings, visit.service.schedule.next_due
    return (
        Scheduled("Scan of every camera", "scan_schedule", settings.scan_schedule, due(Cadence.SCAN)),
        Scheduled("Watch of its own AI", "accuracy_schedule", settings.accuracy_schedule, due(Cadence.ACCURACY)),
    )
