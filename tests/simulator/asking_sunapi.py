"""SUNAPI by hand, as curl would: a query, the login by Digest, now and then a body."""

import base64

import httpx
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from simulator.camera import Camera
from simulator.sunapi.secrets import public_pem
from tests.simulator.asking import login_of, url

FORM = "application/x-www-form-urlencoded"


def target(cgi: str, submenu: str, action: str, **said: object) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"msubmenu": submenu, "action": action, **said}.items())
    return f"/stw-cgi/{cgi}.cgi?{query}"


async def get(
    http: httpx.AsyncClient, camera: Camera, cgi: str, submenu: str, action: str = "view", **said: object
) -> httpx.Response:
    auth = httpx.DigestAuth(*login_of(camera.plan))
    return await http.get(url(camera.plan, target(cgi, submenu, action, **said)), auth=auth)


async def show(http: httpx.AsyncClient, camera: Camera, cgi: str, submenu: str) -> dict[str, str]:
    lines = (await get(http, camera, cgi, submenu)).text.splitlines()
    return dict(line.strip('"').split("=", 1) for line in lines if "=" in line)


async def post(
    http: httpx.AsyncClient, camera: Camera, path: str, content: bytes, content_type: str = FORM
) -> httpx.Response:
    auth = httpx.DigestAuth(*login_of(camera.plan))
    headers = {"Content-Type": content_type}
    return await http.post(url(camera.plan, path), content=content, headers=headers, auth=auth)


async def send(http: httpx.AsyncClient, camera: Camera, path: str, name: str, file_name: str, data: bytes) -> str:
    """A file as one part of a form, after an answered challenge."""
    auth = httpx.DigestAuth(*login_of(camera.plan))
    files = {name: (file_name, data, "application/octet-stream")}
    return (await http.post(url(camera.plan, path), files=files, auth=auth)).text


def sealed(text: str) -> bytes:
    key = load_pem_public_key(public_pem().encode())
    assert isinstance(key, rsa.RSAPublicKey)
    return base64.b64encode(key.encrypt(text.encode(), padding.PKCS1v15()))
