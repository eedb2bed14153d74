"""Cameras that lie: what each of the change-faults does, seen from outside and in the camera's own books."""

import httpx
import pytest

from simulator.camera import Camera
from simulator.firmware import BadFile, package, read_image, read_package
from simulator.plan import Defect
from tests.simulator.asking import ask, digest_of, login_of, url
from tests.simulator.changing import changeable, firmware_for, is_open, until, until_port, write
from tests.simulator.test_onvif_writes import DNS, ntp, user
from tests.simulator.test_transfers import send

NEW = "Correct-horse-7"


async def set_password(http: httpx.AsyncClient, camera: Camera) -> httpx.Response:
    return await write(http, camera.plan, "SetUser", user(login_of(camera.plan)[0], NEW, "Administrator"))


async def works(http: httpx.AsyncClient, camera: Camera, password: str) -> bool:
    auth = httpx.DigestAuth(login_of(camera.plan)[0], password)
    return (await ask(http, camera.plan, "tds:GetUsers", auth=auth)).status_code == 200


async def test_an_honest_camera_takes_the_new_password_only() -> None:
    async with changeable() as (_, camera, http):
        old = login_of(camera.plan)[1]
        assert (await set_password(http, camera)).status_code == 200
        assert await works(http, camera, NEW)
        assert not await works(http, camera, old)
        assert (camera.password_requests, camera.password_changes) == (1, 1)
        assert login_of(camera.plan)[1] == NEW, "the operator's login follows his own change"


async def test_one_says_yes_and_keeps_the_old_password() -> None:
    async with changeable(faults={"password-ignored": 1}) as (_, camera, http):
        old = login_of(camera.plan)[1]
        assert (await set_password(http, camera)).status_code == 200
        assert not await works(http, camera, NEW)
        assert await works(http, camera, old)
        assert (camera.password_requests, camera.password_changes) == (1, 0)


async def test_one_cuts_the_password_without_a_word() -> None:
    async with changeable(faults={"password-truncated": 1}) as (_, camera, http):
        assert (await set_password(http, camera)).status_code == 200
        assert not await works(http, camera, NEW)
        assert await works(http, camera, NEW[:12])


async def test_one_is_late() -> None:
    async with changeable(faults={"password-late": 1}) as (_, camera, http):
        old = login_of(camera.plan)[1]
        assert (await set_password(http, camera)).status_code == 200
        assert await works(http, camera, old)
        await until(lambda: camera.password_changes)
        assert await works(http, camera, NEW)


async def test_one_is_late_by_requests_too() -> None:
    async with changeable(faults={"password-late": 1}) as (_, camera, http):
        await set_password(http, camera)
        for _ in range(4):
            await http.get(url(camera.plan, "/"))
        assert camera.password_changes == 1


@pytest.mark.parametrize("keeps", [True, False], ids=["and kept the new", "and kept the old"])
async def test_one_restarts_in_the_middle(keeps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Camera, "keeps_half_done_changes", keeps)
    async with changeable(faults={"password-reboot": 1}) as (_, camera, http):
        old = login_of(camera.plan)[1]
        with pytest.raises(httpx.TransportError):
            await set_password(http, camera)
        await until(lambda: camera.boots == 2)
        assert await works(http, camera, NEW if keeps else old)
        assert not await works(http, camera, old if keeps else NEW)


async def test_one_keeps_two_stores() -> None:
    async with changeable("axis", faults={"password-two-stores": 1}) as (_, camera, http):
        name, old = login_of(camera.plan)
        camera.modify_account("onvif", name, password=NEW)
        web = url(camera.plan, "/axis-cgi/usergroup.cgi")
        assert (await http.get(web, auth=httpx.DigestAuth(name, old))).status_code == 200
        assert (await http.get(web, auth=httpx.DigestAuth(name, NEW))).status_code == 401
        assert camera.guard.in_a_row == 1, "one counter for both"


