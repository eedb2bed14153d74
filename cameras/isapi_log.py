"""The end of a camera's own log, by ISAPI's search in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from cameras.errors import Garbled
from cameras.facts import DeviceLog
from cameras.isapi import Isapi
from cameras.isapi_documents import Node, add, children, find, new, put_or_add, text
from cameras.untrusted import clean_text

PAGES, ENTRIES = 8, 64
HOURS = (1, 24)
Span = tuple[str, str]
Row = tuple[str, str]
"""When, as the camera wrote it, and the whole line."""


async def read_log(isapi: Isapi) -> DeviceLog:
    """Of the last hour by the camera's clock, or of the last day where that is little enough to be shown whole."""
    clock = await isapi.get("System/time", "Time")
    rows: tuple[Row, ...] = ()
    for hours in HOURS:
        found, is_all = await _search(isapi, clock, span(clock, hours))
        if hours == HOURS[0] or (is_all and len(found) > len(rows)):
            rows = found
    return DeviceLog(tuple(line for _, line in sorted(rows)))


async def _search(isapi: Isapi, clock: Node, within: Span) -> tuple[tuple[Row, ...], bool]:
    """What was found, and whether that is all of it."""
    search = str(uuid4()).upper()
    rows: list[Row] = []
    for _ in range(PAGES):
        asked = question(clock, search, within, first=len(rows))
        page = decode_page(await isapi.ask("ContentMgmt/logSearch", asked, "CMSearchResult"))
        rows += page.rows
        if not page.more:
            return tuple(rows), True
    return tuple(rows), False


def question(like: Node, search: str, within: Span, *, first: int) -> Node:
    """`searchResultPostion` is spelled so."""
    asked = new("CMSearchDescription", like)
    put_or_add(asked, "searchID", search)
    put_or_add(asked, "metaId", "log.std-cgi.com")
    one = add(add(asked, "timeSpanList"), "timeSpan")
    put_or_add(one, "startTime", within[0])
    put_or_add(one, "endTime", within[1])
    put_or_add(asked, "maxResults", str(ENTRIES))
    put_or_add(asked, "searchResultPostion", str(first))
    return asked


@dataclass(frozen=True, slots=True)
class Page:
    """`more`: the search has not shown all."""

    rows: tuple[Row, ...]
    more: bool


def decode_page(found: Node) -> Page:
    listed = find(found, "matchList")
    rows = () if listed is None else tuple(_rows(listed))
    return Page(rows, more=(text(found, "responseStatusStrg") or "").upper() == "MORE" and bool(rows))


def _rows(listed: Node) -> Iterator[Row]:
    for match in children(listed, "searchMatchItem"):
        entry = find(match, "logDescriptor")
        if entry is None:
            continue
        when, what = text(entry, "StartDateTime") or "", (text(entry, "metaId") or "").partition("/")[2]
        parts = (when, what, text(entry, "userName"), text(entry, "ipAddress"), text(entry, "additionInformation"))
        yield when, " ".join(part for part in parts if part)


def span(clock: Node, hours: int) -> Span:
    """The hours until now by the camera's own clock (System/time), in the way that it writes the time itself."""
    said = text(clock, "localTime") or ""
    try:
        now = datetime.fromisoformat(said)
        start, end = now - timedelta(hours=hours), now + timedelta(minutes=1)
    except (ValueError, OverflowError) as error:
        raise Garbled(f"time: {clean_text(said, 40)!r} is no time") from error
    zone = "" if now.tzinfo else "Z"
    return start.isoformat(timespec="seconds") + zone, end.isoformat(timespec="seconds") + zone
