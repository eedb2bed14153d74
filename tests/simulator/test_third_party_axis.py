"""Somebody else's client speaks to the simulated Axis camera: `axis`, which Home Assistant uses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from axis.device import AxisDevice
from axis.models.configuration import Configuration
from axis.models.pwdgrp_cgi import SecondaryGroup

from simulator.camera import Camera
from simulator.plan import App
from tests.simulator.asking import login_of
from tests.simulator.changing import changeable

APPS = (App("vmd", "AXIS Video Motion Detection", "Axis Communications", "4.4-5", running=True),)


@asynccontextmanager
async def known(
    firmware: str = "11.11.181", *, password: str | None = None
) -> AsyncIterator[tuple[Camera, AxisDevice]]:
    async with changeable("axis") as (_, camera, http):
        camera.become(replace(camera.plan, firmware=firmware, apps=APPS))
        name, right = login_of(camera.plan)
        port = camera.plan.http_port
        assert port is not None
        where = Configuration(http, camera.plan.address, port=port, username=name, password=password or right)
        yield camera, AxisDevice(where)


@pytest.mark.parametrize("firmware", ["9.80.3.11", "11.11.181", "12.11.77"])
async def test_it_learns_who_the_camera_is(firmware: str) -> None:
    async with known(firmware) as (camera, device):
        await device.vapix.initialize()
        plan = camera.plan
        assert (device.vapix.product_number, device.vapix.serial_number) == (plan.model, plan.serial)
        assert device.vapix.firmware_version == firmware
        assert {"api-discovery", "basic-device-info"} <= set(device.vapix.api_discovery)


async def test_it_reads_parameters() -> None:
    async with known() as (camera, device):
        await device.vapix.initialize_param_cgi()
        assert device.vapix.params.brand_handler["0"].product_number == camera.plan.model
        assert device.vapix.params.property_handler["0"].firmware_version == "11.11.181"


async def test_it_lists_applications() -> None:
    async with known() as (_, device):
        assert await device.vapix.applications.update()
        assert {app.name: app.status for app in device.vapix.applications.values()} == {"vmd": "Running"}


async def test_it_makes_changes_and_removes_accounts() -> None:
    async with known() as (camera, device):
        users = device.vapix.users
        await users.create("joe", pwd="s3cret-one", sgrp=SecondaryGroup.OPERATOR_PTZ)
        await users.update()
        assert (users["joe"].operator, users["joe"].admin, users["joe"].ptz) == (True, False, True)
        await users.modify("joe", pwd="s3cret-two", sgrp=SecondaryGroup.VIEWER)
        stored = {a.name: (a.password, a.role) for a in camera.plan.accounts_of("web")}
        assert stored["joe"] == ("s3cret-two", "User")
        await users.delete("joe")
        assert "joe" not in {a.name for a in camera.plan.accounts_of("web")}


async def test_it_knows_its_own_rights() -> None:
    async with known() as (_, device):
        await device.vapix.load_user_groups()
        assert device.vapix.access_rights == SecondaryGroup.ADMIN_PTZ


async def test_a_wrong_password_is_refused_and_counted() -> None:
    async with known(password="wrong") as (camera, device):
        assert not await device.vapix.users.update()
        assert sum(camera.guard.wrong_tries.values()) == 1
