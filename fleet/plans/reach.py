"""How a plan comes to a stored camera: where it is, and with which login."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from cameras.budget import AttemptBudget
from cameras.driver import Driver
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential
from fleet.reach import Where
from hardening.observing import OpenCamera


@dataclass(frozen=True, slots=True)
class Reached:
    """A stored camera: where it is, our login there, and how to open it over a fresh connection."""

    place: Place
    credential: Credential
    open_camera: OpenCamera


# Of a camera's id. Raises FleetError: NotFound, Invalid where no login is known.
Reach = Callable[[str], Awaitable[Reached]]


def reaching(where: Where, budget: AttemptBudget) -> Reach:
    """Every login goes through this one budget."""

    async def reach(camera: str) -> Reached:
        place, credential = await where(camera)

        def opened(at: Place) -> AbstractAsyncContextManager[Driver]:
            return open_camera(at, credential, budget)

        return Reached(place, credential, opened)

    return reach
