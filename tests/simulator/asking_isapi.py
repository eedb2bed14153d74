"""How the tests ask simulated Hikvision cameras: by plain HTTP, documents as text."""

import re

import httpx

from simulator.camera import Camera
from tests.simulator.asking import digest_of, url


async def isapi(
    http: httpx.AsyncClient,
    camera: Camera,
    method: str,
    path: str,
    content: str | bytes = b"",
    *,
    auth: httpx.Auth | None = None,
    content_type: str = "application/xml",
) -> httpx.Response:
    headers = {"Content-Type": content_type} if content else {}
    login = auth or digest_of(camera.plan)
    return await http.request(method, url(camera.plan, f"/ISAPI/{path}"), content=content, headers=headers, auth=login)


async def edited(http: httpx.AsyncClient, camera: Camera, path: str, *changes: tuple[str, str]) -> httpx.Response:
    """A document read, changed by plain replacement, and sent back whole."""
    text = (await isapi(http, camera, "GET", path)).text
    for before, after in changes:
        assert before in text, text
        text = text.replace(before, after, 1)
    return await isapi(http, camera, "PUT", path, text)


def word(reply: httpx.Response) -> tuple[int, str]:
    """The HTTP status and the sub-status of an answer to a change."""
    found = re.search(r"<subStatusCode>(\w+)<", reply.text)
    return reply.status_code, found[1] if found else reply.text


def namespace_of(reply: httpx.Response) -> str:
    found = re.search(r'xmlns="([^"]+)"', reply.text)
    assert found
    return found[1]
