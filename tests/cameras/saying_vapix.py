"""What Axis cameras say in VAPIX, for cameras of a few lines."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cameras.driver import Driver
from cameras.drivers.axis import AxisDriver
from cameras.errors import Unsupported
from cameras.http import DeviceHttp, HttpLogin
from cameras.vapix import Vapix
from tests.cameras.saying import Saying, http, saying
from tests.cameras.saying_soap import JOE

MISSING = http("<html>404", "404 Not Found")
REALM = 'WWW-Authenticate: Digest realm="AXIS_B8A44F000001", nonce="n", qop="auth"'
WRONG = http("<html>401", "401 Unauthorized", REALM)


class NoOnvif:
    """A camera on which ONVIF is switched off."""

    async def driver(self) -> Driver:
        raise Unsupported("no ONVIF")

    async def accounts_driver(self) -> Driver | None:
        return None

    async def still_accepts_us(self) -> bool:
        raise Unsupported("no ONVIF")


def told(data: object, method: str = "m") -> bytes:
    """A JSON success. Axis names a charset that is none."""
    body = json.dumps({"apiVersion": "1.4", "context": "camwarden", "method": method, "data": data})
    return http(body, "200 OK", "Content-Type: application/json; charset=utf8")


def no(code: int, message: str = "no") -> bytes:
    """A JSON refusal, under HTTP 200."""
    return http(json.dumps({"apiVersion": "1.4", "error": {"code": code, "message": message}}))


def words(text: str) -> bytes:
    return http(text, "200 OK", "Content-Type: text/plain")


def rest(data: object) -> bytes:
    """A success of the REST framework."""
    return http(json.dumps({"status": "success", "data": data}), "200 OK", "Content-Type: application/json")


def listing(**apis: dict[str, object]) -> bytes:
    """What /config/discover/apis says: of each API its versions."""
    return http(json.dumps(apis), "200 OK", "Content-Type: application/json")


def described(rest_api: str, version: str = "1.0.0", state: str = "released") -> dict[str, object]:
    return {"rest_api": f"/config/rest/{rest_api}", "state": state, "version": version}


LISTED = listing(
    cert={"v1": described("cert/v1", "1.1.2")},
    firewall={"v1": described("firewall/v1")},
    snmp={"v1": described("snmp/v1")},
)


def parameters(*lines: str) -> bytes:
    return words("\r\n".join(lines) + "\r\n")


@asynccontextmanager
async def axis(*replies: bytes | None, dribble: bool = False) -> AsyncIterator[tuple[AxisDriver, Saying]]:
    """A driver that was logged in to, its camera without ONVIF."""
    async with (
        saying(*replies, dribble=dribble) as camera,
        DeviceHttp("127.0.0.1", camera.port, "http", timeout_s=0.5, upload_patience_s=0) as device,
    ):
        yield AxisDriver(Vapix(device, HttpLogin(JOE)), NoOnvif()), camera
