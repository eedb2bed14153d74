"""Cameras: the list, its export, and one of them."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import Response, StreamingResponse

from fleet import estate, work
from fleet.audit.views import history
from fleet.camera_events import Happened, of_camera
from fleet.pictures.wall import age_of
from fleet.reports.spreadsheet import guarded
from fleet.standing import NEW, Standing, kept_counts
from fleet.views import DeviceFilter, DeviceRow, DeviceView
from scanners.model import Outcome, Severity
from web import words
from web.contexts import Device, Devices, VerdictGroup
from web.handlers import sites
from web.handlers.checks import WORST_FIRST
from web.handlers.overview import RATIONALES
from web.rendering import moment, plain, visible
from web.visit import Visit, Visited

NO_SITE = "-"
STANDINGS = frozenset({*Standing, NEW})
CAMERA_EVENTS = frozenset({*Happened, estate.GONE})
READING_ORDER = (Outcome.FAIL, Outcome.ERROR, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)
COLUMNS = (
    "name", "address", "port", "site", "manufacturer", "model", "firmware", "serial", "mac", "score", "worst",
    "critical", "high", "medium", "low", "unknown", "first_seen", "last_seen",
    "displaced_at",
)  # fmt: skip


def wanted_devices(query: QueryParams) -> DeviceFilter:
    """A choice that does not exist filters nothing, so that an old link still opens."""
    severity = query.get("severity", "")
    return DeviceFilter(
        text=query.get("q", "").strip()[:200],
        vendor=query.get("vendor") or None,
        severity=Severity(severity) if severity in set(Severity) else None,
        check=query.get("check") or None,
        site=site_choice(query),
        event=event if (event := query.get("event")) in CAMERA_EVENTS else None,
        since=moment_of(query),
        standing=standing if (standing := query.get("standing")) in STANDINGS else None,
    )


def moment_of(query: QueryParams) -> datetime | None:
    """What a link of ours says; anything else filters nothing."""
    return moment(query.get("since", "")[:40].replace(" ", "+"))


def site_choice(query: QueryParams) -> str | None:
    """A site's name, "" for cameras of none, `None` for all cameras."""
    asked = query.get("site", "")[:200]
    return "" if asked == NO_SITE else asked or None


def site_as_query(site: str | None) -> str | None:
    return NO_SITE if site == "" else site


def as_query(wanted: DeviceFilter) -> str:
    pairs = {"q": wanted.text, "vendor": wanted.vendor, "severity": wanted.severity, "check": wanted.check}
    pairs |= {"site": site_as_query(wanted.site), "standing": wanted.standing}
    if wanted.event and wanted.since:
        pairs |= {"event": wanted.event, "since": wanted.since.isoformat()}
    return urlencode({name: value for name, value in pairs.items() if value})


async def show_all(visit: Visited) -> Response:
    wanted, after = wanted_devices(visit.query), visit.query.get("after")
    page = await estate.devices(visit.store, wanted, after, scope=visit.reading)
    makers = await estate.vendors(visit.store, visit.reading)
    places = await sites.choices(visit)
    new = (await kept_counts(visit.store, visit.reading))[NEW]
    return visit.page(Devices(page, wanted, makers, places, WORST_FIRST, as_query(wanted), not after, new))


async def export(visit: Visited) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="cameras.csv"'}
    return StreamingResponse(_lines(visit), media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(visit: Visit) -> AsyncIterator[str]:
    wanted, after = wanted_devices(visit.query), None
    yield csv_line(COLUMNS)
    while True:
        page = await estate.devices(visit.store, wanted, after, limit=500, scope=visit.reading)
        for row in page.items:
            yield csv_line(_cells(row))
        if page.after is None:
            return
        after = page.after


def _cells(row: DeviceRow) -> tuple[object, ...]:
    seen = (row.first_seen.isoformat(timespec="seconds"), row.last_seen.isoformat(timespec="seconds"))
    counts = (row.findings.critical, row.findings.high, row.findings.medium, row.findings.low)
    who = (row.name, row.address, row.port, row.site, row.manufacturer, row.model, row.firmware, row.serial, row.mac)
    displaced = row.displaced_at and row.displaced_at.isoformat(timespec="seconds")
    return (*who, row.score, row.worst, *counts, row.unknown, *seen, displaced)


def csv_line(cells: tuple[object, ...]) -> str:
    """One line, in which a camera's words neither break the line nor run as a formula."""
    line = io.StringIO()
    csv.writer(line).writerow([_inert(cell) for cell in cells])
    return line.getvalue()


def _inert(cell: object) -> object:
    if not isinstance(cell, str):
        return "" if cell is None else cell
    return guarded(" ".join(visible(cell).split()))


async def show(visit: Visited, camera: str) -> Response:
    view = await estate.device(visit.store, camera, visit.reading)
    links = {(row.check, row.subject): row for row in view.findings}
    done = await work.of_camera(visit.service, camera, visit.reading)
    tile = await visit.service.pictures.tile(camera)
    context = Device(
        view=view,
        groups=grouped(view),
        rationales=RATIONALES,
        facts=facts_of(view),
        links=links,
        jobs=done,
        tile=tile,
        age=age_of(tile, visit.service.schedules.picture_minutes),
        card=await visit.service.accuracy.card(camera),
        history=await history(visit.store, f"camera:{camera}"),
        events=await of_camera(visit.store, camera),
    )
    return visit.page(context)


def grouped(view: DeviceView) -> tuple[VerdictGroup, ...]:
    rank = {severity: number for number, severity in enumerate(Severity)}
    ordered = sorted(view.verdicts, key=lambda verdict: (rank[verdict.severity], verdict.title, verdict.subject))
    groups = (VerdictGroup(kind, tuple(v for v in ordered if v.verdict is kind)) for kind in READING_ORDER)
    return tuple(group for group in groups if group.verdicts)


def facts_of(view: DeviceView) -> Mapping[str, Mapping[str, object]]:
    """Every fact of the dossier that we have a heading for, in reading order."""
    dossier = plain(view.dossier) if view.dossier else {}
    facts = dossier if isinstance(dossier, dict) else {}
    return {name: facts[name] for name in words.FACTS if name in facts}
