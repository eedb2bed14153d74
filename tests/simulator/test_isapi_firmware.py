"""updateFirmware: an image is written while the camera goes on, and runs after a restart."""

from dataclasses import replace

import httpx
import pytest

from simulator.camera import Camera
from simulator.firmware import image
from tests.simulator.asking_isapi import isapi, word
from tests.simulator.changing import changeable, firmware_for, until, until_port

WAITS, BY_ITSELF = "V5.7.3 build 220112", "V5.5.80 build 180911"
NEW = "V5.9.0 build 230101"
BINARY = "application/octet-stream"


async def send(http: httpx.AsyncClient, camera: Camera, data: bytes, content_type: str = BINARY) -> tuple[int, str]:
    return word(await isapi(http, camera, "PUT", "System/updateFirmware", data, content_type=content_type))


async def status(http: httpx.AsyncClient, camera: Camera) -> str:
    return (await isapi(http, camera, "GET", "System/upgradeStatus")).text


async def test_newer_firmware_waits_to_be_restarted() -> None:
    async with changeable() as (_, camera, http):
        before = camera.plan.firmware
        assert await send(http, camera, firmware_for(camera.plan, NEW)) == (200, "ok")
        await until(lambda: camera.staged_percent == 100)
        assert "<upgrading>false</upgrading>\n<percent>100</percent>" in await status(http, camera)
        assert (camera.plan.firmware, camera.boots, camera.flashed) == (before, 1, [])
        assert word(await isapi(http, camera, "PUT", "System/reboot")) == (200, "ok")
        await until(lambda: camera.boots == 2)
        assert (camera.plan.firmware, camera.flashed) == (NEW, [NEW])
        await until_port(camera.plan.address, camera.plan.port, opened=True)
        assert "<percent>0</percent>" in await status(http, camera)


async def test_older_firmware_restarts_by_itself() -> None:
    async with changeable() as (_, camera, http):
        camera.become(replace(camera.plan, firmware=BY_ITSELF))
        assert await send(http, camera, firmware_for(camera.plan, NEW)) == (200, "ok")
        await until(lambda: camera.boots == 2)
        assert (camera.plan.firmware, camera.flashed) == (NEW, [NEW])


async def test_how_far_it_is_shows_and_a_second_image_has_to_wait() -> None:
    async with changeable(faults={"upgrade-slow": 1}) as (_, camera, http):
        camera.become(replace(camera.plan, reboot_s=30))
        data = firmware_for(camera.plan, NEW)
        assert await send(http, camera, data) == (200, "ok")
        assert "<upgrading>true</upgrading>\n<percent>0</percent>" in await status(http, camera)
        assert await send(http, camera, data) == (503, "deviceBusy")


async def test_a_restart_in_the_middle_of_writing_is_the_end() -> None:
    async with changeable() as (_, camera, http):
        camera.become(replace(camera.plan, reboot_s=30))
        await send(http, camera, firmware_for(camera.plan, NEW))
        await isapi(http, camera, "PUT", "System/reboot")
        assert camera.bricked


LIES = {
    "says yes and does nothing": ("upgrade-liar", [], False),
    "comes back with the old one": ("upgrade-reverts", [NEW], False),
    "never comes back": ("upgrade-bricks", [NEW], True),
}


@pytest.mark.parametrize(("fault", "flashed", "bricked"), LIES.values(), ids=LIES)
async def test_a_camera_lies(fault: str, flashed: list[str], bricked: bool) -> None:
    async with changeable(faults={fault: 1}) as (_, camera, http):
        assert await send(http, camera, firmware_for(camera.plan, NEW)) == (200, "ok")
        await until(lambda: camera.staged_percent == 100)
        await isapi(http, camera, "PUT", "System/reboot")
        await until(lambda: camera.boots == 2 or camera.bricked)
        assert (camera.flashed, camera.bricked) == (flashed, bricked)
        assert (camera.plan.firmware == NEW) is bricked


async def test_an_answer_gets_lost() -> None:
    async with changeable(faults={"upgrade-drops": 1}) as (_, camera, http):
        with pytest.raises(httpx.RemoteProtocolError):
            await send(http, camera, firmware_for(camera.plan, NEW))
        await until(lambda: camera.boots == 2)
        assert camera.plan.firmware == NEW


REFUSED = {
    "rubbish": (b"\x00" * 99, BINARY, "badDevType"),
    "another vendor's": (image("dahua", ["*"], NEW), BINARY, "badDevType"),
    "another model's": (image("hikvision", ["DS-0"], NEW), BINARY, "badDevType"),
    "a good one, called XML": (image("hikvision", ["*"], NEW), "application/xml", "badXmlContent"),
}


@pytest.mark.parametrize(("data", "content_type", "said"), REFUSED.values(), ids=REFUSED)
async def test_a_file_that_does_not_fit_is_refused(data: bytes, content_type: str, said: str) -> None:
    async with changeable() as (_, camera, http):
        assert await send(http, camera, data, content_type) == (400, said)
        assert (camera.staged, camera.flashed) == (None, [])
