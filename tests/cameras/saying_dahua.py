"""What Dahua cameras say by their HTTP API, for cameras of a few lines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

from cameras.dahua_cgi import DahuaCgi
from cameras.drivers.dahua import DahuaDriver
from cameras.http import DeviceHttp, HttpLogin
from tests.cameras.saying import Saying, http, saying
from tests.cameras.saying_soap import JOE
from tests.cameras.saying_vapix import NoOnvif

REALM = 'WWW-Authenticate: Digest realm="Login to 6L0F2BAPAG00001", nonce="n", qop="auth"'
WRONG = http("Error\r\nInvalid Authority!\r\n", "401 Unauthorized", REALM)
OK = http("OK\r\n")
BAD = http("Error\r\nBad Request!\r\n", "400 Bad Request")
BAD_200 = http("Error\r\nBad Request!\r\n")
DENIED = http('{"error":{"code":403,"message":"Authority:check failure."},"result":false}', "403 Forbidden")


def lines(*rows: str) -> bytes:
    return http("".join(f"{row}\r\n" for row in rows), "200 OK", "Content-Type: text/plain;charset=utf-8")


def table(*rows: str) -> bytes:
    return lines(*(f"table.{row}" for row in rows))


def asked(request: bytes) -> tuple[str, dict[str, str]]:
    """The page, and its query by name."""
    target = request.split(b" ")[1].decode().removeprefix("/cgi-bin/")
    page, _, query = target.partition("?")
    return page, dict(parse_qsl(query, keep_blank_values=True))


@asynccontextmanager
async def dahua(*replies: bytes | None, dribble: bool = False) -> AsyncIterator[tuple[DahuaDriver, Saying]]:
    """A driver that was logged in to, its camera without ONVIF."""
    async with (
        saying(*replies, dribble=dribble) as camera,
        DeviceHttp("127.0.0.1", camera.port, "http", timeout_s=0.5, upload_patience_s=0) as device,
    ):
        yield DahuaDriver(DahuaCgi(device, HttpLogin(JOE)), NoOnvif()), camera
