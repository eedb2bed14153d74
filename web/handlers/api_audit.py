"""The audit trail by the REST API: read, checked, exported; what was signed of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query

from fleet import paging
from fleet.audit import checkpoints as audit_checkpoints
from fleet.audit.chain import Row
from fleet.audit.checkpoints import Checkpoint
from fleet.audit.views import Wanted, entries
from fleet.audit.watch import CheckView
from fleet.settings import Settings
from fleet.views import Page
from web.api_words import After, Limit, Moment
from web.visit import Visited

Word = Annotated[str, Query(max_length=200)]


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


async def listed(
    visit: Visited,
    *,
    actor: Word = "",
    action: Word = "",
    about: Word = "",
    since: Moment | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[AuditEntry]:
    """Newest first. `action` and `about` may be a noun alone: `vault`, `camera`."""
    page = await entries(visit.store, Wanted(actor, action, about, since), after=after, limit=limit)
    return Page(tuple(_entry(row) for row in page.items), page.after, page.total)


def _entry(row: Row) -> AuditEntry:
    names = ("seq", "at", "actor", "action", "about", "source", "request", "mac")
    return AuditEntry(**{name: getattr(row, name) for name in names}, detail=row.said)


async def check_view(visit: Visited) -> CheckView | None:
    """The check that runs, or the last one since the service was started; null before the first."""
    return visit.service.audit.view


async def check(visit: Visited) -> CheckView:
    """Begin to check the whole chain, in the background; ask for its state."""
    return visit.service.audit.begin_check()


async def checkpoints(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[Checkpoint]:
    """The head of the trail, signed every hour that had entries, the newest first."""
    found = await asyncio.to_thread(_kept, visit.service.settings)
    return paging.in_order(found, after, limit)


def _kept(settings: Settings) -> list[Checkpoint]:
    """Of the home; what the settings name besides are copies of the same."""
    ours = audit_checkpoints.files(settings)[0]
    return audit_checkpoints.load([ours])[::-1] if ours.exists() else []
