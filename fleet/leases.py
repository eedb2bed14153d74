"""One writer per camera: whoever changes a camera holds its lease, across tasks, processes and restarts.

A lease belongs to a piece of work, not to a process. What a job holds is the job's until it ends, or pauses, however
many processes it takes; what is no job's runs out by the clock.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy import delete, select, update

from fleet.errors import Busy, StoreUnavailable
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.outages import outlast_outages
from fleet.store.upserts import upsert

_log = logging.getLogger(__name__)
LASTS = timedelta(minutes=5)
RENEWED_EVERY_S = LASTS.total_seconds() / 3


@asynccontextmanager
async def hold(
    store: Store, camera: str, holder: str, *, goes_on: Callable[[], bool] = lambda: False
) -> AsyncIterator[None]:
    """The sole right to change a camera while the block runs. `holder` names the work, such as "plan:<id>".

    Renewed while the block runs. `goes_on` is asked at its end: whether the work was only cut off, and keeps the camera
    until it goes on. Raises Busy where other work holds it, StoreUnavailable.
    """
    await _take(store, camera, holder)
    renewing = asyncio.create_task(_renew(store, camera, holder))
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        if not goes_on():
            await give_back(store, camera, holder)


async def holder_of(store: Store, camera: str) -> str | None:
    """The work that may change this camera now, `None` where nobody holds it."""
    async with store.read() as connection:
        found = select(t.CameraLease.holder).where(t.CameraLease.camera == camera, t.in_force(store.now()))
        return (await connection.execute(found)).scalar_one_or_none()


async def give_back_all(store: Store, holder: str) -> None:
    """Work that has come to its end holds nothing any more, also not what a process that died left behind."""
    async with store.write() as connection:
        await connection.execute(delete(t.CameraLease).where(t.CameraLease.holder == holder))


async def _take(store: Store, camera: str, holder: str) -> None:
    now = store.now()
    row = {"camera": camera, "holder": holder, "until": now + LASTS}
    wanted = upsert(t.CameraLease).values(row)
    free = ~t.in_force(now) | (t.CameraLease.holder == holder)
    taken = wanted.on_conflict_do_update(
        index_elements=["camera"], set_={"holder": holder, "until": now + LASTS}, where=free
    )
    async with store.write() as connection:
        await connection.execute(taken)
        found = select(t.CameraLease.holder).where(t.CameraLease.camera == camera)
        held_by = (await connection.execute(found)).scalar_one()
    if held_by != holder:
        raise Busy(f"other work is changing this camera just now ({held_by}); wait for it to end")


async def _renew(store: Store, camera: str, holder: str) -> None:
    """Outlasts a database that is gone: nobody else can take the lease meanwhile."""
    outlast_outages()
    mine = (t.CameraLease.camera == camera, t.CameraLease.holder == holder)
    while True:
        await asyncio.sleep(RENEWED_EVERY_S)
        try:
            async with store.write() as connection:
                await connection.execute(update(t.CameraLease).where(*mine).values(until=store.now() + LASTS))
        except StoreUnavailable:
            _log.exception("a lease could not be renewed", extra={"camera": camera, "holder": holder})


async def give_back(store: Store, camera: str, holder: str) -> None:
    mine = (t.CameraLease.camera == camera, t.CameraLease.holder == holder)
    async with store.write() as connection:
        await connection.execute(delete(t.CameraLease).where(*mine))
