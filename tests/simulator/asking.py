"""How the tests of the simulator ask: estates on addresses of their own, SOAP by hand, WS-Security by hand."""

import base64
import hashlib
import os
import time
from collections.abc import Callable, Mapping
from itertools import count

import httpx

from simulator import Estate, Options
from simulator.camera import Camera
from simulator.plan import CameraPlan

NAMESPACES = {
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
}
PATHS = {"tds": "device_service", "trt": "media_service", "tr2": "media2_service"}
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_numbers = count()


def estate(
    *, cameras: int = 1, faults: Mapping[str, int] | None = None, discovery: bool = False, **more: object
) -> Estate:
    """Clean cameras but for `faults`, on high ports and on addresses that no other test uses at this time."""
    base = f"127.{100 + os.getpid() % 150}.{next(_numbers) % 250}.1"
    options = {"cameras": cameras, "base": base, "faults": faults or {}, "discovery": discovery, "low_ports": False}
    return Estate(Options(**{**options, **more}))  # type: ignore[arg-type]


def first_where(running: Estate, fits: Callable[[CameraPlan], bool]) -> Camera:
    return next(camera for camera in running.cameras if fits(camera.plan))


def url(plan: CameraPlan, path: str, *, tls: bool = False) -> str:
    if tls or plan.http_port is None:
        return f"https://{plan.address}:{plan.https_port}{path}"
    return f"http://{plan.address}:{plan.http_port}{path}"


def client(**more: object) -> httpx.AsyncClient:
    """Verifies no certificate: most of the estate's are not for us to trust."""
    return httpx.AsyncClient(verify=False, timeout=10, trust_env=False, **more)  # type: ignore[arg-type]  # noqa: S501


def envelope(operation: str, *, header: str = "", inside: str = "") -> str:
    prefix, name = operation.split(":")
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"<s:Header>{header}</s:Header><s:Body>"
        f'<{prefix}:{name} xmlns:{prefix}="{NAMESPACES[prefix]}">{inside}</{prefix}:{name}></s:Body></s:Envelope>'
    )


def security(name: str, password: str, *, skew_s: float = 0, zone: str = "Z") -> str:
    """A WS-Security header with a password digest, dated as our clock plus `skew_s`."""
    salt = os.urandom(16)
    created = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + skew_s)) + zone
    digest = base64.b64encode(hashlib.sha1(salt + created.encode() + password.encode()).digest()).decode()  # noqa: S324
    return (
        f'<wsse:Security xmlns:wsse="{WSSE}-wssecurity-secext-1.0.xsd" xmlns:wsu="{WSSE}-wssecurity-utility-1.0.xsd">'
        f"<wsse:UsernameToken><wsse:Username>{name}</wsse:Username>"
        f'<wsse:Password Type="{WSSE}-username-token-profile-1.0#PasswordDigest">{digest}</wsse:Password>'
        f"<wsse:Nonce>{base64.b64encode(salt).decode()}</wsse:Nonce><wsu:Created>{created}</wsu:Created>"
        "</wsse:UsernameToken></wsse:Security>"
    )


async def ask(
    http: httpx.AsyncClient,
    plan: CameraPlan,
    operation: str,
    *,
    header: str = "",
    inside: str = "",
    auth: httpx.Auth | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    path = f"/onvif/{PATHS[operation.partition(':')[0]]}"
    body = envelope(operation, header=header, inside=inside)
    said = {"Content-Type": "application/soap+xml; charset=utf-8", **(headers or {})}
    return await http.post(url(plan, path), content=body, headers=said, auth=auth or httpx.USE_CLIENT_DEFAULT)


def login_of(plan: CameraPlan) -> tuple[str, str]:
    assert plan.login is not None
    return plan.login.name, plan.login.password


def digest_of(plan: CameraPlan) -> httpx.DigestAuth:
    return httpx.DigestAuth(*login_of(plan))


async def ask_logged_in(
    http: httpx.AsyncClient, plan: CameraPlan, operation: str, *, inside: str = ""
) -> httpx.Response:
    """By whichever way this camera takes."""
    if "digest" in plan.auth:
        return await ask(http, plan, operation, inside=inside, auth=digest_of(plan))
    if plan.auth == "wsse":
        header = security(*login_of(plan), skew_s=plan.clock_offset_s)
        return await ask(http, plan, operation, inside=inside, header=header)
    return await ask(http, plan, operation, inside=inside)
