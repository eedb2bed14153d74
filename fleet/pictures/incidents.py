"""Incidents of pictures: opened and closed by what the series of a camera say, one for a site where many agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, insert, not_, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from cameras.untrusted import clean_text
from fleet.notices import outbox
from fleet.people.scope import EVERYWHERE, Scope
from fleet.pictures.views import IncidentView
from fleet.store import Store
from fleet.store.ids import new_id
from fleet.store.parts import parts as in_parts
from fleet.store.pictures_tables import PictureIncident as Incident
from fleet.store.pictures_tables import PictureWatch
from fleet.store.tables import Camera
from health.incidents import TOGETHER, Raised, gather
from health.series import Change

# What one camera says is told this much later: a storm shows on all cameras within that time, and is told once.
SETTLES = timedelta(minutes=10)
_REOPENED_WITHIN = timedelta(hours=24)
_MOST_NAMED = 20
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Where:
    """The camera that a change is about. `site`: cameras that share light, weather and power."""

    camera: str
    name: str
    site: str


def place_of(site: str | None, address: str) -> str:
    """The site of a camera; of one without, the network that it stands in."""
    if site:
        return site
    if ":" in address:
        return ":".join(address.split(":")[:4]) + "::/64"
    return ".".join(address.split(".")[:3]) + ".0/24"


async def apply(
    connection: AsyncConnection, where: Where, changes: Sequence[Change], channels: Sequence[str], now: datetime
) -> None:
    """Inside the transaction of the check that made these changes."""
    for change in changes:
        if change.kind == "cleared":
            await _close(connection, where, change.fault, now)
        else:
            await _open(connection, where, change, channels, now)
    if changes:
        mine = (Incident.camera == where.camera, Incident.closed_at.is_(None))
        well = not_(exists().where(*mine))
        await connection.execute(update(PictureWatch).where(PictureWatch.camera == where.camera).values(well=well))


async def _open(
    connection: AsyncConnection, where: Where, change: Change, channels: Sequence[str], now: datetime
) -> None:
    if change.kind == "reopened" and await _reopen(connection, where, change.fault, now):
        return
    incident = new_id()
    row = {"id": incident, "camera": where.camera, "site": where.site, "fault": change.fault, "opened_at": now}
    await connection.execute(insert(Incident), [{**row, "closed_at": None, "part_of": None}])
    content = _words(where.site, change.fault, [where.name], over=False)
    await outbox.tell(connection, incident, "outage", content, channels=channels, now=now, after=SETTLES)
    await _join(connection, where.site, change.fault, channels, now)


async def _reopen(connection: AsyncConnection, where: Where, fault: str, now: datetime) -> bool:
    """The same within a day is the same incident, and nobody is told twice."""
    mine = (Incident.camera == where.camera, Incident.fault == fault, Incident.closed_at > now - _REOPENED_WITHIN)
    last = select(Incident.id).where(*mine).order_by(Incident.id.desc()).limit(1)
    found = (await connection.execute(last)).scalar_one_or_none()
    if found is None:
        return False
    await connection.execute(update(Incident).where(Incident.id == found).values(closed_at=None))
    return True


async def _join(connection: AsyncConnection, site: str, fault: str, channels: Sequence[str], now: datetime) -> None:
    """Where enough cameras of the site agree, theirs become parts of one incident, which alone is told."""
    rows = await _singles(connection, site, fault, now)
    shared = await _open_shared(connection, site, fault, now)
    groups = gather(
        [Raised(row.camera, site, fault, row.opened_at) for row in rows], {site: await _cameras_at(connection, site)}
    )
    together = {camera for group in groups if group.shared for camera in group.cameras}
    parts = [row for row in rows if shared or row.camera in together]
    if not parts:
        return
    if shared is None:
        shared = new_id()
        row = {"id": shared, "camera": None, "site": site, "fault": fault, "opened_at": parts[0].opened_at}
        await connection.execute(insert(Incident), [{**row, "closed_at": None, "part_of": None}])
        names = [row.name or row.address for row in parts]
        content = _words(site, fault, names, over=False)
        await outbox.tell(connection, shared, "outage", content, channels=channels, now=now)
    ids = [row.id for row in parts]
    for some in in_parts(ids):
        await connection.execute(update(Incident).where(Incident.id.in_(some)).values(part_of=shared))
        await outbox.withdraw(connection, some)


async def _singles(connection: AsyncConnection, site: str, fault: str, now: datetime) -> Sequence[AnyRow]:
    alone = (Incident.camera.is_not(None), Incident.part_of.is_(None), Incident.closed_at.is_(None))
    same = (Incident.site == site, Incident.fault == fault, Incident.opened_at >= now - TOGETHER)
    columns = (Incident.id, Incident.camera, Incident.opened_at, Camera.name, Camera.address)
    query = select(*columns).join(Camera, Camera.id == Incident.camera).where(*alone, *same)
    return (await connection.execute(query.order_by(Incident.opened_at))).all()


async def _open_shared(connection: AsyncConnection, site: str, fault: str, now: datetime) -> str | None:
    shared = (Incident.camera.is_(None), Incident.closed_at.is_(None), Incident.opened_at >= now - 2 * TOGETHER)
    same = (Incident.site == site, Incident.fault == fault)
    query = select(Incident.id).where(*shared, *same).order_by(Incident.id.desc()).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()


async def _cameras_at(connection: AsyncConnection, site: str) -> int:
    rows = (await connection.execute(select(Camera.site, Camera.address))).all()
    return sum(place_of(row.site, row.address) == site for row in rows)


async def _close(connection: AsyncConnection, where: Where, fault: str, now: datetime) -> None:
    mine = (Incident.camera == where.camera, Incident.fault == fault, Incident.closed_at.is_(None))
    rows = (await connection.execute(select(Incident).where(*mine))).all()
    for row in rows:
        await connection.execute(update(Incident).where(Incident.id == row.id).values(closed_at=now))
        content = _words(where.site, fault, [where.name], over=True)
        await outbox.tell_recovery(connection, row.id, content, now)
        if row.part_of is not None:
            await _close_shared(connection, row.part_of, where.site, fault, now)


async def _close_shared(connection: AsyncConnection, shared: str, site: str, fault: str, now: datetime) -> None:
    """It is over when the last of its cameras is well."""
    still = select(func.count()).where(Incident.part_of == shared, Incident.closed_at.is_(None))
    if (await connection.execute(still)).scalar_one():
        return
    await connection.execute(update(Incident).where(Incident.id == shared).values(closed_at=now))
    await outbox.tell_recovery(connection, shared, _words(site, fault, ["all of its cameras"], over=True), now)


def _words(site: str, fault: str, names: Sequence[str], *, over: bool) -> Mapping[str, str]:
    shown = ", ".join(clean_text(name, 80) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    many = f"{len(names)} cameras" if len(names) > 1 else clean_text(names[0], 80)
    state = "is over" if over else "was found"
    return {
        "subject": f"Camwarden: {fault} {state}: {many}",
        "text": f"{fault} {state} at {clean_text(site)}: {shown}{more}.\n",
        "site": clean_text(site),
        "fault": fault,
        "cameras": f"{shown}{more}",
    }


def is_seen(scope: Scope) -> ColumnElement[bool]:
    """The condition on an incident: its camera is in scope, or one of those that showed it together."""
    parts = aliased(Incident)
    together = select(parts.part_of).where(parts.part_of.is_not(None), scope.of(parts.camera))
    return true() if scope.everywhere else or_(scope.of(Incident.camera), Incident.id.in_(together))


async def listed(store: Store, *, open_only: bool, limit: int, scope: Scope = EVERYWHERE) -> list[IncidentView]:
    """The newest first; a site's incident stands for those of its cameras that are in scope."""
    query = select(Incident).where(Incident.part_of.is_(None), is_seen(scope))
    if open_only:
        query = query.where(Incident.closed_at.is_(None))
    async with store.read() as connection:
        rows = (await connection.execute(query.order_by(Incident.id.desc()).limit(limit))).all()
        shared = [row.id for row in rows if row.camera is None]
        ours = (Incident.part_of.in_(shared), scope.of(Incident.camera))
        parts = (await connection.execute(select(Incident).where(*ours))).all()
    cameras: dict[str, list[str]] = {}
    for part in parts:
        cameras.setdefault(part.part_of, []).append(part.camera)
    return [
        IncidentView(
            id=row.id,
            site=row.site,
            fault=row.fault,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            cameras=(row.camera,) if row.camera else tuple(cameras.get(row.id, ())),
            shared=row.camera is None,
        )
        for row in rows
    ]
