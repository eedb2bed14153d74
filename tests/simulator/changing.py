"""What the tests of changes share: a camera that can log in by digest, its restarts, its firmware files."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import httpx

from simulator import Estate
from simulator.camera import Camera
from simulator.firmware import image
from simulator.plan import CameraPlan, Defect
from tests.simulator.asking import ask_logged_in, client, estate

WAIT_S = 10.0


@asynccontextmanager
async def changeable(
    family: str = "hikvision", faults: Mapping[str, int] | None = None
) -> AsyncIterator[tuple[Estate, Camera, httpx.AsyncClient]]:
    """An estate with one camera of this family, and a client that trusts it."""
    async with estate(mix={family: 1}, faults=faults, reboot_s=0.02) as running, client() as http:
        yield running, running.cameras[0], http


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not happened():  # noqa: ASYNC110 - what it waits for is no event of ours
            await asyncio.sleep(0.005)


async def write(http: httpx.AsyncClient, plan: CameraPlan, operation: str, inside: str = "") -> httpx.Response:
    return await ask_logged_in(http, plan, f"tds:{operation}", inside=inside)


async def is_open(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def until_port(address: str, port: int, *, opened: bool) -> None:
    async with asyncio.timeout(WAIT_S):
        while await is_open(address, port) is not opened:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)


def firmware_for(plan: CameraPlan, version: str, *, defect: Defect | None = None) -> bytes:
    return image(plan.vendor, [plan.model], version, defect=defect)
