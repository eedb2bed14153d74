"""VAPIX by hand: forms, JSON calls and uploads, by the login that the policy wants."""

from collections.abc import Mapping
from typing import Any

import httpx

from simulator.camera import Camera
from tests.simulator.asking import login_of, url


def account(camera: Camera, name: str) -> tuple[str, str]:
    found = next(a for a in camera.plan.accounts_of("web") if a.name == name)
    return found.name, found.password


async def form(http: httpx.AsyncClient, camera: Camera, page: str, **fields: str) -> httpx.Response:
    auth = httpx.DigestAuth(*login_of(camera.plan))
    return await http.post(url(camera.plan, f"/axis-cgi/{page}"), data=fields, auth=auth)


async def parameters(http: httpx.AsyncClient, camera: Camera, **fields: str) -> str:
    """One update; dots in names are written as double underscores."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return (await form(http, camera, "param.cgi", action="update", **named)).text


async def listed(http: httpx.AsyncClient, camera: Camera, group: str) -> dict[str, str]:
    said = (await form(http, camera, "param.cgi", action="list", group=group)).text
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


async def call(
    http: httpx.AsyncClient,
    camera: Camera,
    page: str,
    method: str,
    params: Mapping[str, object] | None = None,
    *,
    version: str = "1.0",
) -> Any:  # noqa: ANN401 - JSON
    asked = {"apiVersion": version, "context": "abc", "method": method, "params": params or {}}
    auth = httpx.DigestAuth(*login_of(camera.plan))
    reply = await http.post(url(camera.plan, f"/axis-cgi/{page}"), json=asked, auth=auth)
    assert reply.status_code == 200, reply.text
    return reply.json()


def roles(camera: Camera) -> dict[str, str]:
    return {a.name: a.role for a in camera.plan.accounts_of("web")}
