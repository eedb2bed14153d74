"""The audit trail: what was done by whom, and whether the record of it is whole."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from fleet.audit import export as audit_export
from fleet.audit.trail import Action, Entry, record_first
from fleet.audit.views import Wanted, entries
from fleet.errors import Invalid
from web.audit_contexts import NOUNS, Audit
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see

PAGE = "/settings/audit"


async def show(visit: Visited) -> Response:
    asked = {name: visit.query.get(name, "").strip() for name in ("actor", "action", "about", "since")}
    try:
        wanted, mistake = Wanted(asked["actor"], asked["action"], asked["about"], _day(asked["since"])), ""
        page = await entries(visit.store, wanted, after=visit.query.get("after"))
    except Invalid as exc:
        wanted, mistake = Wanted(), sentence(str(exc))
        page = await entries(visit.store, wanted)
    query = urlencode({name: value for name, value in asked.items() if value})
    check, first = visit.service.audit.view, "after" not in visit.query
    context = Audit(page, wanted, query, first, NOUNS, asked["since"], mistake, check)
    return visit.page(context, STATUSES[Invalid] if mistake else 200)


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid("write a day such as 2026-03-01") from None


async def begin_check(visit: Visited) -> Response:
    visit.service.audit.begin_check()
    return see(PAGE)


async def export(visit: Visited) -> Response:
    """A reading of everything is told too."""
    await record_first(visit.store, Entry(visit.name, Action.AUDIT_EXPORT, source=visit.source))
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(_lines(visit), media_type="application/jsonl", headers=headers)


async def _lines(visit: Visit) -> AsyncIterator[str]:
    async for text in audit_export.lines(visit.store, visit.service.settings):
        yield text
