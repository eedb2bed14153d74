"""How a plan comes to a stored camera: where it is, and with which login."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from cameras.budget import AttemptBudget
from cameras.driver import Driver
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential
from fleet.errors import Invalid, NotFound
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from hardening.observing import OpenCamera
from scanners.credentials import CredentialRule, CredentialsError, for_address, load_credentials


@dataclass(frozen=True, slots=True)
class Reached:
    """A stored camera: where it is, our login there, and how to open it over a fresh connection."""

    place: Place
    credential: Credential
    open_camera: OpenCamera


# Of a camera's id. Raises FleetError: NotFound, Invalid where no login is known.
Reach = Callable[[str], Awaitable[Reached]]
Where = Callable[[str], Awaitable[tuple[Place, Credential]]]


def reaching(where: Where, budget: AttemptBudget) -> Reach:
    """Every login goes through this one budget."""

    async def reach(camera: str) -> Reached:
        place, credential = await where(camera)

        def opened(at: Place) -> AbstractAsyncContextManager[Driver]:
            return open_camera(at, credential, budget)

        return Reached(place, credential, opened)

    return reach


def by_file(store: Store, settings: Settings) -> Where:
    """The place by the store, the login by the credentials file of the settings."""
    read: dict[tuple[int, int], list[CredentialRule]] = {}  # the file as it was when it was last read

    def rules_of(path: Path) -> list[CredentialRule]:
        try:
            found = path.stat()
        except OSError:
            return load_credentials(path)  # which says what is wrong with it
        version = (found.st_mtime_ns, found.st_size)
        if version not in read:
            rules = load_credentials(path)
            read.clear()
            read[version] = rules
        return read[version]

    async def where(camera: str) -> tuple[Place, Credential]:
        place = await place_of(store, camera)
        if settings.credentials_file is None:
            raise Invalid("no credentials file is set: say `credentials_file` in camwarden.toml")
        try:
            rules = await asyncio.to_thread(rules_of, settings.credentials_file)
        except CredentialsError as error:
            raise Invalid(str(error)) from error
        found = for_address(rules, place.address)
        if not found:
            raise Invalid(f"the credentials file has no login for {place.address}")
        return place, found[0]  # one try only: the first of the closest rules is the one that is meant

    return where


async def place_of(store: Store, camera: str) -> Place:
    """Where a stored camera was last seen. Raises NotFound."""
    here = select(t.Camera.address, t.Camera.port, t.Camera.scheme).where(t.Camera.id == camera)
    async with store.read() as connection:
        row = (await connection.execute(here)).first()
        if row is None:
            raise NotFound("there is no such camera (any more)")
        beside = select(func.count()).select_from(t.Camera).where(t.Camera.address == row.address)
        shared = (await connection.execute(beside)).scalar_one() > 1
    return Place(row.address, row.port, "https" if row.scheme == "https" else "http", shared=shared)
