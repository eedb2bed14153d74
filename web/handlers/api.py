"""The REST API, version 1: the same questions as the pages ask, as JSON."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict

from fleet import estate, idempotency
from fleet.findings.triage import FindingState
from fleet.people.permissions import Permission
from fleet.scans.runner import ScanId, ScanView
from fleet.views import DeviceFilter, DeviceRow, DeviceView, FindingFilter, FindingRow, FindingView, Page
from scanners.model import Severity
from web.handlers.checks import WORST_FIRST
from web.visit import Visit, Visited

Limit = Annotated[int, Query(ge=1, le=500)]
Text = Annotated[str | None, Query(max_length=200)]
After = Annotated[str | None, Query(description="the `after` of the page before", max_length=500)]


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check without its code."""

    id: str
    title: str
    severity: Severity
    rationale: str
    remediation: str
    references: tuple[str, ...]
    standards: Mapping[str, tuple[str, ...]]


class NewScan(BaseModel):
    """`targets` as on the command line: addresses, ranges, networks, names, separated by spaces or new lines."""

    model_config = ConfigDict(extra="forbid", strict=True)

    targets: str
    default_credentials: bool = True
    confirmed: bool = False


def description(visit: Visited) -> dict[str, Any]:
    """This document."""
    document: dict[str, Any] = visit.request.app.openapi()
    return document


async def cameras(
    visit: Visited,
    *,
    q: Text = "",
    vendor: Text = None,
    severity: Severity | None = None,
    check: Text = None,
    site: Text = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[DeviceRow]:
    """Lowest score first. An empty `site` is cameras of none."""
    return await estate.devices(
        visit.store, DeviceFilter(q or "", vendor, severity, check, site), after, limit, visit.reading
    )


async def camera(visit: Visited, camera: str) -> DeviceView:
    return await estate.device(visit.store, camera, visit.reading)


async def findings(
    visit: Visited,
    *,
    q: Text = "",
    state: FindingState | None = None,
    severity: Severity | None = None,
    check: Text = None,
    camera: Text = None,
    site: Text = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[FindingRow]:
    """Worst first. Without `state`: findings of every state."""
    wanted = FindingFilter(state, severity, check, camera, q or "", site)
    return await estate.findings(visit.store, wanted, after, limit, visit.reading)


async def finding(visit: Visited, finding: str) -> FindingView:
    return await estate.finding(visit.store, finding, visit.reading)


async def scans(visit: Visited) -> list[ScanView]:
    return await visit.scans.recent(scope=visit.reading)


async def start_scan(visit: Visited, new: NewScan, response: Response) -> ScanView:
    """Start a scan: 409 asks for `confirmed` beyond 4096 addresses."""
    scan = await once(
        visit,
        lambda: visit.scans.start(
            new.targets,
            visit.name,
            default_credentials=new.default_credentials,
            confirmed=new.confirmed,
            scope=visit.scope(Permission.SCAN),
        ),
    )
    response.status_code = 202
    response.headers["Location"] = f"/api/v1/scans/{scan}"
    return await visit.scans.get(ScanId(scan))


async def once(visit: Visit, start: Callable[[], Awaitable[str]]) -> str:
    """The id of what `start` makes; the same id where the request was sent before with the same Idempotency-Key."""
    key = visit.request.headers.get("idempotency-key")
    if key is None:
        return await start()
    request = visit.request.url.path.encode() + b"\0" + await visit.request.body()
    return await idempotency.once(visit.store, visit.name, key, request, start)


async def scan(visit: Visited, scan: str) -> ScanView:
    return await visit.scans.get(ScanId(scan))


async def checks(_visit: Visited) -> list[CheckView]:
    return [
        CheckView(c.id, c.title, c.severity, c.rationale, c.remediation, c.references, c.standards) for c in WORST_FIRST
    ]
