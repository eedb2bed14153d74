"""What the console reads: keyset paging, filters, counts. Nothing is changed but an acceptance that has run out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet import camera_events, standing
from fleet.camera_words import mentioning
from fleet.errors import NotFound
from fleet.findings import texts
from fleet.findings.triage import FindingState, reopen_expired
from fleet.paging import how_many, number, number_and_id, paged, read_page, two, words
from fleet.people.scope import EVERYWHERE, Scope
from fleet.scans import rows as scan_rows
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.packing import unpack
from fleet.views import (
    CheckRow,
    DeviceFilter,
    DeviceRow,
    DeviceView,
    FindingEvent,
    FindingFilter,
    FindingRow,
    FindingView,
    NotEvaluatedRow,
    OverviewView,
    Page,
    ScoreBucket,
    ScorePoint,
    SeverityCounts,
)
from fleet.words import MOST_CANDIDATES
from scanners import dossier as dossiers
from scanners.dossier import Dossier
from scanners.knowledge import mac_registry
from scanners.model import Outcome, Severity, Verdict
from scanners.score import WEIGHTS

__all__ = [
    "CheckRow",
    "DeviceFilter",
    "DeviceRow",
    "DeviceView",
    "FindingEvent",
    "FindingFilter",
    "FindingRow",
    "FindingView",
    "NotEvaluatedRow",
    "OverviewView",
    "Page",
    "ScoreBucket",
    "ScorePoint",
    "SeverityCounts",
    "device",
    "devices",
    "finding",
    "findings",
    "findings_number",
    "not_evaluated",
    "overview",
    "vendors",
]

_FIX_FIRST = 10
# Of `DeviceFilter.event`: a camera that told the last scan nothing.
GONE = "gone"
_MOST_VISITS = 500
_BUCKET = 10
# How much worse one finding is than one of the severity below.
_BY_SEVERITY = {
    Severity.CRITICAL: t.Camera.critical,
    Severity.HIGH: t.Camera.high,
    Severity.MEDIUM: t.Camera.medium,
    Severity.LOW: t.Camera.low,
}


# --- overview ---------------------------------------------------------------------------------------------------------


async def overview(store: Store, scope: Scope = EVERYWHERE) -> OverviewView:
    """The whole estate in numbers, as far as it is in scope. Of a large one they are some seconds old."""
    await reopen_expired(store)
    view = await store.summaries.get(("overview", scope), lambda: _overview(store, scope))
    async with store.read() as connection:
        scans = await scan_rows.newest_within(connection, 1, scope)
    return replace(view, last_scan=scans[0] if scans else None)


async def _overview(store: Store, scope: Scope) -> OverviewView:
    async with store.read() as connection:
        here = and_(standing.COUNTED, scope.at(t.Camera.site))
        by_worst = select(t.Camera.worst, func.count()).where(here).group_by(t.Camera.worst)
        worst = dict((await connection.execute(by_worst)).all())
        unknowing = (t.Camera.worst.is_(None), t.Camera.unknown > 0, here)
        unclear = await how_many(connection, select(t.Camera.id).where(*unknowing))
        sums = [func.coalesce(func.sum(column), 0) for column in (*_BY_SEVERITY.values(), t.Camera.unknown)]
        *counts, unknown = (await connection.execute(select(*sums).where(here))).one()
        silent = await how_many(connection, select(t.ScanNotEvaluated.id).where(*_silent(scope)))
        return OverviewView(
            cameras=sum(worst.values()),
            by_worst=tuple((severity, worst.get(severity, 0)) for severity in (*Severity, None)),
            unclear=unclear,
            findings=SeverityCounts(*counts),
            checks=await _fix_first(connection, scope),
            last_scan=None,
            not_evaluated=silent,
            unknown=unknown,
            scores=await _scores(connection, scope),
        )


async def _fix_first(connection: AsyncConnection, scope: Scope) -> tuple[CheckRow, ...]:
    severity, cameras = func.max(t.Finding.severity), func.count(t.Finding.camera.distinct())
    here = (t.IS_LIVE, standing.of_counted(t.Finding.camera), scope.at(t.Finding.site))
    by_check = select(t.Finding.check_id, severity, cameras, func.count()).where(*here)
    rows = (await connection.execute(by_check.group_by(t.Finding.check_id))).all()
    titles = dict((await connection.execute(select(t.CheckText.id, t.CheckText.title))).all())
    checks = [CheckRow(check, titles.get(check, check), worst, many, all_) for check, worst, many, all_ in rows]
    return tuple(sorted(checks, key=lambda row: (-WEIGHTS[row.severity], -row.cameras, row.check))[:_FIX_FIRST])


async def _scores(connection: AsyncConnection, scope: Scope) -> tuple[ScoreBucket, ...]:
    here = (standing.COUNTED, scope.at(t.Camera.site))
    by_score = select(t.Camera.score, func.count()).where(*here).group_by(t.Camera.score)
    counted = dict((await connection.execute(by_score)).all())
    lows = range(0, 100, _BUCKET)
    highs = [low + _BUCKET - 1 for low in lows[:-1]] + [100]
    return tuple(
        ScoreBucket(low, high, sum(counted.get(score, 0) for score in range(low, high + 1)))
        for low, high in zip(lows, highs, strict=True)
    )


# --- devices ----------------------------------------------------------------------------------------------------------


async def devices(
    store: Store,
    wanted: DeviceFilter | None = None,
    after: str | None = None,
    limit: int = 50,
    scope: Scope = EVERYWHERE,
) -> Page[DeviceRow]:
    """Lowest score first. Raises Invalid for a cursor that no page gave."""
    wanted = wanted or DeviceFilter()
    await reopen_expired(store)
    start: ColumnElement[bool] = true()
    if after is not None:
        score, last = number_and_id(after)
        start = and_(t.Camera.score >= score, or_(t.Camera.score > score, t.Camera.id > last))
    order = (t.Camera.score, t.Camera.id)
    async with store.read() as connection:
        said = [*await mentioning(connection, words(wanted.text)), *await _failing(connection, wanted)]
        query = select(t.Camera).where(*said, *_device_conditions(wanted), scope.at(t.Camera.site))
        rows, more = await read_page(connection, query.where(start).order_by(*order), limit)
    total = await number(store, ("devices", wanted, scope), query)
    return paged([_device_row(row) for row in rows], f"{rows[-1].score}~{rows[-1].id}" if more else None, total)


def _device_conditions(wanted: DeviceFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [standing.is_(wanted.standing) if wanted.standing else standing.COUNTED]
    if wanted.vendor is not None:
        conditions.append(t.Camera.vendor == wanted.vendor.casefold())
    if wanted.site is not None:
        conditions.append(_at(wanted.site))
    if wanted.event is not None and wanted.since is not None:
        conditions.append(_happened(wanted.event, wanted.since))
    if wanted.severity is not None and wanted.check is None:
        conditions.append(_BY_SEVERITY[wanted.severity] > 0)
    return conditions


async def _failing(connection: AsyncConnection, wanted: DeviceFilter) -> list[ColumnElement[bool]]:
    """Few cameras are named; of many, a walk in the order of the list soon finds a page."""
    if wanted.check is None:
        return []
    of_severity = t.Finding.severity == wanted.severity if wanted.severity else true()
    failing = select(t.Finding.camera).where(t.IS_LIVE, t.Finding.check_id == wanted.check, of_severity)
    few = (await connection.scalars(failing.limit(MOST_CANDIDATES + 1))).all()
    if len(few) <= MOST_CANDIDATES:
        return [t.Camera.id.in_(set(few))]
    return [failing.where(t.Finding.camera == t.Camera.id).exists()]


def _happened(event: str, since: datetime) -> ColumnElement[bool]:
    if event == GONE:
        silent = t.ScanNotEvaluated
        told_nothing = select(silent.address).where(silent.current, silent.at >= since, silent.at > t.Camera.last_seen)
        return t.Camera.address.in_(told_nothing)
    e = t.CameraEvent
    return t.Camera.id.in_(select(e.camera).where(e.event == event, e.at >= since))


def _at(site: str) -> ColumnElement[bool]:
    return t.Camera.site == site if site else t.Camera.site.is_(None)


async def vendors(store: Store, scope: Scope = EVERYWHERE) -> tuple[tuple[str, int], ...]:
    """Manufacturers and how many cameras each has, by name: the choices of `DeviceFilter.vendor`."""
    by_vendor = (
        select(func.max(t.Camera.manufacturer), func.count())
        .where(t.Camera.vendor.is_not(None), standing.COUNTED, scope.at(t.Camera.site))
        .group_by(t.Camera.vendor)
        .order_by(t.Camera.vendor)
    )

    async def counted() -> tuple[tuple[str, int], ...]:
        async with store.read() as connection:
            rows = (await connection.execute(by_vendor)).all()
        return tuple((name or "", number) for name, number in rows)

    return await store.summaries.get(("vendors", scope), counted)


async def device(store: Store, camera: str, scope: Scope = EVERYWHERE) -> DeviceView:
    """Raises NotFound."""
    await reopen_expired(store)
    async with store.read() as connection:
        this = (t.Camera.id == camera, scope.at(t.Camera.site))
        row = (await connection.execute(select(t.Camera).where(*this))).first()
        if row is None:
            raise NotFound("there is no such camera")
        body = await connection.scalar(select(t.StoredDossier.body).where(t.StoredDossier.id == row.last_dossier))
        return DeviceView(
            row=_device_row(row),
            hardware=row.hardware,
            mac_maker=mac_registry().maker(row.mac),
            driver=row.driver,
            verdicts=await _verdicts(connection, camera),
            findings=await _all_findings(connection, camera),
            dossier=_dossier(body),
            history=await _history(connection, camera),
            places=await camera_events.places(connection, camera),
        )


async def names(store: Store, cameras: Iterable[str]) -> Mapping[str, str]:
    """What people call these cameras, by id: their name, else their address. Whichever is gone is left out."""
    query = select(t.Camera.id, t.Camera.name, t.Camera.address).where(t.Camera.id.in_(set(cameras)))
    async with store.read() as connection:
        return {row.id: row.name or row.address for row in (await connection.execute(query)).all()}


async def _verdicts(connection: AsyncConnection, camera: str) -> tuple[Verdict, ...]:
    """Failed before unknown before passed, worst first."""
    current = verdicts_of().where(t.CurrentVerdict.camera == camera)
    order = (Outcome.FAIL, Outcome.ERROR, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)
    verdicts = [verdict_of(row) for row in (await connection.execute(current)).all()]
    return tuple(sorted(verdicts, key=lambda verdict: order.index(verdict.verdict)))


def verdicts_of() -> Select[*tuple[Any, ...]]:
    """What the last visit said of every camera, with the wording of its checks; rows for `verdict_of`."""
    wording = (t.CheckText.title, t.CheckText.remediation, t.CheckText.references, t.CheckText.standards)
    return (
        select(t.CurrentVerdict, *wording)
        .join(t.CheckText, t.CheckText.id == t.CurrentVerdict.check_id)
        .order_by(t.CurrentVerdict.severity.desc(), t.CurrentVerdict.check_id, t.CurrentVerdict.subject)
    )


async def _all_findings(connection: AsyncConnection, camera: str) -> tuple[FindingRow, ...]:
    fixed_last = case((t.Finding.state == FindingState.FIXED.value, 1), else_=0)
    query = _finding_query().where(t.Finding.camera == camera)
    rows = await connection.execute(query.order_by(fixed_last, t.Finding.severity.desc(), t.Finding.id.desc()))
    return tuple(_finding_row(row) for row in rows.all())


async def _history(connection: AsyncConnection, camera: str) -> tuple[ScorePoint, ...]:
    columns = (t.StoredDossier.at, t.StoredDossier.score, t.StoredDossier.failed, t.StoredDossier.unknown)
    visits = select(*columns).where(t.StoredDossier.camera == camera)
    newest = visits.order_by(t.StoredDossier.id.desc()).limit(_MOST_VISITS)
    return tuple(ScorePoint(*row) for row in reversed((await connection.execute(newest)).all()))


# --- findings ---------------------------------------------------------------------------------------------------------


async def findings(
    store: Store,
    wanted: FindingFilter | None = None,
    after: str | None = None,
    limit: int = 50,
    scope: Scope = EVERYWHERE,
) -> Page[FindingRow]:
    """Worst first, then the newest. Raises Invalid for a cursor that no page gave."""
    wanted = wanted or FindingFilter()
    await reopen_expired(store)
    start: ColumnElement[bool] = true()
    if after is not None:
        rank, last = number_and_id(after)
        severity = t.BY_RANK.get(rank, Severity.LOW)
        start = and_(t.Finding.severity <= severity, or_(t.Finding.severity < severity, t.Finding.id < last))
    query = _finding_query().where(start).order_by(t.Finding.severity.desc(), t.Finding.id.desc())
    async with store.read() as connection:
        query = query.where(*await _finding_conditions(connection, wanted, scope))
        rows, more = await read_page(connection, query, limit)
    total = await findings_number(store, wanted, scope)
    items = [_finding_row(row) for row in rows]
    return paged(items, f"{t.RANKS[items[-1].severity]}~{items[-1].id}" if more else None, total)


async def findings_number(store: Store, wanted: FindingFilter, scope: Scope = EVERYWHERE) -> int:
    """How many `findings` would show in all."""

    async def count() -> int:
        async with store.read() as connection:
            conditions = await _finding_conditions(connection, wanted, scope)
            return await how_many(connection, select(t.Finding.id).where(*conditions))

    return await store.summaries.get(("findings", wanted, scope), count)


async def _finding_conditions(
    connection: AsyncConnection, wanted: FindingFilter, scope: Scope
) -> list[ColumnElement[bool]]:
    equal = (
        (t.Finding.state, wanted.state and wanted.state.value),
        (t.Finding.severity, wanted.severity),
        (t.Finding.check_id, wanted.check),
        (t.Finding.camera, wanted.camera),
    )
    conditions = [scope.at(t.Finding.site), *(column == value for column, value in equal if value is not None)]
    if wanted.event is not None and wanted.since is not None:
        e = t.FindingEvent
        changed = select(e.finding).where(e.event == wanted.event, e.at >= wanted.since)
        conditions.append(t.Finding.id.in_(changed))
    if wanted.site is not None:
        conditions.append(t.Finding.site == wanted.site if wanted.site else t.Finding.site.is_(None))
    if wanted.camera is None:
        conditions.append(standing.of_counted(t.Finding.camera))
    return await texts.narrowed(connection, conditions, words(wanted.text))


def _finding_query() -> Select[*tuple[Any, ...]]:
    camera = (
        t.Camera.name.label("camera_name"),
        t.Camera.address,
        t.Camera.port,
        t.Camera.manufacturer,
        t.Camera.model,
    )
    return (
        select(t.Finding, *camera, t.CheckText.title)
        .join(t.Camera, t.Camera.id == t.Finding.camera)
        .outerjoin(t.CheckText, t.CheckText.id == t.Finding.check_id)
    )


async def finding(store: Store, finding_id: str, scope: Scope = EVERYWHERE) -> FindingView:
    """Raises NotFound."""
    await reopen_expired(store)
    wording = (t.CheckText.remediation, t.CheckText.references, t.CheckText.standards)
    query = _finding_query().add_columns(*wording)
    query = query.where(t.Finding.id == finding_id, scope.at(t.Finding.site))
    events = select(t.FindingEvent).where(t.FindingEvent.finding == finding_id).order_by(t.FindingEvent.id)
    async with store.read() as connection:
        row = (await connection.execute(query)).first()
        if row is None:
            raise NotFound("there is no such finding")
        history = (await connection.execute(events)).all()
    return FindingView(
        row=_finding_row(row),
        evidence=row.evidence,
        remediation=row.remediation or "",
        references=tuple(row.references or ()),
        standards=_standards(row.standards or {}),
        events=tuple(FindingEvent(one.at, one.event, one.actor, one.reason, one.until) for one in history),
    )


# --- what no scan could tell ------------------------------------------------------------------------------------------


def _silent(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (t.ScanNotEvaluated.current == true(), scope.at(t.ScanNotEvaluated.site))


async def not_evaluated(
    store: Store, after: str | None = None, limit: int = 50, scope: Scope = EVERYWHERE
) -> Page[NotEvaluatedRow]:
    """Addresses whose newest scan told us nothing, in order of address text."""
    at_it = (t.Camera.address == t.ScanNotEvaluated.address, scope.at(t.Camera.site))
    here = select(func.max(t.Camera.id)).where(*at_it).scalar_subquery()
    current = select(t.ScanNotEvaluated, here.label("camera")).where(*_silent(scope))
    start: ColumnElement[bool] = true()
    if after is not None:
        address, last = two(after)
        start = and_(
            t.ScanNotEvaluated.address >= address,
            or_(t.ScanNotEvaluated.address > address, t.ScanNotEvaluated.id > last),
        )
    query = current.where(start).order_by(t.ScanNotEvaluated.address, t.ScanNotEvaluated.id)
    async with store.read() as connection:
        rows, more = await read_page(connection, query, limit)
    silent = select(t.ScanNotEvaluated.id).where(*_silent(scope))
    total = await number(store, ("silent", scope), silent)
    items = [NotEvaluatedRow(row.address, row.reason, row.detail, row.at, row.scan, row.camera) for row in rows]
    return paged(items, f"{rows[-1].address}~{rows[-1].id}" if more else None, total)


# --- rows -----------------------------------------------------------------------------------------------------------


def _device_row(row: Row[*tuple[Any, ...]]) -> DeviceRow:
    return DeviceRow(
        id=row.id,
        name=row.name,
        address=row.address,
        port=row.port,
        scheme=row.scheme,
        manufacturer=row.manufacturer,
        model=row.model,
        firmware=row.firmware,
        serial=row.serial,
        mac=row.mac,
        site=row.site,
        standing=row.standing,
        displaced_at=row.displaced_at,
        displaced_by=row.displaced_by,
        score=row.score,
        worst=row.worst,
        findings=SeverityCounts(row.critical, row.high, row.medium, row.low),
        unknown=row.unknown,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
    )


def _finding_row(row: Row[*tuple[Any, ...]]) -> FindingRow:
    return FindingRow(
        id=row.id,
        camera=row.camera,
        camera_name=row.camera_name,
        address=row.address,
        port=row.port,
        manufacturer=row.manufacturer,
        model=row.model,
        check=row.check_id,
        title=row.title or row.check_id,
        subject=row.subject,
        severity=row.severity,
        state=FindingState(row.state),
        summary=row.summary,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        fixed_at=row.fixed_at,
        accepted_until=row.accepted_until,
        reason=row.reason,
    )


def verdict_of(row: Row[*tuple[Any, ...]]) -> Verdict:
    return Verdict(
        check=row.check_id,
        verdict=Outcome(row.verdict),
        severity=row.severity,
        title=row.title,
        subject=row.subject,
        summary=row.summary,
        evidence=row.evidence,
        remediation=row.remediation,
        references=tuple(row.references),
        standards=_standards(row.standards),
        reason=row.reason,
    )


def _standards(stored: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(controls) for name, controls in stored.items()}


def _dossier(body: bytes | None) -> Dossier | None:
    """`None` for what another version of us wrote and this one cannot read."""
    try:
        return dossiers.load(unpack(body)) if body else None
    except ValueError:
        return None
