"""What Hanwha cameras say in SUNAPI, for cameras of a few lines."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cameras.drivers.hanwha import HanwhaDriver
from cameras.http import DeviceHttp, HttpLogin
from cameras.sunapi import Sunapi
from tests.cameras.saying import Saying, http, saying
from tests.cameras.saying_soap import JOE
from tests.cameras.saying_vapix import NoOnvif

MISSING = http("<html>404", "404 Not Found")
REALM = 'WWW-Authenticate: Digest realm="iPolis_00:09:18:00:00:01", nonce="n", qop="auth"'
WRONG = http("<html>401", "401 Unauthorized", REALM)
BUSY = http("", "490 ")
OK = http("OK\r\n", "200 OK", "Content-Type: text/plain")
COLUMNS = (
    '"Users.Index=UserID/Password/Enable/VideoProfileAccess/PTZAccess/AudioInAccess/AudioOutAccess/AlarmOutputAccess/'
    'AdminAccess/PrivacyAreaAccess"'
)
WAITED: list[float] = []
Heard = tuple[str, dict[str, str]]


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem() -> str:
    public = key().public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1).decode()


def pairs(*lines: str) -> bytes:
    return http("\r\n".join((*lines, "")), "200 OK", "Content-Type: text/plain")


def ng(code: int, words: str = "no") -> bytes:
    return pairs("NG", f"Error Code: {code}", words)


NO_SUBMENU = ng(600, "Submenu Not Found")
INFO = pairs(
    "Model=QNO-6082R",
    "SerialNumber=ZNZ870GRA00001F",
    "FirmwareVersion=1.41.18_20231115_R455",
    "WebURL=http://www.hanwhavision.com/",
    "DeviceType=NWC",
    "ConnectedMACAddress=00:09:18:AA:BB:0C",
)
LABEL = http(json.dumps({"Initialized": True, "Language": "English", "Manufacturer": "Hanwha Vision"}))


def asked(request: bytes) -> Heard:
    """`cgi/submenu/action`, and the rest of the query."""
    url = urlsplit(request.split(b" ")[1].decode())
    said = dict(parse_qsl(url.query, keep_blank_values=True))
    cgi = url.path.removeprefix("/stw-cgi/").removesuffix(".cgi")
    return f"{cgi}/{said.pop('msubmenu', '')}/{said.pop('action', '')}", said


async def _wait(seconds: float) -> None:
    WAITED.append(seconds)


@asynccontextmanager
async def hanwha(
    *replies: bytes | None, dribble: bool = False, proven: bool = True
) -> AsyncIterator[tuple[HanwhaDriver, Saying]]:
    """A driver that was logged in to, its camera without ONVIF. Waits take no time, and are written down."""
    WAITED.clear()
    async with (
        saying(*replies, dribble=dribble) as camera,
        DeviceHttp("127.0.0.1", camera.port, "http", timeout_s=0.5, upload_patience_s=0) as device,
    ):
        login = HttpLogin(JOE)
        login.proven = proven
        yield HanwhaDriver(Sunapi(device, login, sleep=_wait), NoOnvif()), camera
