"""The way to a stored camera: where it is, and the login that it takes now.

Everything that opens stored cameras comes by here, so that a password that is being changed is neither guessed at nor
used a moment too late.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlalchemy import func, select

from cameras.budget import AttemptBudget
from cameras.driver import Driver
from cameras.errors import Unauthorized, Unreachable
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential
from fleet.errors import Busy, Displaced, Invalid, NotFound
from fleet.scans.swaps import refuse_displaced
from fleet.settings import Settings
from fleet.standing import AT_HOME, refuse_closed
from fleet.store import Store
from fleet.store import tables as t
from fleet.store import vault_tables as v
from fleet.vault.passwords import Vault
from hardening.passwords import State
from scanners.credentials import CredentialRule, CredentialsError, for_address, load_credentials

_MAY_BE_NEW = tuple(state.value for state in State if state.may_be_new)


# Of a camera's id: where it is, and the login there. Raises FleetError.
Where = Callable[[str], Awaitable[tuple[Place, Credential]]]
Connect = Callable[[str], AbstractAsyncContextManager[Driver]]


def connecting(where: Where, budget: AttemptBudget, *, timeout_s: float = 8.0) -> Connect:
    """Opens cameras by their id. Raises `cameras.errors` alone, so that work on many cameras knows what to do next."""

    @asynccontextmanager
    async def connect(camera: str) -> AsyncIterator[Driver]:
        place, credential = await as_device_errors(where(camera))
        async with open_camera(place, credential, budget, timeout_s=timeout_s) as driver:
            yield driver

    return connect


async def as_device_errors(found: Awaitable[tuple[Place, Credential]]) -> tuple[Place, Credential]:
    """No login is Unauthorized; Unreachable for now is one whose password changes, or whose address another one has.

    NotFound stays what it is.
    """
    try:
        return await found
    except (Busy, Displaced) as error:
        raise Unreachable(str(error)) from error
    except Invalid as error:
        raise Unauthorized(str(error)) from error


def by_rules(store: Store, rules: Sequence[CredentialRule]) -> Where:
    """The login by these rules alone, the first of the closest, and no other."""

    async def where(camera: str) -> tuple[Place, Credential]:
        place = await place_of(store, camera)
        if not (found := for_address(rules, place.address, place.port)):
            raise Invalid(f"no login is known for {place.address}")
        return place, found[0]

    return where


@asynccontextmanager
async def open_stored(
    store: Store, vault: Vault, settings: Settings, budget: AttemptBudget, camera_id: str
) -> AsyncIterator[Driver]:
    """The camera's driver, logged in. Raises `cameras.errors` and what `place_and_credential` raises."""
    place, credential = await place_and_credential(store, vault, settings, camera_id)
    async with open_camera(place, credential, budget) as driver:
        yield driver


async def place_and_credential(
    store: Store, vault: Vault, settings: Settings, camera_id: str
) -> tuple[Place, Credential]:
    """The vault's current password, else what the credentials file says.

    NotFound; Invalid where no login is known; Displaced where another camera answers at its address; Busy while the
    camera may have either of two passwords.
    """
    place = await place_of(store, camera_id)
    credential = await login_of(vault, settings, camera_id, place)
    open_row = (v.CameraRotation.camera == camera_id, v.CameraRotation.account == credential.username)
    wanted = select(v.CameraRotation.state).where(*open_row, v.CameraRotation.state.in_(_MAY_BE_NEW))
    async with store.read() as connection:
        state = await connection.scalar(wanted)
    if state == State.UNCLEAR:
        raise Busy("it is unclear which password this camera has: run `camwarden passwords reconcile`")
    if state is not None:
        raise Busy("the password of this camera is being changed; wait for it to end")
    return place, credential


async def place_of(store: Store, camera_id: str) -> Place:
    """Raises NotFound, Invalid for a device to which no login is sent, Displaced where another is at its address."""
    async with store.read() as connection:
        row = (await connection.execute(select(t.Camera).where(t.Camera.id == camera_id))).first()
        if row is None:
            raise NotFound("there is no such camera")
        refuse_closed(row)
        refuse_displaced(row)
        same = select(func.count()).select_from(t.Camera).where(t.Camera.address == row.address, AT_HOME)
        there = await connection.scalar(same)
    return Place(row.address, row.port, "https" if row.scheme == "https" else "http", shared=(there or 0) > 1)


async def stored_rules(store: Store, vault: Vault) -> list[CredentialRule]:
    """The logins that the vault holds, as a scan takes them.

    Left out are cameras that may have either password, and those at whose address another one answers.
    """
    uncertain = select(v.CameraRotation.camera).where(v.CameraRotation.state.in_(_MAY_BE_NEW))
    held = select(t.Camera.id, t.Camera.address, t.Camera.port).join(v.CameraLogin, v.CameraLogin.camera == t.Camera.id)
    beside = select(t.Camera.address).where(AT_HOME).group_by(t.Camera.address).having(func.count() > 1)
    async with store.read() as connection:
        rows = (await connection.execute(held.where(t.Camera.id.not_in(uncertain), AT_HOME))).all()
        shared = set((await connection.scalars(beside)).all())
    logins = [(row, await vault.login(row.id)) for row in rows]
    return [
        CredentialRule(row.address, login, row.port if row.address in shared else None)
        for row, login in logins
        if login
    ]


async def login_of(vault: Vault, settings: Settings, camera_id: str, place: Place) -> Credential:
    """Whatever a change of the password is doing. Raises Invalid where none is known."""
    if credential := await vault.login(camera_id):
        return credential
    if settings.credentials_file is not None:
        try:
            rules = await asyncio.to_thread(load_credentials, settings.credentials_file)
        except CredentialsError as error:
            raise Invalid(str(error)) from error
        if found := for_address(rules, place.address):
            return found[0]
    raise Invalid(
        f"no login is known for {place.address}: set one with `camwarden passwords set`, or in the credentials file"
    )
