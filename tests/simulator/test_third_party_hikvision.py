"""Somebody else's client, `hikvisionapi`, speaks to a simulated camera: if it cannot, the simulator is wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
from hikvisionapi import AsyncClient, Client

from simulator.camera import Camera
from tests.simulator.asking import login_of, url
from tests.simulator.changing import changeable, until


@asynccontextmanager
async def client() -> AsyncIterator[tuple[Camera, Any]]:
    """The synchronous client, which looks for its way to log in when it is made."""
    async with changeable(faults={}) as (_, camera, _http):
        yield camera, await asyncio.to_thread(Client, url(camera.plan, ""), *login_of(camera.plan))


async def test_reads_who_the_camera_is() -> None:
    async with client() as (camera, theirs):
        said = (await asyncio.to_thread(theirs.System.deviceInfo, method="get"))["DeviceInfo"]
        assert (said["model"], said["serialNumber"]) == (camera.plan.model, camera.plan.serial)
        assert f"{said['firmwareVersion']} {said['firmwareReleasedDate']}" == camera.plan.firmware
        assert camera.guard.wrong_tries == {}


async def test_reads_a_document_and_writes_it_back_whole() -> None:
    async with client() as (camera, theirs):
        text = await asyncio.to_thread(theirs.System.Network.ssh, method="get", present="text")
        changed = text.replace("<enabled>false", "<enabled>true")
        said = await asyncio.to_thread(theirs.System.Network.ssh, method="put", data=changed)
        assert said["ResponseStatus"]["statusString"] == "OK"
        assert [port.service for port in camera.plan.extra_ports] == ["ssh"]


async def test_is_told_what_is_refused() -> None:
    async with client() as (camera, theirs):
        with pytest.raises(requests.HTTPError, match="400"):
            await asyncio.to_thread(
                theirs.System.Network.UPnP, method="put", data="<UPnP><enabled>false</enabled></UPnP>"
            )
        assert camera.plan.parameters == ()


async def test_gets_a_picture() -> None:
    async with client() as (_, theirs):
        page = theirs.Streaming.channels[101].picture
        reply = await asyncio.to_thread(page, method="get", type="opaque_data")
        picture = b"".join(await asyncio.to_thread(lambda: list(reply.iter_content(chunk_size=65536))))
        assert picture.startswith(b"\xff\xd8\xff")


async def test_restarts_the_camera() -> None:
    async with client() as (camera, theirs):
        said = await asyncio.to_thread(theirs.System.reboot, method="put")
        assert said["ResponseStatus"]["statusCode"] == "1"
        await until(lambda: camera.boots == 2)


async def test_its_asynchronous_client_finds_its_way_in_too() -> None:
    async with changeable(faults={}) as (_, camera, _http):
        theirs = AsyncClient(url(camera.plan, ""), *login_of(camera.plan))
        said = await theirs.Security.users(method="get")
        assert {row["userName"] for row in said["UserList"]["User"]} == {a.name for a in camera.plan.accounts}
        assert camera.guard.wrong_tries == {}


async def test_a_wrong_password_is_told_as_one() -> None:
    async with changeable(faults={}) as (_, camera, _http):
        with pytest.raises(requests.HTTPError, match="401"):
            await asyncio.to_thread(Client, url(camera.plan, ""), "admin", "wrong")
        assert camera.guard.wrong_tries == {"admin": 1}
