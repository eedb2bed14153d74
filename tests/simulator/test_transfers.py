"""Backups and firmware over plain HTTP, at the addresses that ONVIF hands out."""

import re

import httpx
import pytest

from simulator.camera import Camera
from simulator.firmware import image
from tests.simulator.asking import ask, digest_of
from tests.simulator.changing import changeable, firmware_for, until, write

URI = re.compile(r"<tds:(?:UploadUri|SystemBackupUri)>([^<]*)<")


async def address_of(http: httpx.AsyncClient, camera: Camera, operation: str) -> str:
    found = URI.search((await write(http, camera.plan, operation)).text)
    assert found
    return found[1]


async def send(http: httpx.AsyncClient, camera: Camera, data: bytes, operation: str = "StartFirmwareUpgrade") -> int:
    uri = await address_of(http, camera, operation)
    camera.upload_opens_at = 0.0
    return (await http.post(uri, content=data, auth=digest_of(camera.plan))).status_code


async def test_an_image_is_flashed_and_the_camera_comes_back_with_it() -> None:
    async with changeable() as (_, camera, http):
        assert await send(http, camera, firmware_for(camera.plan, "V5.9.0 build 230101")) == 200
        await until(lambda: camera.boots == 2)
        assert camera.plan.firmware == "V5.9.0 build 230101"
        assert camera.flashed == ["V5.9.0 build 230101"]
        assert "V5.9.0 build 230101" in (await write(http, camera.plan, "GetDeviceInformation")).text


async def test_the_same_image_twice_is_seen() -> None:
    async with changeable() as (_, camera, http):
        for _ in range(2):
            assert await send(http, camera, firmware_for(camera.plan, "V6")) == 200
            await until(lambda: camera.awake)
        assert camera.flashed == ["V6", "V6"]


GOOD = image("hikvision", ["*"], "V6")
BAD_FILES = {
    "rubbish": b"\x00" * 100,
    "a damaged file": GOOD[:-1] + b"?",
    "half a file": GOOD[: len(GOOD) // 2],
    "another vendor's": image("dahua", ["*"], "V6"),
    "another model's": image("hikvision", ["DS-0"], "V6"),
    "nothing": b"",
}


@pytest.mark.parametrize("operation", ["StartFirmwareUpgrade", "StartSystemRestore"])
@pytest.mark.parametrize("data", BAD_FILES.values(), ids=BAD_FILES)
async def test_a_file_that_does_not_fit_is_refused(data: bytes, operation: str) -> None:
    async with changeable() as (_, camera, http):
        before = camera.plan
        assert await send(http, camera, data, operation) == 415
        assert camera.plan == before
        assert camera.boots == 1
        assert camera.awake


async def test_an_upload_needs_a_login_an_administrator_and_the_right_address() -> None:
    async with changeable() as (_, camera, http):
        uri = await address_of(http, camera, "StartFirmwareUpgrade")
        camera.upload_opens_at = 0.0
        viewer = next(a for a in camera.plan.accounts if a.name == "viewer")
        assert (await http.post(uri, content=GOOD)).status_code == 401
        denied = await http.post(uri, content=GOOD, auth=httpx.DigestAuth(viewer.name, viewer.password))
        assert denied.status_code == 403
        assert (await http.post(uri + "0", content=GOOD, auth=digest_of(camera.plan))).status_code == 404
        assert camera.flashed == []


async def test_an_upload_before_the_delay_is_over_is_refused() -> None:
    async with changeable() as (_, camera, http):
        uri = await address_of(http, camera, "StartFirmwareUpgrade")
        camera.upload_opens_at = float("inf")
        assert (await http.post(uri, content=GOOD, auth=digest_of(camera.plan))).status_code == 503


async def test_a_backup_restores_the_settings_but_no_account() -> None:
    async with changeable() as (_, camera, http):
        uri = await address_of(http, camera, "GetSystemUris")
        assert (await http.get(uri)).status_code == 401
        saved = (await http.get(uri, auth=digest_of(camera.plan))).content
        assert not any(account.password.encode() in saved for account in camera.plan.accounts)
        before = camera.plan
        await write(http, camera.plan, "SetDiscoveryMode", "<tds:DiscoveryMode>Discoverable</tds:DiscoveryMode>")
        assert await send(http, camera, saved, "StartSystemRestore") == 200
        await until(lambda: camera.boots == 2)
        assert camera.plan == before


@pytest.mark.parametrize(("family", "word"), [("axis", "false"), ("hikvision", "true")])
async def test_the_capabilities_say_whether_there_are_transfers(family: str, word: str) -> None:
    async with changeable(family) as (_, camera, http):
        said = (await ask(http, camera.plan, "tds:GetServiceCapabilities")).text
        assert f'HttpFirmwareUpgrade="{word}"' in said
        answered = await write(http, camera.plan, "StartFirmwareUpgrade")
        assert ("UploadUri" in answered.text) is (word == "true")
