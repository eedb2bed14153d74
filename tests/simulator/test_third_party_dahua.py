"""Somebody else's client of this API understands the simulated camera, and changes it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from amcrest import AmcrestCamera
from amcrest.exceptions import CommError, LoginError

from simulator.camera import Camera
from simulator.plan import CameraPlan
from tests.simulator.asking import login_of
from tests.simulator.changing import changeable, until

Ask = Callable[[Any], Awaitable[object]]


def client(camera: Camera, *, tls: bool = False, password: str | None = None) -> Any:  # noqa: ANN401 - it mixes types
    plan = camera.plan
    name, right = login_of(plan)
    port = plan.https_port if tls else plan.http_port
    return AmcrestCamera(
        plan.address,
        port,
        name,
        password or right,
        verbose=False,
        protocol="https" if tls else "http",
        ssl_verify=False,
        retries_connection=0,
    ).camera


async def firmware(amcrest: Any) -> list[str]:  # noqa: ANN401
    return [word.strip() for word in await amcrest.async_software_information]


async def said(asked: Awaitable[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (await asked).splitlines())


QUESTIONS: dict[str, tuple[Ask, Callable[[CameraPlan], object]]] = {
    "its model": (lambda c: c.async_device_type, lambda p: p.model),
    "its serial number": (lambda c: c.async_serial_number, lambda p: p.serial),
    "its label": (lambda c: c.async_vendor_information, lambda _: "Dahua"),
    "its class": (lambda c: c.async_device_class, lambda _: "IPC"),
    "its hardware": (lambda c: c.async_hardware_version, lambda _: "1.00"),
    "its firmware and when that was built": (
        firmware,
        lambda p: p.firmware.split(", Build Date "),
    ),
    "its name": (lambda c: c.async_machine_name, lambda p: p.serial),
}


@pytest.mark.parametrize("tls", [False, True], ids=["in the clear", "inside TLS"])
@pytest.mark.parametrize(("ask", "truth"), QUESTIONS.values(), ids=QUESTIONS)
async def test_it_reads(ask: Ask, truth: Callable[[CameraPlan], object], tls: bool) -> None:
    async with changeable("dahua") as (_, camera, _http):
        assert await ask(client(camera, tls=tls)) == truth(camera.plan)
        assert camera.guard.wrong_tries == {}


async def test_it_reads_tables_and_its_clock() -> None:
    async with changeable("dahua") as (_, camera, _http):
        amcrest = client(camera)
        plan = camera.plan
        assert (await said(amcrest.async_network_config))["table.Network.eth0.IPAddress"] == plan.address
        assert (await said(amcrest.async_rtsp_config))["table.RTSP.Port"] == str(plan.rtsp_port)
        assert (await said(amcrest.async_ntp_config))["table.NTP.Address"] == plan.ntp_servers[0]
        assert (await said(amcrest.async_general_config))["table.General.LockLoginTimes"] == "5"
        now = await amcrest.async_current_time
        assert isinstance(now, datetime)


async def test_it_changes_settings() -> None:
    async with changeable("dahua") as (_, camera, _http):
        amcrest = client(camera)
        assert (await amcrest.async_set_telnet_config("true")).strip() == "OK"
        assert [port.service for port in camera.plan.extra_ports] == ["telnet"]
        assert "OK" in str(await amcrest.async_set_ntp_config("NTP.Address=192.0.2.9&NTP.Enable=true"))
        assert camera.plan.ntp_servers[0] == "192.0.2.9"


async def test_it_manages_accounts() -> None:
    async with changeable("dahua") as (_, camera, _http):
        amcrest = client(camera, tls=True)
        assert (await amcrest.async_add_user("eve", "Str0ng-pass", "user")).strip() == "OK"
        assert (await said(amcrest.async_info_all_users))["users[3].Name"] == "eve"
        assert (await amcrest.async_modify_password("eve", "Str0nger-pass", "Str0ng-pass")).strip() == "OK"
        stored = {account.name: (account.role, account.password) for account in camera.plan.accounts}
        assert stored["eve"] == ("User", "Str0nger-pass")
        with pytest.raises(CommError):
            await amcrest.async_modify_password("eve", "Str0ng-pass", "wrong")
        assert (await amcrest.async_delete_user("eve")).strip() == "OK"
        assert "eve" not in {account.name for account in camera.plan.accounts}


async def test_it_reads_the_log_to_its_end() -> None:
    async with changeable("dahua") as (_, camera, _http):
        now = datetime.now()  # noqa: DTZ005 - it writes the camera's own time, without a zone
        pages = [page async for page in client(camera).async_log_find(now - timedelta(days=1), now)]
        assert "items[0].Type=System Startup" in pages[0]
        assert pages[-1].startswith("found=0")
        assert camera.log_searches == {}


async def test_it_takes_a_picture_and_starts_the_camera_again() -> None:
    async with changeable("dahua") as (_, camera, _http):
        amcrest = client(camera)
        assert (await amcrest.async_snapshot(channel=1)).startswith(b"\xff\xd8")
        assert (await amcrest.async_reboot()).strip() == "OK"
        await until(lambda: camera.boots > 1)


async def test_it_is_told_that_its_password_is_wrong() -> None:
    async with changeable("dahua") as (_, camera, _http):
        with pytest.raises(LoginError):
            await client(camera, password="wrong").async_serial_number
        assert sum(camera.guard.wrong_tries.values()) > 0
