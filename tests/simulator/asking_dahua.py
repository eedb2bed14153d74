"""Dahua's HTTP API by hand: everything in the query, by Digest."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import httpx

from simulator.camera import Camera
from simulator.plan import Account
from tests.simulator.asking import login_of, url

Said = Mapping[str, str]
BAD = "Error\r\nBad Request!\r\n"


def page_url(camera: Camera, page: str, action: str, said: Said | None = None) -> str:
    query = urlencode({"action": action, **(said or {})}, quote_via=quote)
    return url(camera.plan, f"/cgi-bin/{page}?{query}")


async def get(
    http: httpx.AsyncClient,
    camera: Camera,
    page: str,
    action: str,
    said: Said | None = None,
    *,
    by: Account | None = None,
) -> httpx.Response:
    auth = httpx.DigestAuth(*((by.name, by.password) if by else login_of(camera.plan)))
    return await http.get(page_url(camera, page, action, said), auth=auth)


async def told(
    http: httpx.AsyncClient, camera: Camera, page: str, action: str, said: Said | None = None
) -> dict[str, str]:
    """Its lines by name."""
    reply = await get(http, camera, page, action, said)
    assert reply.status_code == 200, reply.text
    return dict(line.split("=", 1) for line in reply.text.splitlines())


async def setting(http: httpx.AsyncClient, camera: Camera, name: str) -> str:
    table = {"name": name.partition(".")[0]}
    return (await told(http, camera, "configManager.cgi", "getConfig", table))[f"table.{name}"]


async def upload(
    http: httpx.AsyncClient, camera: Camera, page: str, action: str, data: bytes, *, name: str | None = "file.bin"
) -> httpx.Response:
    files = {"file": (name, data, "application/octet-stream")}
    return await http.post(page_url(camera, page, action), files=files, auth=httpx.DigestAuth(*login_of(camera.plan)))


def account(camera: Camera, name: str) -> Account:
    return next(a for a in camera.plan.accounts_of("web") if a.name == name)
