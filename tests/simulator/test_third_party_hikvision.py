"""Somebody else's client of ISAPI, pyHik, speaks to a simulated camera: if it cannot, the simulator is wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pyhik.isapi import HTTPMethod, ISAPIAuthError, ISAPIClient, ISAPIError

from simulator.camera import Camera
from tests.simulator.asking import login_of
from tests.simulator.changing import changeable, until

Ask = Callable[[Any], Any]
SSH = "/ISAPI/System/Network/ssh"


@asynccontextmanager
async def theirs(*, password: str | None = None) -> AsyncIterator[tuple[Camera, Callable[[Ask], Any]]]:
    """A camera, and a way to let the client, which waits for its answers, ask it something in a thread."""
    async with changeable(faults={}) as (_, camera, _http):
        plan = camera.plan
        name, ours = login_of(plan)
        with ISAPIClient(plan.address, plan.port, name, password or ours) as client:
            yield camera, lambda ask: asyncio.to_thread(ask, client)


async def test_reads_who_the_camera_is() -> None:
    async with theirs() as (camera, ask):
        said = await ask(lambda client: client.get_device_info())
        assert (said["model"], said["serialNumber"]) == (camera.plan.model, camera.plan.serial)
        assert f"{said['firmwareVersion']} {said['firmwareReleasedDate']}" == camera.plan.firmware
        assert camera.guard.wrong_tries == {}


async def test_reads_its_streams_and_a_picture() -> None:
    async with theirs() as (_, ask):
        streams = await ask(lambda client: client.get_streaming_channels())
        assert [(stream.id, stream.channel_id, stream.type_id) for stream in streams] == [("101", 1, 1), ("102", 1, 2)]
        assert (await ask(lambda client: client.get_snapshot())).startswith(b"\xff\xd8\xff")


async def test_reads_a_document_and_writes_it_back_whole() -> None:
    async with theirs() as (camera, ask):
        document = await ask(lambda client: client.request(HTTPMethod.GET, SSH))
        document["SSH"]["enabled"] = "true"
        said = await ask(lambda client: client.request(HTTPMethod.PUT, SSH, data=document))
        assert said["ResponseStatus"]["statusString"] == "OK"
        assert [port.service for port in camera.plan.extra_ports] == ["ssh"]


async def test_reads_the_accounts() -> None:
    async with theirs() as (camera, ask):
        said = await ask(lambda client: client.request(HTTPMethod.GET, "/ISAPI/Security/users"))
        assert {row["userName"] for row in said["UserList"]["User"]} == {a.name for a in camera.plan.accounts}


async def test_finds_out_what_the_camera_cannot() -> None:
    async with theirs() as (_, ask):
        said = await ask(lambda client: client.get_capabilities())
        assert (said.support_storage, said.support_io_outputs) == (False, False)


async def test_restarts_the_camera() -> None:
    async with theirs() as (camera, ask):
        await ask(lambda client: client.reboot())
        await until(lambda: camera.boots == 2)


REFUSED: dict[str, tuple[Ask, type[Exception]]] = {
    "less than the whole document": (
        lambda client: client.request(
            HTTPMethod.PUT, "/ISAPI/System/Network/UPnP", data={"UPnP": {"enabled": "false"}}
        ),
        ISAPIError,
    ),
    "what it does not have": (lambda client: client.request(HTTPMethod.GET, "/ISAPI/System/teapot"), ISAPIAuthError),
}


@pytest.mark.parametrize(("asked", "error"), REFUSED.values(), ids=REFUSED)
async def test_is_told_what_is_refused(asked: Ask, error: type[Exception]) -> None:
    async with theirs() as (camera, ask):
        with pytest.raises(error):
            await ask(asked)
        assert camera.plan.parameters == ()


async def test_a_wrong_password_is_told_as_one() -> None:
    async with theirs(password="wrong") as (camera, ask):
        with pytest.raises(ISAPIAuthError, match="Invalid credentials"):
            await ask(lambda client: client.get_device_info())
        assert camera.guard.wrong_tries == {login_of(camera.plan)[0]: 1}
