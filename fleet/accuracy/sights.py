"""Opens the cameras of the store for watches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cameras.budget import AttemptBudget
from cameras.opening import open_camera
from fleet.accuracy.sight import CameraSight, OpenSight, Sight
from fleet.reach import Where, as_device_errors


def stored_sights(where: Where, budget: AttemptBudget) -> OpenSight:
    """`open_sight(camera)` for `Accuracy`. Raises NotFound, Unauthorized without a login for it."""

    @asynccontextmanager
    async def open_sight(camera: str) -> AsyncIterator[Sight]:
        place, credential = await as_device_errors(where(camera))
        async with open_camera(place, credential, budget) as driver:
            yield await CameraSight.of(driver, place, credential)

    return open_sight
