"""Opens the cameras of the store by the credentials file, for watches."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal, cast

from sqlalchemy import select

from cameras.budget import AttemptBudget
from cameras.errors import Unauthorized
from cameras.opening import open_camera
from cameras.place import Place
from fleet.errors import NotFound
from fleet.sight import CameraSight, OpenSight, Sight
from fleet.store import Store
from fleet.store.tables import Camera
from scanners.credentials import CredentialRule, for_address


def stored_sights(store: Store, rules: Sequence[CredentialRule], budget: AttemptBudget) -> OpenSight:
    """`open_sight(camera)` for `fleet.accuracy.Accuracy`. Raises NotFound, Unauthorized without a login for it."""

    @asynccontextmanager
    async def open_sight(camera: str) -> AsyncIterator[Sight]:
        place = await place_of(store, camera)
        credential = next(iter(for_address(rules, place.address)), None)
        if credential is None:
            raise Unauthorized("no login is known for it: add one to the credentials file")
        async with open_camera(place, credential, budget) as driver:
            yield await CameraSight.of(driver, place, credential)

    return open_sight


async def place_of(store: Store, camera: str) -> Place:
    """Where a stored camera is spoken to. Raises NotFound."""
    async with store.read() as connection:
        row = (await connection.execute(select(Camera).where(Camera.id == camera))).first()
        if row is None:
            raise NotFound("there is no such camera")
        others = select(Camera.id).where(Camera.address == row.address, Camera.id != camera).limit(1)
        shared = (await connection.execute(others)).first() is not None
    return Place(row.address, row.port, cast("Literal['http', 'https']", row.scheme), shared)
