"""One picture of a stored camera: the largest it has, or the reason why there is none. Over real connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from cameras.errors import DeviceError, Garbled, LockedOut, Unauthorized, Unreachable, Unsupported
from cameras.picture_header import read_header
from cameras.secret import Secret
from fleet.errors import Busy, FleetError, Invalid, NotFound
from fleet.pictures.stills import take_still
from fleet.rotations import rows as rotation_rows
from fleet.store import vault_tables as v
from hardening.passwords import State
from simulator.plan import CameraPlan
from tests.fleet.rotating import Scene, scene

LARGE = (1920, 1080)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path / "home", pictures=True) as opened:
        yield opened


async def still(here: Scene, camera: str | None = None) -> bytes:
    return await take_still(here.store, here.vault, here.settings, here.budget(), camera or here.camera_id)


@pytest.mark.parametrize("family", ["axis", "hikvision", "onvif"])
async def test_it_is_the_picture_of_the_largest_stream(family: str, tmp_path: Path) -> None:
    async with scene(tmp_path / "home", family=family, pictures=True) as here:
        header = read_header(await still(here))
    assert (header.format, header.width, header.height) == ("jpeg", *LARGE)


async def test_the_password_of_the_vault_goes_before_the_one_of_the_file(here: Scene) -> None:
    login = here.camera.plan.login
    assert login
    assert here.settings.credentials_file
    await here.vault.put(here.camera_id, login.name, Secret(login.password), "anna", login=True)
    path = here.settings.credentials_file
    text = (await asyncio.to_thread(path.read_text)).replace(login.password, "not any more")
    await asyncio.to_thread(path.write_text, text)
    assert read_header(await still(here)).width == LARGE[0]
    assert here.wrong_tries(login.name) == 0


def without_snapshots(plan: CameraPlan) -> CameraPlan:
    return replace(plan, odd_replies=(("GetSnapshotUri", "html"),))


def without_a_picture(plan: CameraPlan) -> CameraPlan:
    return replace(plan, defect="no-picture")


def with_another_password(plan: CameraPlan) -> CameraPlan:
    return replace(plan, accounts=tuple(replace(one, password="changed by hand") for one in plan.accounts))


AILING: dict[str, tuple[Callable[[CameraPlan], CameraPlan], type[DeviceError]]] = {
    "names no address for one": (without_snapshots, Unsupported),
    "answers without a picture": (without_a_picture, Garbled),
    "has another password": (with_another_password, Unauthorized),
}


@pytest.mark.parametrize(("ails", "error"), AILING.values(), ids=AILING)
async def test_there_is_none_of_a_camera_that(
    ails: Callable[[CameraPlan], CameraPlan], error: type[DeviceError], here: Scene
) -> None:
    here.camera.become(ails(here.camera.plan))
    with pytest.raises(error):
        await still(here)


async def test_there_is_none_of_a_camera_that_is_off(here: Scene) -> None:
    here.camera.awake = False
    with pytest.raises(Unreachable):
        await still(here)


async def test_a_wrong_password_is_not_tried_without_end(here: Scene) -> None:
    """However often somebody presses the button: the camera would lock us out, and the recorder with us."""
    here.camera.become(with_another_password(here.camera.plan))
    login, budget = here.camera.plan.login, here.budget()
    assert login
    with pytest.raises(Unauthorized):
        await take_still(here.store, here.vault, here.settings, budget, here.camera_id)
    for _ in range(5):
        with pytest.raises((Unauthorized, LockedOut)):
            await take_still(here.store, here.vault, here.settings, budget, here.camera_id)
    assert here.wrong_tries(login.name) <= 2
    with pytest.raises(LockedOut):
        await take_still(here.store, here.vault, here.settings, budget, here.camera_id)


async def nobody(_here: Scene) -> str:
    return "nobody"


async def without_a_login(here: Scene) -> str:
    assert here.settings.credentials_file
    await asyncio.to_thread(here.settings.credentials_file.write_text, "[]\n")
    return here.camera_id


async def while_its_password_changes(here: Scene) -> str:
    login = here.camera.plan.login
    assert login
    async with here.store.write() as connection:
        await rotation_rows.add(connection, here.store, "anna", {here.camera_id: login.name})
        await connection.execute(update(v.CameraRotation).values(state=State.SENT.value))
    return here.camera_id


NOT_ASKED: dict[str, tuple[Callable, type[FleetError], str]] = {  # type: ignore[type-arg]
    "that is not stored": (nobody, NotFound, "no such camera"),
    "that nobody has a login for": (without_a_login, Invalid, "no login is known"),
    "whose password is being changed": (while_its_password_changes, Busy, "is being changed"),
}


@pytest.mark.parametrize(("prepare", "error", "words"), NOT_ASKED.values(), ids=NOT_ASKED)
async def test_a_camera_is_not_even_asked(
    prepare: Callable,  # type: ignore[type-arg]
    error: type[FleetError],
    words: str,
    here: Scene,
) -> None:
    camera, before = await prepare(here), here.camera.requests
    with pytest.raises(error, match=words):
        await still(here, camera)
    assert here.camera.requests == before
