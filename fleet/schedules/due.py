"""When each camera is due for one kind of look: rows of a table, taken out in batches as they become jobs.

A round over many cameras is spread: each has its own place in it, so that ten thousand are not asked in one second.
"""

import random
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.store import Store
from fleet.store.jobs_tables import Due
from fleet.store.upserts import upsert

PICTURES = "pictures"
JITTER = 0.05
_AT_ONCE = 1000


def place_in_round(camera: str, over: timedelta, chance: random.Random) -> timedelta:
    """The same in every round but for a little, so that a camera is asked at even distances. Pure but for chance."""
    share = zlib.crc32(camera.encode()) / 2**32 + chance.uniform(0, JITTER)
    return over * (share % 1.0)


async def begin_round(
    connection: AsyncConnection, what: str, cameras: Sequence[str], now: datetime, over: timedelta
) -> None:
    """Each of them is due once within that time, or earlier where it was due earlier anyway."""
    chance = random.Random()  # noqa: S311 - spreads questions over time, guards nothing
    rows = [
        {"camera": camera, "what": what, "next_at": now + place_in_round(camera, over, chance)} for camera in cameras
    ]
    for begin in range(0, len(rows), _AT_ONCE):
        added = upsert(Due)
        sooner = added.on_conflict_do_update(
            index_elements=["camera", "what"],
            set_={"next_at": added.excluded.next_at},
            where=Due.next_at > added.excluded.next_at,
        )
        await connection.execute(sooner, rows[begin : begin + _AT_ONCE])


async def put(connection: AsyncConnection, what: str, camera: str, at: datetime) -> None:
    """That camera is due then at the latest."""
    added = upsert(Due).values(camera=camera, what=what, next_at=at)
    await connection.execute(
        added.on_conflict_do_update(
            index_elements=["camera", "what"], set_={"next_at": at}, where=Due.next_at > added.excluded.next_at
        )
    )


async def take(connection: AsyncConnection, what: str, now: datetime, limit: int) -> list[str]:
    """The cameras that are due by now, the longest first; they are not due any more."""
    query = select(Due.camera).where(Due.what == what, Due.next_at <= now).order_by(Due.next_at).limit(limit)
    found = list((await connection.scalars(query)).all())
    if found:
        await connection.execute(delete(Due).where(Due.what == what, Due.camera.in_(found)))
    return found


async def forget(connection: AsyncConnection, what: str, camera: str) -> None:
    """That camera was looked at: it is due no more."""
    await connection.execute(delete(Due).where(Due.what == what, Due.camera == camera))


async def nothing(store: Store, what: str, now: datetime) -> bool:
    """Whether nobody is due by now."""
    async with store.read() as connection:
        query = select(Due.camera).where(Due.what == what, Due.next_at <= now).limit(1)
        return (await connection.execute(query)).first() is None


async def next_of(store: Store, what: str, camera: str) -> datetime | None:
    async with store.read() as connection:
        query = select(Due.next_at).where(Due.what == what, Due.camera == camera)
        return (await connection.execute(query)).scalar_one_or_none()
