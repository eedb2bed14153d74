"""firmwaremanagement.cgi: the strict form, the two banks, and the timer that really goes back."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from simulator.camera import Camera
from simulator.firmware import image
from tests.simulator.asking import login_of, url
from tests.simulator.asking_vapix import call
from tests.simulator.changing import changeable, firmware_for, until

PAGE = "firmwaremanagement.cgi"
NEW = "99.1.2"
Part = tuple[str, tuple[str | None, bytes, str]]


async def upload(http: httpx.AsyncClient, camera: Camera, data: bytes, **params: object) -> Any:  # noqa: ANN401 - JSON
    return await send(http, camera, ("json", (None, _asked(params), "application/json")), data)


def _asked(params: Mapping[str, object]) -> bytes:
    return json.dumps({"apiVersion": "1.0", "method": "upgrade", "params": params}).encode()


async def send(http: httpx.AsyncClient, camera: Camera, first: Part, data: bytes) -> Any:  # noqa: ANN401 - JSON
    files = [first, ("file", ("firmware.bin", data, "application/octet-stream"))]
    auth = httpx.DigestAuth(*login_of(camera.plan))
    reply = await http.post(url(camera.plan, f"/axis-cgi/{PAGE}"), files=files, auth=auth)
    assert reply.status_code == 200
    return reply.json()


async def flash(http: httpx.AsyncClient, camera: Camera, **params: object) -> None:
    boots = camera.boots
    said = await upload(http, camera, firmware_for(camera.plan, NEW), **params)
    assert said["data"] == {"firmwareVersion": NEW}
    await until(lambda: camera.boots > boots)


async def test_an_upgrade_on_trial_is_committed() -> None:
    async with changeable("axis") as (_, camera, http):
        before = camera.plan.firmware
        await flash(http, camera, autoCommit="never", autoRollback="20")
        status = (await call(http, camera, PAGE, "status"))["data"]
        assert status["activeFirmwareVersion"] == NEW
        assert status["inactiveFirmwareVersion"] == before
        assert status["isCommited"] is False
        assert 0 < status["timeToRollback"] <= 20 * 60
        await call(http, camera, PAGE, "commit")
        status = (await call(http, camera, PAGE, "status"))["data"]
        assert status["isCommited"] is True
        assert "timeToRollback" not in status
        assert camera.flashed == [NEW]


async def test_an_upgrade_that_nobody_commits_goes_back_by_itself() -> None:
    async with changeable("axis") as (_, camera, http):
        before = camera.plan.firmware
        camera.become(replace(camera.plan, minute_s=0.02))
        await flash(http, camera, autoCommit="never", autoRollback="2")
        await until(lambda: camera.boots == 3)
        assert (camera.plan.firmware, camera.plan.standby_firmware) == (before, NEW)
        assert camera.plan.committed


async def test_the_timer_can_be_stopped_without_a_commit() -> None:
    async with changeable("axis") as (_, camera, http):
        await flash(http, camera, autoCommit="never", autoRollback="1")
        await call(http, camera, PAGE, "stopAuto")
        await call(http, camera, PAGE, "reboot")
        await until(lambda: camera.boots == 3)
        assert camera.rollback_due_s is None
        assert not camera.plan.committed


async def test_a_power_cut_before_the_commit_goes_back_but_a_reboot_does_not() -> None:
    async with changeable("axis") as (_, camera, http):
        before = camera.plan.firmware
        await flash(http, camera, autoCommit="never", autoRollback="never")
        await call(http, camera, PAGE, "reboot")
        await until(lambda: camera.boots == 3)
        assert camera.plan.firmware == NEW
        camera.cut_power()
        await until(lambda: camera.boots == 4)
        assert camera.plan.firmware == before


async def test_defaults_commit_at_the_start() -> None:
    async with changeable("axis") as (_, camera, http):
        await flash(http, camera)
        assert camera.plan.committed


async def test_rolling_back_brings_the_lost_accounts_back() -> None:
    async with changeable("axis") as (_, camera, http):
        before = camera.plan
        data = firmware_for(before, NEW, defect="loses-accounts")
        await upload(http, camera, data, autoCommit="never", autoRollback="never")
        await until(lambda: camera.boots == 2)
        assert len(camera.plan.accounts) == 1
        camera.roll_back()
        await until(lambda: camera.boots == 3)
        assert camera.plan.accounts == before.accounts


async def test_an_image_that_does_not_fit_is_refused_and_the_other_bank_is_gone() -> None:
    async with changeable("axis") as (_, camera, http):
        await flash(http, camera)
        assert "inactiveFirmwareVersion" in (await call(http, camera, PAGE, "status"))["data"]
        await upload(http, camera, b"rubbish")
        assert "inactiveFirmwareVersion" not in (await call(http, camera, PAGE, "status"))["data"]
        assert (await call(http, camera, PAGE, "rollback"))["error"]["code"] == 404


BAD: dict[str, tuple[bytes, Mapping[str, object], int]] = {
    "rubbish": (b"\x00" * 64, {}, 415),
    "another vendor's": (image("hikvision", ["*"], NEW), {}, 421),
    "another model's": (image("axis", ["Q0"], NEW), {}, 421),
    "an older one": (image("axis", ["*"], "1.0.0"), {}, 409),
    "minutes that are a number": (image("axis", ["*"], NEW), {"autoRollback": 20}, 400),
    "a commit that is none": (image("axis", ["*"], NEW), {"autoCommit": "soon"}, 400),
}


@pytest.mark.parametrize(("data", "params", "code"), BAD.values(), ids=BAD)
async def test_a_bad_upgrade_has_its_number(data: bytes, params: Mapping[str, object], code: int) -> None:
    async with changeable("axis") as (_, camera, http):
        said = await upload(http, camera, data, **params)
        assert said["error"]["code"] == code
        assert camera.flashed == []
        assert camera.boots == 1


async def test_an_older_image_is_taken_with_a_hard_factory_default() -> None:
    async with changeable("axis") as (_, camera, http):
        said = await upload(http, camera, image("axis", ["*"], "1.0.0"), factoryDefaultMode="hard")
        assert said["data"] == {"firmwareVersion": "1.0.0"}


async def test_no_second_upgrade_before_the_first_is_committed() -> None:
    async with changeable("axis") as (_, camera, http):
        await flash(http, camera, autoCommit="never", autoRollback="never")
        assert (await upload(http, camera, firmware_for(camera.plan, "99.2")))["error"]["code"] == 412
        assert (await call(http, camera, PAGE, "purge"))["error"]["code"] == 412
        assert camera.flashed == [NEW]


async def test_the_json_part_must_have_no_file_name() -> None:
    async with changeable("axis") as (_, camera, http):
        named = ("json", ("request.json", _asked({}), "application/json"))
        said = await send(http, camera, named, firmware_for(camera.plan, NEW))
        assert said["error"]["message"] == "Only string objects allowed."


async def test_systemready_tells_of_the_restart() -> None:
    async with changeable("axis") as (_, camera, http):
        first = (await call(http, camera, "systemready.cgi", "systemready"))["data"]["bootid"]
        await call(http, camera, PAGE, "reboot")
        await until(lambda: camera.boots == 2)
        assert (await call(http, camera, "systemready.cgi", "systemready"))["data"]["bootid"] != first
