"""What a watch hears of simulated cameras, over real connections, in the way that each family writes it."""

import asyncio
from collections.abc import Mapping

import pytest

from cameras.budget import AttemptBudget
from cameras.errors import Unauthorized
from cameras.metadata import MetadataFrame
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential, Secret
from fleet.accuracy.sight import CameraSight
from fleet.accuracy.sights import stored_sights
from fleet.findings.triage import record
from fleet.reach import by_rules, place_of
from fleet.store import Store
from simulator import Estate
from simulator.camera import Camera
from tests.fleet.samples import assessed, dossier
from tests.simulator.asking import estate, login_of

ENOUGH = 3


def streaming(vendor: str, fault: str | None = None) -> Estate:
    return estate(mix={vendor: 1}, pictures=True, stream_fps=5.0, picture_faults={fault: 1} if fault else {})


def place_and_login(camera: Camera) -> tuple[Place, Credential]:
    plan = camera.plan
    name, password = login_of(plan)
    tls = plan.http_port is None
    port = plan.https_port if tls else plan.http_port
    assert port is not None
    return Place(plan.address, port, "https" if tls else "http"), Credential(name, Secret(password))


async def heard(sight: CameraSight, documents: int) -> list[MetadataFrame]:
    frames: list[MetadataFrame] = []
    async with asyncio.timeout(60), sight.metadata() as metadata:
        async for document in metadata:
            frames += document
            if len(frames) + sight.lost >= documents:
                break
    return frames


@pytest.mark.parametrize("vendor", ["axis", "hanwha", "dahua", "onvif"])
async def test_hears_every_family(vendor: str) -> None:
    async with streaming(vendor) as running:
        place, login = place_and_login(running.cameras[0])
        async with open_camera(place, login, AttemptBudget()) as driver:
            sight = await CameraSight.of(driver, place, login)
            frames = await heard(sight, ENOUGH)
            assert (await sight.picture()).startswith(b"\xff\xd8")
            assert "firmware " in await sight.version()
    objects = [one for frame in frames for one in frame.objects]
    assert {one.box.unit for one in objects} <= {"share"}
    assert {one.kind for one in objects} <= {"Human", "Vehicle"}
    assert all(frame.at is not None for frame in frames)


SPOILED: Mapping[str, str] = {
    "boxes that are not numbers": "metadata-not-a-number",
    "a clock that says 1970": "metadata-1970",
}


@pytest.mark.parametrize("fault", SPOILED.values(), ids=SPOILED)
async def test_hears_through_what_is_spoiled(fault: str) -> None:
    async with streaming("axis", fault) as running:
        place, login = place_and_login(running.cameras[0])
        async with open_camera(place, login, AttemptBudget()) as driver:
            frames = await heard(await CameraSight.of(driver, place, login), ENOUGH)
    assert frames
    assert all(frame.at is None or frame.unreadable for frame in frames)


async def test_a_stored_camera_without_a_login_says_so(store: Store) -> None:
    await record(store, assessed({}, dossier("127.0.0.9")))
    async with store.read() as connection:
        camera = str((await connection.exec_driver_sql("SELECT id FROM cameras")).scalar_one())
    assert await place_of(store, camera) == Place("127.0.0.9", 80, "http")
    with pytest.raises(Unauthorized, match="no login is known"):
        async with stored_sights(by_rules(store, []), AttemptBudget())(camera):
            pass
