"""What happened to a camera itself: it was found, it moved, its firmware changed, another unit took its place,
its own AI drifted and came back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.scans.adoption import AnyRow
from fleet.store import Store
from fleet.store.ids import new_id
from fleet.store.tables import CameraEvent as EventRow

_TO = " → "


class Happened(StrEnum):
    FOUND = "found"
    MOVED = "moved"
    UPDATED = "updated"
    DISPLACED = "displaced"
    REPLACED = "replaced"
    AI_DRIFTED = "ai-drifted"
    AI_STEADY = "ai-steady"


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """`event` is one of `Happened`; `detail` says from what to what."""

    at: datetime
    event: str
    detail: str


@dataclass(frozen=True, slots=True)
class EarlierPlace:
    """Where a camera was seen (`place`: address:port) before it was found elsewhere at that moment."""

    place: str
    until: datetime


async def note(connection: AsyncConnection, camera: str, what: Happened, detail: str, at: datetime) -> None:
    row = {"id": new_id(), "camera": camera, "at": at, "event": what.value, "detail": detail}
    await connection.execute(insert(EventRow), [row])


async def note_visit(
    connection: AsyncConnection, camera: str, before: AnyRow | None, now: Mapping[str, Any], at: datetime
) -> None:
    """What a visit found otherwise than the one before it. `now` are the columns as this visit leaves them."""
    place = f"{now['address']}:{now['port']}"
    if before is None:
        await note(connection, camera, Happened.FOUND, place, at)
        return
    pairs = {
        Happened.MOVED: (f"{before.address}:{before.port}", place),
        Happened.UPDATED: (before.firmware, now["firmware"]),
    }
    for what, (earlier, later) in pairs.items():
        if earlier and later and earlier != later:
            await note(connection, camera, what, f"{earlier}{_TO}{later}", at)


async def note_drift(store: Store, camera: str, *, drifted: bool, detail: str) -> None:
    """Only where it differs from what was noted last; steady is how every camera begins."""
    what = Happened.AI_DRIFTED if drifted else Happened.AI_STEADY
    kinds = (Happened.AI_DRIFTED.value, Happened.AI_STEADY.value)
    mine = (EventRow.camera == camera, EventRow.event.in_(kinds))
    async with store.write() as connection:
        newest = select(EventRow.event).where(*mine).order_by(EventRow.id.desc()).limit(1)
        if (await connection.scalar(newest) or Happened.AI_STEADY.value) != what.value:
            await note(connection, camera, what, detail, store.now())


async def places(connection: AsyncConnection, camera: str, limit: int = 50) -> tuple[EarlierPlace, ...]:
    """Where it was before it was where it is, the newest first."""
    moves = select(EventRow).where(EventRow.camera == camera, EventRow.event == Happened.MOVED.value)
    rows = (await connection.execute(moves.order_by(EventRow.id.desc()).limit(limit))).all()
    return tuple(EarlierPlace(row.detail.partition(_TO)[0], row.at) for row in rows)


async def of_camera(store: Store, camera: str, limit: int = 50) -> tuple[CameraEvent, ...]:
    """The newest first."""
    query = select(EventRow).where(EventRow.camera == camera).order_by(EventRow.id.desc()).limit(limit)
    async with store.read() as connection:
        return tuple(CameraEvent(row.at, row.event, row.detail) for row in (await connection.execute(query)).all())
