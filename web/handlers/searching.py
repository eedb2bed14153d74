"""One field over everything: its page, and what it and the first page's changes are to a machine."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response

from fleet import changes as fleet_changes
from fleet import search as fleet_search
from fleet.changes import Changes
from fleet.people.permissions import Permission
from fleet.search import Found, Hit, Kind
from web.api_words import Moment
from web.contexts import Search, SearchGroup
from web.rendering import moment
from web.visit import Visit, Visited

Q = Annotated[str, Query(max_length=fleet_search.MOST_CHARACTERS)]
Since = Annotated[Moment | None, Query(description="a moment with its zone; a day ago where none is named")]

# Where a hit is shown; `{}` is its id.
PAGES = {
    Kind.CAMERA: "/devices/{}",
    Kind.FINDING: "/findings/{}",
    Kind.SITE: "/devices?{}",
    Kind.PERSON: "/settings/people?person={0}#person-{0}",
    Kind.PLAN: "/plans/{}",
    Kind.ROLLOUT: "/rollouts/{}",
    Kind.SCAN: "/scans/{}",
}
_LISTS = {Kind.CAMERA: "/devices", Kind.FINDING: "/findings"}


async def show(visit: Visited) -> Response:
    found = await _search(visit, visit.query.get("q", ""))
    return visit.page(Search(found.text, grouped(found)))


async def _search(visit: Visit, text: str) -> Found:
    return await fleet_search.search(visit.store, text, visit.reading, people=visit.may(Permission.AUDIT))


def grouped(found: Found) -> tuple[SearchGroup, ...]:
    groups = ((kind, tuple(hit for hit in found.hits if hit.kind is kind)) for kind in Kind)
    return tuple(SearchGroup(kind, _linked(hits), _all(kind, found)) for kind, hits in groups if hits)


def _linked(hits: tuple[Hit, ...]) -> tuple[tuple[str, Hit], ...]:
    return tuple((page_of(hit), hit) for hit in hits)


def page_of(hit: Hit) -> str:
    return PAGES[hit.kind].format(urlencode({"site": hit.id}) if hit.kind is Kind.SITE else hit.id)


def _all(kind: Kind, found: Found) -> str:
    """The list of all of them, "" where these are all or no list looks for the same."""
    path = _LISTS.get(kind)
    if path is None or kind not in found.more:
        return ""
    return f"{path}?{urlencode({'q': found.text})}"


async def search(visit: Visited, *, q: Q = "") -> Found:
    """A few answers of each kind, the most exact first; `more` names the kinds that have others besides."""
    return await _search(visit, q)


async def changes(visit: Visited, *, since: Since = None) -> Changes:
    """What changed since a moment of the last 31 days, in numbers."""
    if since is None:
        return await fleet_changes.lately(visit.store, scope=visit.reading)
    return await fleet_changes.changes(visit.store, moment(since), visit.reading)
