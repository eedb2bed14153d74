"""What Hikvision cameras say in ISAPI, for cameras of a few lines."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from lxml import etree

from cameras.drivers.hikvision import HikvisionDriver
from cameras.http import DeviceHttp, HttpLogin
from cameras.isapi import Isapi
from tests.cameras.saying import Saying, http, saying
from tests.cameras.saying_soap import JOE
from tests.cameras.saying_vapix import NoOnvif

ISAPI_ORG, HIKVISION_COM = "http://www.isapi.org/ver20/XMLSchema", "http://www.hikvision.com/ver20/XMLSchema"
REALM = 'WWW-Authenticate: Digest realm="IP Camera(C0FFE)", nonce="n", qop="auth"'
WRONG = http("<html>401", "401 Unauthorized", REALM)
MISSING = http("<html>404", "404 Not Found")


def doc(name: str, inside: str = "", *, namespace: str = HIKVISION_COM) -> bytes:
    """A document as most cameras write it."""
    ours = f' version="2.0" xmlns="{namespace}"' if namespace else ""
    return http(f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{ours}>\n{inside}\n</{name}>')


def said(code: object, words: str, sub: str, status: str = "200 OK", more: str = "") -> bytes:
    inside = f"<requestURL></requestURL><statusCode>{code}</statusCode><statusString>{words}</statusString>"
    body = f'<ResponseStatus version="2.0" xmlns="{HIKVISION_COM}">{inside}<subStatusCode>{sub}</subStatusCode>{more}'
    return http(f"{body}</ResponseStatus>", status)


OK = said(1, "OK", "ok")
REBOOT = said(7, "Reboot Required", "rebootRequired")
NOT_SUPPORTED = said(4, "Invalid Operation", "notSupport", "403 Forbidden")
LOW_PRIVILEGE = said(4, "Invalid Operation", "lowPrivilege", "403 Forbidden")
BAD_XML = said(6, "Invalid XML Content", "badXmlContent", "400 Bad Request")
LOCKED = http(
    "<userCheck><statusValue>401</statusValue><lockStatus>lock</lockStatus><unlockTime>1795</unlockTime></userCheck>",
    "401 Unauthorized",
    REALM,
)


def users(*rows: tuple[str, str], more: str = "") -> bytes:
    """Names and levels, numbered from 1."""
    return doc(
        "UserList",
        "".join(
            f"<User><id>{n}</id><userName>{name}</userName><userLevel>{level}</userLevel>{more}</User>"
            for n, (name, level) in enumerate(rows, 1)
        ),
        namespace=ISAPI_ORG,
    )


# What was asked: the method, the path below /ISAPI/, and the leaves of the body by their path.
Heard = tuple[str, str, Mapping[str, str] | None]


def asked(request: bytes) -> Heard:
    head, _, body = request.partition(b"\r\n\r\n")
    method, path = head.decode().split(" ")[:2]
    return method, path.removeprefix("/ISAPI/"), leaves(etree.fromstring(body)) if body.startswith(b"<?xml") else None


def leaves(node: etree._Element, before: str = "") -> Mapping[str, str]:
    found: dict[str, str] = {}
    for child in node.iterchildren(tag=etree.Element):
        path = f"{before}{etree.QName(child).localname}"
        found |= leaves(child, f"{path}/") if len(child) else {path: child.text or ""}
    return found


@asynccontextmanager
async def hikvision(*replies: bytes | None, dribble: bool = False) -> AsyncIterator[tuple[HikvisionDriver, Saying]]:
    """A driver that was logged in to, its camera without ONVIF."""
    async with (
        saying(*replies, dribble=dribble) as camera,
        DeviceHttp("127.0.0.1", camera.port, "http", timeout_s=0.5, upload_patience_s=0) as device,
    ):
        yield HikvisionDriver(Isapi(device, HttpLogin(JOE)), NoOnvif()), camera
