"""Scans: start one, watch it, stop it."""

import json
from collections.abc import AsyncGenerator

from starlette.responses import Response

from fleet import estate
from fleet.errors import Invalid, NeedsConfirmation
from fleet.people.permissions import Permission
from fleet.scans.runner import ScanId, ScanProgress, ScanView
from fleet.views import NotEvaluatedRow
from web import words
from web.contexts import Scan, ScanForm, Scans
from web.problems import STATUSES
from web.rendering import sentence
from web.streams import stream
from web.visit import Visit, Visited, see

MOST_UNJUDGED = 500


async def show_all(visit: Visited) -> Response:
    return visit.page(Scans(ScanForm(visit.query.get("targets", "")), await _recent(visit)))


async def _recent(visit: Visit) -> tuple[ScanView, ...]:
    return tuple(await visit.scans.recent(scope=visit.reading))


async def start(visit: Visited) -> Response:
    form = await visit.form()
    typed = ScanForm(form.get("targets", "").strip(), bool(form.get("default_credentials")))
    try:
        scan = await visit.scans.start(
            typed.targets,
            visit.name,
            default_credentials=typed.default_credentials,
            confirmed=bool(form.get("confirmed")),
            scope=visit.scope(Permission.SCAN),
        )
    except Invalid as exc:
        count = exc.count if isinstance(exc, NeedsConfirmation) else 0
        again = ScanForm(typed.targets, typed.default_credentials, sentence(str(exc)), count)
        return visit.page(Scans(again, await _recent(visit)), STATUSES[type(exc)])
    return see(f"/scans/{scan}")


async def show(visit: Visited, scan: str) -> Response:
    view = await visit.scans.get(ScanId(scan))
    unjudged = await _unjudged(visit, scan) if view.not_evaluated else ()
    return visit.page(Scan(view, not view.state.final, unjudged))


async def _unjudged(visit: Visit, scan: str) -> tuple[NotEvaluatedRow, ...]:
    page = await estate.not_evaluated(visit.store, limit=MOST_UNJUDGED, scope=visit.reading)
    return tuple(row for row in page.items if row.scan == scan)


async def events(visit: Visited, scan: str) -> Response:
    """Server-sent events; the first one is where the scan is now. 404 before the stream begins, not inside it."""
    await visit.scans.get(ScanId(scan))
    return stream(_lines(visit, visit.scans.events(ScanId(scan))), visit.desk.stopping)


async def _lines(visit: Visit, progress: AsyncGenerator[ScanProgress, None]) -> AsyncGenerator[str, None]:
    async for now in progress:
        if not await visit.still_may(Permission.READ):
            return
        yield f"data: {json.dumps(moving_parts(now))}\n\n"


def moving_parts(now: ScanProgress) -> dict[str, object]:
    """What the script of the scan page replaces, by the names of its `data-scan` attributes."""
    return {
        "state": now.state,
        "phase": words.PHASES.get(now.phase, now.phase),
        "done": now.done,
        "total": now.total,
        "cameras": now.cameras,
        "failed_verdicts": now.failed_verdicts,
        "not_evaluated": now.not_evaluated,
    }


async def stop(visit: Visited, scan: str) -> Response:
    await visit.scans.stop(ScanId(scan))
    return see(f"/scans/{scan}")
