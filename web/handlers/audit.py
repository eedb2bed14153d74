"""The audit trail: what was done by whom, and whether the record of it is whole."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response, StreamingResponse

from fleet.audit import export as audit_export
from fleet.audit.chain import Row
from fleet.audit.trail import Action, Entry, record_first
from fleet.audit.views import Wanted, entries
from fleet.audit.watch import CheckView
from fleet.errors import Invalid
from fleet.views import Page
from web.audit_contexts import NOUNS, Audit
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see

PAGE = "/settings/audit"
Limit = Annotated[int, Query(ge=1, le=500)]
Word = Annotated[str, Query(max_length=200)]
After = Annotated[str | None, Query(description="the `after` of the page before", max_length=20)]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry of the trail. `mac` is chained to that of the entry before."""

    seq: int
    at: datetime
    actor: str
    action: str
    about: str
    detail: Mapping[str, Any]
    source: str
    request: str
    mac: str


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


async def listed(
    visit: Visited,
    *,
    actor: Word = "",
    action: Word = "",
    about: Word = "",
    since: datetime | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[AuditEntry]:
    """Newest first. `action` and `about` may be a noun alone: `vault`, `camera`."""
    page = await entries(visit.store, Wanted(actor, action, about, _aware(since)), after=after, limit=limit)
    return Page(tuple(_entry(row) for row in page.items), page.after, page.total)


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _entry(row: Row) -> AuditEntry:
    names = ("seq", "at", "actor", "action", "about", "source", "request", "mac")
    return AuditEntry(**{name: getattr(row, name) for name in names}, detail=row.said)


async def check_view(visit: Visited) -> CheckView | None:
    """The check that runs, or the last one since the service was started; null before the first."""
    return visit.service.audit.view


async def check(visit: Visited) -> CheckView:
    """Begin to check the whole chain, in the background; ask for its state."""
    return visit.service.audit.begin_check()
