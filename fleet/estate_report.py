"""The stored estate as an assessment: the last visit of every camera, and what told us nothing."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from types import MappingProxyType

from sqlalchemy import func, select

from fleet.estate import verdict_of, verdicts_of
from fleet.people.scope import EVERYWHERE, Scope
from fleet.reports.assessment import AssessedCamera, Assessment, CameraIdentity, Tool, to_json
from fleet.reports.junit import to_junit
from fleet.reports.page import to_html
from fleet.reports.sarif import to_sarif
from fleet.reports.spreadsheet import to_csv
from fleet.store import Store
from fleet.store import tables as t
from scanners.assessment import NotEvaluated

# Media type and writer by the ending of a file.
FORMATS: Mapping[str, tuple[str, Callable[[Assessment], str]]] = MappingProxyType(
    {
        "html": ("text/html; charset=utf-8", to_html),
        "csv": ("text/csv; charset=utf-8", to_csv),
        "json": ("application/json", to_json),
        "sarif": ("application/sarif+json", to_sarif),
        "xml": ("application/xml", to_junit),
    }
)


async def stored_assessment(store: Store, scope: Scope = EVERYWHERE) -> Assessment:
    """Started with the oldest visit that it rests on, finished now."""
    verdicts = defaultdict(list)
    async with store.read() as connection:
        here = scope.at(t.Camera.site)
        for row in await connection.execute(verdicts_of().where(scope.of(t.CurrentVerdict.camera))):
            verdicts[row.camera].append(verdict_of(row))
        wanted = select(t.Camera).where(here).order_by(t.Camera.address, t.Camera.port)
        cameras = (await connection.execute(wanted)).all()
        oldest = (await connection.execute(select(func.min(t.Camera.last_seen)).where(here))).scalar()
        n = t.ScanNotEvaluated
        unjudged = select(n.address, n.reason, n.detail).where(n.current, scope.at(n.site))
        silent = (await connection.execute(unjudged)).all()
    now = store.now()
    return Assessment(
        tool=Tool("camwarden", version("camwarden")),
        started=_moment(oldest or now),
        finished=_moment(now),
        cameras=tuple(
            AssessedCamera(
                row.address,
                row.port,
                CameraIdentity(row.manufacturer, row.model, row.firmware, row.serial, row.mac, row.driver),
                tuple(verdicts[row.id]),
                row.score,
            )
            for row in cameras
        ),
        not_evaluated=tuple(NotEvaluated(address, reason, detail) for address, reason, detail in silent),
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
