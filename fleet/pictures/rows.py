"""Rows of picture checks. Functions that take a connection are for use inside a transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import NotFound
from fleet.paging import Query
from fleet.people.scope import EVERYWHERE, Scope
from fleet.pictures import incidents as picture_incidents
from fleet.pictures import rollups as picture_rollups
from fleet.pictures.views import CheckView, PictureSummary, ReferenceView, Tile
from fleet.standing import COUNTED
from fleet.store import Store
from fleet.store import pictures_tables as p
from fleet.store.retention_tables import PictureRollup
from fleet.store.tables import Camera
from fleet.store.upserts import upsert
from health.conditions import Condition

AnyRow = Row[*tuple[Any, ...]]
Values = dict[str, Any]
_FRESH: Values = {
    "series": {"watches": {}, "usual": {}},
    "checked_at": None,
    "verdict": None,
    "faults": [],
    "condition": None,
    "reason": None,
    "picture": None,
    "picture_at": None,
    "muted_until": None,
    "mute_reason": None,
    "well": True,
    "seen_at": p.NEVER,
}


async def watch_new_cameras(store: Store) -> list[str]:
    """Every stored camera is watched, from now on; those that were not, until now."""
    unwatched = select(Camera.id).where(COUNTED, Camera.id.not_in(select(p.PictureWatch.camera)))
    async with store.read() as connection:
        if (await connection.execute(unwatched.limit(1))).first() is None:
            return []
    async with store.write() as connection:
        cameras = list((await connection.scalars(unwatched)).all())
        await watch_new(connection, cameras)
    return cameras


async def watch_new(connection: AsyncConnection, cameras: Sequence[str]) -> None:
    """They have their place on the wall, among those that were never seen."""
    if cameras:
        await connection.execute(
            upsert(p.PictureWatch).on_conflict_do_nothing(), [{**_FRESH, "camera": camera} for camera in cameras]
        )


async def camera(store: Store, camera_id: str) -> AnyRow:
    """Raises NotFound."""
    async with store.read() as connection:
        row = (await connection.execute(select(Camera).where(Camera.id == camera_id))).first()
    if row is None:
        raise NotFound("there is no such camera")
    return row


async def watch(connection: AsyncConnection, camera_id: str) -> AnyRow | None:
    return (await connection.execute(select(p.PictureWatch).where(p.PictureWatch.camera == camera_id))).first()


async def change_watch(connection: AsyncConnection, camera_id: str, values: Values) -> None:
    if values.get("picture_at"):
        values = {**values, "seen_at": values["picture_at"]}
    fresh = {**_FRESH, **values, "camera": camera_id}
    wanted = upsert(p.PictureWatch).values(fresh)
    await connection.execute(wanted.on_conflict_do_update(index_elements=["camera"], set_=values))


async def good_conditions(store: Store, camera_id: str, since: datetime) -> list[tuple[datetime, Condition]]:
    """When this camera looked good, and in which light."""
    good = (p.PictureCheck.camera == camera_id, p.PictureCheck.verdict == "ok", p.PictureCheck.at >= since)
    query = select(p.PictureCheck.at, p.PictureCheck.condition).where(*good)
    async with store.read() as connection:
        rows = (await connection.execute(query.order_by(p.PictureCheck.id.desc()).limit(1000))).all()
        summed = await picture_rollups.good_hours(connection, camera_id, since, 1000)
    return [*((at, Condition(condition)) for at, condition in rows if condition), *summed]


async def references(store: Store, camera_id: str) -> dict[Condition, AnyRow]:
    """The newest of each light."""
    query = select(p.ReferenceView).where(p.ReferenceView.camera == camera_id).order_by(p.ReferenceView.id)
    async with store.read() as connection:
        rows = (await connection.execute(query)).all()
    return {Condition(row.condition): row for row in rows}


def reference_view(row: AnyRow) -> ReferenceView:
    return ReferenceView(Condition(row.condition), row.picture, row.approved_by, row.approved_at)


async def history(store: Store, camera_id: str, limit: int, after: str | None) -> list[CheckView]:
    """The newest first, from the one after that id on."""
    query = select(p.PictureCheck).where(p.PictureCheck.camera == camera_id)
    if after is not None:
        query = query.where(p.PictureCheck.id < after)
    async with store.read() as connection:
        rows = (await connection.execute(query.order_by(p.PictureCheck.id.desc()).limit(limit))).all()
    return [check_view(row) for row in rows]


def check_view(row: AnyRow) -> CheckView:
    return CheckView(**row._asdict())


async def tile(store: Store, camera_id: str) -> Tile | None:
    async with store.read() as connection:
        rows = (await connection.execute(_tiles().where(Camera.id == camera_id))).all()
        raised = await open_faults(connection, [camera_id])
    return next((tile_of(row, raised.get(row.id, ()), store.now()) for row in rows), None)


async def names(store: Store, cameras: Collection[str]) -> dict[str, str]:
    """What these are called, or their address."""
    found: dict[str, str] = {}
    async with store.read() as connection:
        for some in _batches(list(cameras)):
            query = select(Camera.id, Camera.name, Camera.address, Camera.port).where(Camera.id.in_(some))
            rows = (await connection.execute(query)).all()
            found |= {row.id: row.name or f"{row.address}:{row.port}" for row in rows}
    return found


def _tiles() -> Query:
    columns = (Camera.id, Camera.name, Camera.address, Camera.port)
    return select(*columns, p.PictureWatch).outerjoin(p.PictureWatch, p.PictureWatch.camera == Camera.id)


async def open_faults(connection: AsyncConnection, cameras: Sequence[str]) -> dict[str, list[str]]:
    raised: dict[str, list[str]] = {}
    # Compared with "true", SQLite does not take it for an equality that an index of everything open would serve well.
    is_open = p.PictureIncident.closed_at.is_(None) == true()
    for some in _batches(cameras):
        still_open = (p.PictureIncident.camera.in_(some), is_open)
        for of, fault in (
            await connection.execute(select(p.PictureIncident.camera, p.PictureIncident.fault).where(*still_open))
        ).all():
            raised.setdefault(of or "", []).append(fault)
    return raised


async def summary(store: Store, scope: Scope = EVERYWHERE) -> PictureSummary:
    """Of a large estate some seconds old."""
    return await store.summaries.get(("pictures", scope), lambda: _summary(store, scope))


async def _summary(store: Store, scope: Scope) -> PictureSummary:
    still_open = p.PictureIncident.closed_at.is_(None)
    seen = (p.PictureWatch.checked_at.is_not(None), scope.of(p.PictureWatch.camera))
    looked_at = select(func.count()).select_from(p.PictureWatch).where(*seen)
    of_a_site = (still_open, p.PictureIncident.camera.is_(None), picture_incidents.is_seen(scope))
    shared = select(func.count()).select_from(p.PictureIncident).where(*of_a_site)
    here = select(func.count()).select_from(Camera).where(COUNTED, scope.at(Camera.site))
    async with store.read() as connection:
        cameras = (await connection.execute(here)).scalar_one()
        looked = (await connection.execute(looked_at)).scalar_one()
        known = p.PictureIncident.camera.is_not(None) & scope.of(p.PictureIncident.camera)
        ill = select(func.count(p.PictureIncident.camera.distinct())).where(still_open, known)
        with_faults = (await connection.execute(ill)).scalar_one()
        whole_sites = (await connection.execute(shared)).scalar_one()
    return PictureSummary(cameras, with_faults, max(0, cameras - looked), whole_sites)


async def sites_of(
    connection: AsyncConnection, cameras: Sequence[str], scope: Scope = EVERYWHERE
) -> dict[str, str | None]:
    """The site of each of these that is stored and in scope, in their order."""
    known: dict[str, str | None] = {}
    for some in _batches(cameras):
        here = (Camera.id.in_(some), scope.at(Camera.site))
        rows = (await connection.execute(select(Camera.id, Camera.site).where(*here))).all()
        known |= {row.id: row.site for row in rows}
    return {camera: known[camera] for camera in cameras if camera in known}


def tile_of(row: AnyRow, open_faults: Collection[str], now: datetime) -> Tile:
    muted = row.muted_until if row.muted_until and row.muted_until > now else None
    return Tile(
        camera=row.id,
        name=row.name,
        address=f"{row.address}:{row.port}",
        verdict=row.verdict or "",
        faults=tuple(row.faults or ()),
        open_faults=tuple(sorted(open_faults)),
        condition=row.condition,
        reason=row.reason,
        picture=row.picture,
        age_s=(now - row.picture_at).total_seconds() if row.picture_at else None,
        checked_at=row.checked_at,
        muted_until=muted,
        mute_reason=row.mute_reason if muted else None,
    )


# --- evidence ---------------------------------------------------------------------------------------------------------


async def remember_evidence(connection: AsyncConnection, digest: str, kind: str, at: datetime, size_bytes: int) -> None:
    row = {"digest": digest, "kind": kind, "at": at, "size_bytes": size_bytes}
    wanted = upsert(p.Evidence).values(row)
    # The same picture again is kept from now on; a reference never becomes a mere picture.
    newer = wanted.on_conflict_do_update(index_elements=["digest"], set_={"at": at}, where=p.Evidence.at < at)
    await connection.execute(newer)


async def forget_old_evidence(store: Store, older_than: timedelta, most: int) -> list[str]:
    """Take old pictures out of the store; the digests whose files nobody names any more.

    The last picture of each camera stays, and so does what was approved.
    """
    until = store.now() - older_than
    named = select(p.PictureWatch.picture).where(p.PictureWatch.picture.is_not(None))
    old = (p.Evidence.kind == "picture", p.Evidence.at < until, p.Evidence.digest.not_in(named))
    too_many = select(p.Evidence.digest).where(p.Evidence.kind == "picture", p.Evidence.digest.not_in(named))
    async with store.write() as connection:
        digests = set((await connection.execute(select(p.Evidence.digest).where(*old).limit(5000))).scalars())
        beyond = too_many.order_by(p.Evidence.at.desc()).offset(most).limit(5000)
        digests |= set((await connection.execute(beyond)).scalars())
        for some in _batches(sorted(digests)):
            await connection.execute(delete(p.Evidence).where(p.Evidence.digest.in_(some)))
            gone = update(p.PictureCheck).where(p.PictureCheck.picture.in_(some))
            await connection.execute(gone.values(picture=None))
            summed = update(PictureRollup).where(PictureRollup.picture.in_(some))
            await connection.execute(summed.values(picture=None))
    return sorted(digests)


def _batches(digests: Sequence[str]) -> list[Sequence[str]]:
    return [digests[i : i + 500] for i in range(0, len(digests), 500)]


async def add_check(connection: AsyncConnection, values: Values) -> None:
    await connection.execute(insert(p.PictureCheck), [values])


async def count_checks(store: Store) -> int:
    async with store.read() as connection:
        return (await connection.execute(select(func.count()).select_from(p.PictureCheck))).scalar_one()