async def test_one_ignores_its_settings() -> None:
    async with changeable(faults={"setting-ignored": 1}) as (_, camera, http):
        before = camera.plan
        assert (await write(http, camera.plan, "SetNTP", ntp("false", DNS))).status_code == 200
        assert camera.plan == before


async def test_one_forgets_its_settings_in_a_restart() -> None:
    async with changeable(faults={"setting-reverts": 1}) as (_, camera, http):
        before = camera.plan
        await write(http, camera.plan, "SetNTP", ntp("false", DNS))
        assert camera.plan.ntp_servers == ("time.example.org",)
        await write(http, camera.plan, "SystemReboot")
        await until(lambda: camera.boots == 2)
        assert camera.plan == before


async def test_one_says_that_it_was_flashed_and_was_not() -> None:
    async with changeable(faults={"upgrade-liar": 1}) as (_, camera, http):
        before = camera.plan.firmware
        assert await send(http, camera, firmware_for(camera.plan, "V6")) == 200
        assert (camera.plan.firmware, camera.flashed, camera.boots) == (before, [], 1)


async def test_one_comes_back_with_the_old_version() -> None:
    async with changeable(faults={"upgrade-reverts": 1}) as (_, camera, http):
        before = camera.plan.firmware
        assert await send(http, camera, firmware_for(camera.plan, "V6")) == 200
        await until(lambda: camera.boots == 2)
        assert (camera.plan.firmware, camera.flashed) == (before, ["V6"])


async def test_one_drops_the_connection_and_flashes_anyway() -> None:
    async with changeable(faults={"upgrade-drops": 1}) as (_, camera, http):
        with pytest.raises(httpx.TransportError):
            await send(http, camera, firmware_for(camera.plan, "V6"))
        await until(lambda: camera.boots == 2)
        assert camera.plan.firmware == "V6"


async def test_one_takes_long() -> None:
    async with changeable(faults={"upgrade-slow": 1}) as (_, camera, http):
        assert await send(http, camera, firmware_for(camera.plan, "V6")) == 200
        await until_port(camera.plan.address, 8080, opened=False)
        await until(lambda: camera.boots == 2)
        assert camera.plan.firmware == "V6"


@pytest.mark.parametrize(
    ("fault", "defect"), [({"upgrade-bricks": 1}, None), (None, "brick")], ids=["every image", "a bad image"]
)
async def test_one_never_comes_back(fault: dict[str, int] | None, defect: Defect | None) -> None:
    async with changeable(faults=fault) as (_, camera, http):
        plan = camera.plan
        assert await send(http, camera, firmware_for(plan, "V6", defect=defect)) == 200
        await until_port(plan.address, 8080, opened=False)
        assert not await is_open(plan.address, 8554)
        assert camera.bricked
        assert not [timer for timer in camera._timers if not timer.cancelled()], "nothing will wake it"  # noqa: SLF001 - no clock


async def test_an_image_can_lose_the_picture() -> None:
    async with changeable() as (_, camera, http):
        assert await send(http, camera, firmware_for(camera.plan, "V6", defect="no-picture")) == 200
        await until(lambda: camera.boots == 2)
        shot = url(camera.plan, "/onvif-http/snapshot?Profile_1")
        assert (await http.get(shot, auth=digest_of(camera.plan))).status_code == 503


async def test_an_image_can_lose_the_accounts() -> None:
    async with changeable() as (_, camera, http):
        assert await send(http, camera, firmware_for(camera.plan, "V6", defect="loses-accounts")) == 200
        await until(lambda: camera.boots == 2)
        assert [account.name for account in camera.plan.accounts] == ["admin"]
        assert not await works(http, camera, login_of(camera.plan)[1])


def test_a_file_of_another_kind_is_no_image() -> None:
    assert read_package(package("counter", "1.0", behaviour={"misses": 0.1}))[0].behaviour == {"misses": 0.1}
    with pytest.raises(BadFile):
        read_image(package("counter", "1.0"))
